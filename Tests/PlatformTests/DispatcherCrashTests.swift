import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// A service's Dispatcher is gone: who is asked for instances then, and how long that takes.
@Suite struct DispatcherCrashTests {
  /// One service in one zone that needs an instance for each of some requests, 10 s apart at least.
  private static func world(times: [Double], crashed: Bool) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    cluster.contention = .epoch
    cluster.network.sameNode = .microseconds(50)
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.dispatchers.count = 3
    cluster.kubernetes.create = .constant(0.4)
    cluster.services = [
      ServiceConfiguration(
        name: "cold", runtime: 0, shape: 0, zones: [ZoneID(0)],
        router: TestWorld.rules(keepAlive: .seconds(3), queueLimit: 100),
        serviceTime: .constant(0.1), initialInstances: [0]
      ) { _ in TestArrivals.times(times.map { Int64($0 * 1e9) }) }
    ]
    let owner = Topology(cluster).dispatcherOrder[0][0]
    if crashed {
      cluster.faults = [
        FaultConfiguration(
          name: "owner", kind: .crashDispatcher(owner), at: .seconds(30), restartAfter: nil)
      ]
    }
    return cluster
  }

  private static func latencies(_ cluster: ClusterConfiguration) throws -> [Double] {
    let observer = try TestWorld.run(cluster, until: .seconds(200)).observer
    return observer.values[.latency, default: []].map { Double($0) * 1e-9 }
  }

  /// A cold start takes what it takes. The route of 12 s, when an instance is there, is fresh up to
  /// 42 s.
  ///
  /// - At 35 s the owner is asked for an instance and nobody else: it is asked again after 20 s
  ///   (`start_timeout`), with a question for the route, which another answers after the second
  ///   that the owner is silent for (`ask_timeout`): 21 s more.
  /// - At 70 s the owner is asked for the route with the instance: 1 s more.
  /// - At 80 s, within the 30 s of that route, the other is asked at once.
  @Test(arguments: [([10.0, 12.0, 35.0], 21.0), ([10.0, 70.0], 1.0), ([10.0, 70.0, 80.0], 0.0)])
  func whoAnsweredIsAsked(times: [Double], more: Double) throws {
    let calm = try Self.latencies(Self.world(times: times, crashed: false))
    let crashed = try Self.latencies(Self.world(times: times, crashed: true))
    #expect(calm.count == times.count && crashed.count == times.count)
    #expect(abs(calm[0] - 0.5) < 0.05 && abs(crashed[0] - calm[0]) < 1e-9)
    let last = times.count - 1
    #expect(abs(crashed[last] - calm[last] - more) < 0.02, "\(crashed) and \(calm)")
  }

  /// Services that are rarely called, at both fidelities: while their Dispatchers are away a cold
  /// start takes a second more on average where a route is asked for, and never forty.
  @Test func rareServicesWaitForTheNext() throws {
    var means: [Double] = []
    for fidelity in [Fidelity.request, .flow] {
      var cluster = TestWorld.cluster(services: 0)
      cluster.fidelity = fidelity
      cluster.gateways.callTimeout = nil
      cluster.services = (0..<30).map { index in
        let key = StreamKey(seed: 3, replication: 0, name: "arrivals").appending(UInt64(index))
        var service = ServiceConfiguration(
          name: "rare-\(index)", runtime: 0, shape: 0, zones: [ZoneID(0)],
          router: TestWorld.rules(keepAlive: .seconds(3), queueLimit: 100),
          serviceTime: .exponential(mean: 0.2), initialInstances: [0]
        ) { lane in
          KeyedRateSource(intensity: .constant(perSecond: 0.2), key: key, lane: lane, weights: [1])
        }
        service.initialRatePerSecond = 0.2
        return service
      }
      cluster.faults = [
        FaultConfiguration(
          name: "gone", kind: .crashDispatcher(0), at: .seconds(300), restartAfter: .seconds(240))
      ]
      let simulation = ClusterSimulation(cluster, recorder: Observer())
      try simulation.run(until: .seconds(700))
      simulation.finish()
      try simulation.checkInvariants()
      let observer = try #require(simulation.recorder as? Observer)
      let starts = observer.values[.startLatency, default: []].map { Double($0) * 1e-9 }.sorted()
      #expect(starts.count > 1000)
      // A start without a warm pod takes 3 s or so.
      #expect(starts.last! < 21 + 5, "\(starts.suffix(5))")
      means.append(starts.reduce(0, +) / Double(starts.count))
    }
    #expect(abs(means[1] / means[0] - 1) < 0.25, "\(means)")
  }

  /// Callers break instances without the Coordinator, and that is told as they do.
  @Test(arguments: [Fidelity.request, .flow]) func breaksAreToldAsTheyAre(
    fidelity: Fidelity
  ) throws {
    var cluster = FlowWorld.station(
      20, rate: 400, service: .exponential(mean: 0.03), seed: 1, fidelity: fidelity)
    cluster.services[0].router.choice = .roundRobin
    cluster.services[0].router.concurrencyLimit = 2
    cluster.services[0].breaking = BreakerRules()
    cluster.faults = [
      FaultConfiguration(
        name: "away", kind: .stop(.coordinator), at: .seconds(15), restartAfter: nil),
      FaultConfiguration(
        name: "bad", kind: .spoil([ServiceID(0)], share: 0.05, errors: 0.8, factor: 1),
        at: .seconds(20), restartAfter: nil),
    ]
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(60))
    let breaks = observer.events.filter { $0.kind == .instanceBroken }
    #expect(breaks.count == Int(simulation.lane(LaneID(0)).counters.ejections))
    let first = try #require(breaks.map(\.at).min())
    // Each instance has 20 calls a second, and ten or so break it.
    #expect(first > .seconds(20) && first < .seconds(24), "\(first)")
  }
}
