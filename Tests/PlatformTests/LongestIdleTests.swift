import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Which instance goes when one is too many: at flow fidelity as at a gateway the longest idle.
@Suite struct LongestIdleTests {
  private static let lane = LaneID(0)

  private static func entry(_ pod: Int, at seconds: Int64) -> FlowInstances.Entry {
    FlowInstances.Entry(
      pod: PodID(pod), node: NodeID(0), path: .pool, dispatcher: 0, idleSince: .seconds(seconds))
  }

  /// A new instance has the slot that became free last, and is idle since it came.
  @Test func slotsAreThoseOfAGatewaysTable() {
    var instances = FlowInstances()
    for pod in 0..<4 { instances.add(Self.entry(pod, at: 0)) }
    instances.touch(below: 3, at: .seconds(10))
    let gone = instances.remove(at: 1)
    #expect(gone.pod == PodID(1))
    #expect(instances.entries.map(\.pod.raw) == [0, 2, 3])
    #expect((0..<3).map { instances.lastUse($0) } == [.seconds(10), .seconds(10), .origin])
    instances.add(Self.entry(4, at: 20))
    #expect(instances.entries.map(\.pod.raw) == [0, 4, 2, 3] && instances.newest == 1)
    let uses: [Instant] = [.seconds(10), .seconds(20), .seconds(10), .origin]
    #expect((0..<4).map { instances.lastUse($0) } == uses)
  }

  /// Which of three to five instances that all are in use every second is the longest idle at an
  /// instant, if any: as often one as another at both fidelities.
  @Test(arguments: [(3, 2.5, 4), (5, 2.0, 1), (4, 1.0, 2)])
  func theLongestIdleIsAsOftenTheSame(servers: Int, load: Double, concurrency: Int) throws {
    let samples = 4000
    var counts = [Fidelity: [Int]]()
    for fidelity in [Fidelity.request, .flow] {
      var cluster = FlowWorld.station(
        servers, rate: load / 0.05, service: .exponential(mean: 0.05), seed: 5, fidelity: fidelity)
      cluster.services[0].router.concurrencyLimit = concurrency
      let simulation = ClusterSimulation(cluster, recorder: Observer())
      // The last is for none.
      var found = Array(repeating: 0, count: servers + 1)
      for second in 1...samples {
        try simulation.run(until: .seconds(Int64(second)))
        if let lane = simulation.lanes[0] as? RequestLane {
          found[lane.engine.routers[0].instances.longestIdle?.index ?? servers] += 1
        } else if let lane = simulation.lanes[0] as? FlowLane {
          let longest = lane.state.drawIdle().min {
            $0.since != $1.since ? $0.since < $1.since : $0.position > $1.position
          }
          found[longest?.position ?? servers] += 1
        }
      }
      counts[fidelity] = found
    }
    for index in 0...servers {
      let (a, b) = (Double(counts[.request]![index]), Double(counts[.flow]![index]))
      #expect(
        abs(a - b) < 4 * (a + b + 1).squareRoot() + 0.02 * Double(samples), "\(index): \(counts)")
    }
  }

  /// An instance that was ejected at 20 s serves nothing from then on: of three that are busy it is
  /// the only one that has been idle for 20 s at 40 s, and goes.
  @Test(arguments: [Fidelity.request, .flow]) func whatIsEjectedGoes(fidelity: Fidelity) throws {
    var cluster = FlowWorld.station(
      3, rate: 200, service: .exponential(mean: 0.01), seed: 4, fidelity: fidelity)
    cluster.kubernetes.create = .constant(0.3)
    cluster.services[0].router = TestWorld.rules(
      maximum: 3, minimum: 2, keepAlive: .seconds(20), queueLimit: 100_000)
    var breaking = BreakerRules()
    breaking.baseEjectionTime = .seconds(200)
    breaking.alwaysEjectsOne = true
    cluster.services[0].breaking = breaking
    cluster.migration.longBreakTime = .seconds(1000)
    cluster.faults = [
      FaultConfiguration(
        name: "bad", kind: .spoil([ServiceID(0)], share: 0.3, errors: 1, factor: 1),
        at: .seconds(20), restartAfter: nil)
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    let counters = try [39, 45 as Int64].map { second in
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      return simulation.lane(Self.lane).counters
    }
    #expect(counters[0].ejections == 1 && counters[0].instancesRetired == 0)
    #expect(counters[1].instancesRetired == 1 && counters[1].erred < 15)
    // Another has come in its place.
    #expect(counters[1].instancesAdded == counters[0].instancesAdded + 1)
    #expect(simulation.lane(Self.lane).gauges.ready == 3)
  }

  /// AutoScale goes up and down between one and eight instances of which one is bad: it is gone
  /// after a while, at both fidelities after as many errors in the mean of some seeds.
  @Test func badInstancesGoWithTheOthers() throws {
    var means: [(mean: Double, error: Double)] = []
    let seeds = 60
    for fidelity in [Fidelity.request, .flow] {
      var (sum, square) = (0.0, 0.0)
      for seed in 1...seeds {
        var cluster = ScaledWorld.lane(
          minutes: [50], service: .exponential(mean: 0.05), concurrency: 4, initial: 2,
          seed: UInt64(seed), fidelity: fidelity)
        cluster.services[0].scaling = ScalingConfiguration { CountingPolicy() }
        cluster.faults = [
          FaultConfiguration(
            name: "bad", kind: .spoil([ServiceID(0)], share: 0.1, errors: 0.4, factor: 1),
            at: .seconds(21), restartAfter: nil)
        ]
        let simulation = ClusterSimulation(cluster, recorder: Observer())
        try simulation.run(until: .seconds(600))
        try simulation.checkInvariants()
        #expect((simulation.form(of: Self.lane).fidelity == .flow) == (fidelity == .flow))
        let erred = Double(simulation.lane(Self.lane).counters.erred)
        sum += erred
        square += erred * erred
      }
      let n = Double(seeds)
      means.append((sum / n, ((square / n - sum * sum / (n * n)) / n).squareRoot()))
    }
    let error = (means[0].error * means[0].error + means[1].error * means[1].error).squareRoot()
    #expect(
      abs(means[0].mean - means[1].mean) < 3 * error + 0.15 * means[0].mean, "\(means)")
    // All the time it would be a fifth or so of 50 a second, and two fifths of these.
    #expect(means.allSatisfy { $0.mean < 1500 }, "\(means)")
  }
}
