import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing
import Workload

/// Lanes that several consumers share, at flow fidelity against the same messages one by one.
@Suite struct FlowConsumerTests {
  enum Kind: CaseIterable {
    case moderate, busy, uneven, paused

    /// Messages a second, of 3,000 that thirty instances bear.
    var rate: Double {
      switch self {
      case .moderate: 1800
      case .busy, .paused: 2500
      case .uneven: 2200
      }
    }
  }

  private static func cluster(_ kind: Kind, seed: UInt64) -> ClusterConfiguration {
    // Fourteen partitions for three consumers: five, five and four.
    let partitions = kind == .uneven ? 14 : 12
    var cluster = TopicTests.cluster(
      partitions: partitions, instances: 30, service: .exponential(mean: 0.0095),
      arrivals: .poisson(1, seed: 1)
    ) {
      if kind == .paused { $0.pauses = [.seconds(30) ..< .seconds(40)] }
    }
    cluster.consumers.perZone = 3
    cluster.consumers.perLane = 3
    cluster.seed = seed
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.services[0].initialRatePerSecond = kind.rate
    cluster.services[0].router.maximumInstances = 30
    cluster.services[0].router.minimumInstances = 30
    cluster.services[0].initialInstances = [30]
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: kind.rate),
        key: StreamKey(seed: seed, replication: 0, name: "arrivals"), lane: 0, weights: [1])
    }
    return cluster
  }

  /// Six seeds in pairs: mean lag within 4 %, mean delay within 2 %, the 99th percentile within 5
  /// %.
  @Test(arguments: Kind.allCases)
  func agreesWithSingleMessages(kind: Kind) throws {
    var (requests, flow) = (FlowWindowTests.Outcome(), FlowWindowTests.Outcome())
    for seed in 1...6 as ClosedRange<UInt64> {
      let cluster = Self.cluster(kind, seed: seed)
      let pair = try (
        FlowWindowTests.outcome(cluster, .request, seconds: 120),
        FlowWindowTests.outcome(cluster, .flow, seconds: 120)
      )
      for path in [\FlowWindowTests.Outcome.lag, \.delay, \.p99] {
        requests[keyPath: path] += pair.0[keyPath: path] / 6
        flow[keyPath: path] += pair.1[keyPath: path] / 6
      }
    }
    func off(_ path: KeyPath<FlowWindowTests.Outcome, Double>) -> Double {
      flow[keyPath: path] / requests[keyPath: path] - 1
    }
    let errors = "lag \(off(\.lag)), delay \(off(\.delay)), p99 \(off(\.p99))"
    let what = "\(kind): \(errors) of \(requests)"
    print("consumers: \(what)")
    #expect(abs(off(\.lag)) < 0.04 && abs(off(\.delay)) < 0.02, "\(what)")
    #expect(abs(off(\.p99)) < 0.05, "\(what)")
  }

  /// Nobody knows whose instances are whose, so that such a lane stays what it is.
  @Test func staysWhatItIs() throws {
    var cluster = Self.cluster(.moderate, seed: 1)
    cluster.fidelity = .auto
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(25))
    #expect(simulation.fidelity(of: LaneID(0)) == .request)
    cluster.fidelity = .flow
    let other = ClusterSimulation(cluster, recorder: Observer())
    try other.run(until: .seconds(5))
    #expect(!other.handOver(lane: LaneID(0), to: .request))
    try other.checkInvariants()
  }

  /// Where AutoScale makes their instances the lane is requests in a run of flow too, told with its
  /// reason: every message, instance and order is what it is in a run of requests, whatever
  /// fidelity the services beside it have.
  @Test func areRequestsWhereInstancesComeAndGo() throws {
    var cluster = Self.cluster(.moderate, seed: 3)
    let key = StreamKey(seed: 3, replication: 0, name: "arrivals")
    cluster.services[0].router.maximumInstances = 300
    cluster.services[0].router.minimumInstances = 0
    cluster.services[0].router.startRule = .fromZero
    cluster.services[0].scaling = ScaledWorld.knative(concurrency: 1, ready: 30)
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .minutes([1800, 3600, 600]), key: key, lane: 0, weights: [1])
    }
    cluster.services.append(
      FlowWorld.lane(
        TestWorld.rules(maximum: 20, minimum: 20, queueLimit: 10_000), rate: 900,
        service: .exponential(mean: 0.015), instances: 20, seed: 4))
    func run(_ fidelity: Fidelity) throws -> (simulation: ClusterSimulation, ready: [[Int]]) {
      cluster.fidelity = fidelity
      let (simulation, _, ready) = try ScaledWorld.timeline(cluster, until: 170)
      return (simulation, ready)
    }
    let (requests, flow) = (try run(.request), try run(.flow))
    #expect(flow.simulation.fidelity(of: LaneID(1)) == .flow)
    #expect(flow.simulation.form(of: LaneID(0)).reason == .gateways)
    #expect(requests.simulation.form(of: LaneID(0)).reason == .asked)
    let (own, same) = (flow.simulation.lane(LaneID(0)), requests.simulation.lane(LaneID(0)))
    #expect(own.counters == same.counters && own.gauges == same.gauges)
    #expect(flow.ready.map { $0[0] } == requests.ready.map { $0[0] })
    // Some came, and some went.
    #expect(own.counters.instancesAdded > 40 && own.counters.instancesRetired > 20)
    #expect(own.counters.completed > 300_000)
  }
}
