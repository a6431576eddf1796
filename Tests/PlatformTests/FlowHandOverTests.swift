import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// A lane that has been at flow fidelity for a while is, back at request fidelity, what it would
/// have been.
@Suite struct FlowHandOverTests {
  static let seeds = 40
  static let instants = 25

  /// Readings of one quantity, one an instant.
  typealias Readings = [String: [Double]]

  /// Runs one seed; at each instant the lane is at request fidelity and is read. With `residual` it
  /// has come from a spell of flow just before.
  static func read(
    _ configuration: ClusterConfiguration, seed: UInt64, residual: ResidualRule?,
    spell: Nanoseconds = .milliseconds(1700), into readings: inout Readings
  ) throws {
    var bits = SplitMix64(seed: seed)
    let simulation = ClusterSimulation(configuration, recorder: Weighted())
    try simulation.run(until: .seconds(20))
    for instant in 0..<instants {
      let start =
        Instant.seconds(Int64(20 + 8 * instant))
        + Nanoseconds.milliseconds(Int64(bits.integer(below: 1000)))
      try simulation.run(until: start)
      try settle(simulation) { residual == nil || simulation.handOver(lane: LaneID(0), to: .flow) }
      let before = simulation.lane(LaneID(0)).counters
      try simulation.run(until: max(simulation.now, start + spell))
      try settle(simulation) {
        guard let residual else { return true }
        return simulation.handOver(lane: LaneID(0), to: .request, residual: residual)
      }
      try simulation.checkInvariants()
      let then = simulation.lane(LaneID(0)).counters
      readings["starts meanwhile", default: []].append(
        Double(then.startsAsked - before.startsAsked))
      note(simulation, &bits, &readings)
      try simulation.run(until: simulation.now + .seconds(3))
      try simulation.checkInvariants()
      let after = simulation.lane(LaneID(0)).counters
      readings["starts afterwards", default: []].append(
        Double(after.startsAsked - then.startsAsked))
      readings["cold starts", default: []].append(Double(after.coldStarts - before.coldStarts))
    }
  }

  /// Goes on until no answer is awaited and the lane can be handed over.
  static func settle(_ simulation: ClusterSimulation, _ handOver: () -> Bool) throws {
    for _ in 0..<100 {
      if !simulation.lanes[0].isAwaiting, handOver() { return }
      try simulation.run(until: simulation.now + .milliseconds(100))
    }
    Issue.record("the lane could not be handed over")
  }

  static func note(
    _ simulation: ClusterSimulation, _ bits: inout SplitMix64, _ readings: inout Readings
  ) {
    guard let state = FlowWorld.state(of: simulation) else { return }
    readings["in flight", default: []].append(Double(state.calls.count))
    readings["waiting", default: []].append(Double(state.waiting.count))
    readings["instances", default: []].append(Double(state.instances.count))
    if !state.calls.isEmpty {
      let call = state.calls[Int(bits.integer(below: UInt64(state.calls.count)))]
      readings["residual service", default: []].append((call.end - simulation.now).seconds)
      readings["age", default: []].append((simulation.now - call.arrival).seconds)
    }
    let idle = state.instances.filter { $0.inFlight == 0 }
    guard !idle.isEmpty else { return }
    let some = idle[Int(bits.integer(below: UInt64(idle.count)))]
    readings["idle age", default: []].append((simulation.now - some.entry.idleSince).seconds)
  }

  /// Both arms, with seeds of their own; the probabilities by quantity.
  static func compare(
    residual: ResidualRule, _ make: (UInt64) -> ClusterConfiguration
  ) throws -> [String: Double] {
    var reference: Readings = [:]
    var handedOver: Readings = [:]
    for seed in 1...UInt64(seeds) {
      try read(make(seed), seed: seed, residual: nil, into: &reference)
      try read(make(1000 + seed), seed: 1000 + seed, residual: residual, into: &handedOver)
    }
    var probabilities: [String: Double] = [:]
    for (name, values) in reference {
      probabilities[name] = TwoSamples.probability(values, handedOver[name] ?? [])
    }
    return probabilities
  }

  static func congested(_ seed: UInt64) -> ClusterConfiguration {
    FlowWorld.station(
      10, rate: 170, service: .lognormal(mean: 0.05, sigma: 0.6), seed: seed)
  }

  static func elastic(_ seed: UInt64) -> ClusterConfiguration {
    FlowWorld.elastic(
      rate: 200, service: .exponential(mean: 0.05), keepAlive: .seconds(4), instances: 16,
      seed: seed)
  }

  @Test func aCongestedLaneIsUnchangedInDistribution() throws {
    let found = try Self.compare(residual: .equilibrium, Self.congested)
    #expect(TwoSamples.rejected(found, level: 0.001) == [], "\(found)")
  }

  @Test func anElasticLaneIsUnchangedInDistribution() throws {
    let found = try Self.compare(residual: .equilibrium, Self.elastic)
    #expect(TwoSamples.rejected(found, level: 0.001) == [], "\(found)")
  }

  @Test func aFullServiceTimeInPlaceOfTheResidualIsFound() throws {
    let found = try Self.compare(residual: .fullService, Self.congested)
    #expect(
      TwoSamples.rejected(found, level: 0.001).contains("residual service"), "\(found)")
  }
}

/// Lanes that choose for themselves, and cannot always change at once.
@Suite struct FidelityReviewTests {
  /// A lane that awaits an answer as it is reviewed stays what it is, and what it asks by then is
  /// under way at once: nothing reaches the shared part late.
  @Test func aReviewInVainSendsWhatIsDue() throws {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = .auto
    cluster.gateways.callTimeout = nil
    cluster.services = (0..<12).map { index in
      let key = StreamKey(seed: 11, replication: 0, name: "arrivals").appending(UInt64(index))
      // Loads that go up and down, so that instances are asked for around every review.
      let points = (0..<60).map { minute in
        Intensity.Point(second: Double(minute * 20), perSecond: minute % 2 == 0 ? 6 : 300)
      }
      var service = ServiceConfiguration(
        name: "service-\(index)", runtime: 0, shape: 0, zones: (0..<3).map { ZoneID($0) },
        router: TestWorld.rules(keepAlive: .seconds(7), queueLimit: 1000),
        serviceTime: .exponential(mean: 0.05), initialInstances: [2, 2, 2]
      ) { lane in
        KeyedRateSource(
          intensity: .profile(points), key: key, lane: lane, weights: [1, 1, 1])
      }
      service.initialRatePerSecond = 6
      return service
    }
    let simulation = try TestWorld.run(cluster, until: .seconds(600)).simulation
    #expect(simulation.fidelitySummary.both > 0)
  }
}
