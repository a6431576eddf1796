import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Long steps of quiet lanes.
@Suite struct FlowRestTests {
  private static func cluster(rate: Double, seed: UInt64 = 5) -> ClusterConfiguration {
    var cluster = FlowWorld.station(
      40, rate: rate, service: .exponential(mean: 0.05), seed: seed, fidelity: .flow)
    cluster.seriesInterval = .seconds(60)
    cluster.longestFlowStep = .seconds(60)
    cluster.duration = .seconds(3600)
    return cluster
  }

  /// A quiet lane takes a step a minute, and has taken in every second's arrivals wherever it is
  /// looked at.
  @Test func aQuietLaneRestsAndCountsEverySecond() throws {
    let cluster = Self.cluster(rate: 100)
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    let source = cluster.services[0].arrivals(0)
    var expected = 0
    var second = 0
    for stop in [7, 61, 100, 119, 600, 1234] {
      try simulation.run(until: .seconds(Int64(stop)))
      simulation.closeRow()
      while second < stop {
        expected += source.count(second: second)
        second += 1
      }
      #expect(simulation.lane(LaneID(0)).counters.arrivals == UInt64(expected), "at \(stop) s")
    }
    let steps = simulation.lanes[0].executed
    #expect(steps < 80, "\(steps) steps in 1,234 s")
    try simulation.checkInvariants()
  }

  /// Little's law over a rest: what is in service on average.
  @Test func theLevelIsThatOfLittlesLaw() throws {
    let simulation = ClusterSimulation(Self.cluster(rate: 100), recorder: Weighted())
    try simulation.run(until: .seconds(3600))
    simulation.finish()
    let counters = simulation.lane(LaneID(0)).counters
    // Half a millisecond of hops each way is a part of every call.
    let level = counters.inFlightSeconds / 3600
    let call = 0.05 + 2 * TestWorld.bare().network.sameZone.seconds
    #expect(abs(level / (Double(counters.arrivals) / 3600 * call) - 1) < 0.02, "\(level)")
  }

  /// Where every second may be too much, steps are of a second, and waits are there.
  @Test func aBusyLaneDoesNotRest() throws {
    let recorder = Weighted()
    let simulation = ClusterSimulation(Self.cluster(rate: 700), recorder: recorder)
    try simulation.run(until: .seconds(600))
    simulation.finish()
    #expect(simulation.lanes[0].executed >= 600)
    #expect((recorder.counts[.wait] ?? 0) > 1000)
  }

  /// A fork in the middle of a rest goes on as the run does.
  @Test func aForkInARestGoesOn() throws {
    let simulation = ClusterSimulation(Self.cluster(rate: 100), recorder: Weighted())
    try simulation.run(until: Instant(nanoseconds: 90_500_000_000))
    let fork = simulation.fork(recorder: Weighted())
    try simulation.run(until: .seconds(600))
    try fork.run(until: .seconds(600))
    simulation.finish()
    fork.finish()
    #expect(simulation.digest == fork.digest)
    #expect(
      simulation.lane(LaneID(0)).counters == fork.lane(LaneID(0)).counters)
  }

  /// Lanes that share the draw of their counts have what each has by itself.
  @Test func sharedCountsAreThoseOfEachLane() throws {
    var cluster = Self.cluster(rate: 90)
    cluster.zones = (0..<3).map { index in
      var zone = cluster.zones[0]
      zone.name = "zone-\(index)"
      return zone
    }
    cluster.pools = (0..<3).map { TestWorld.pool(zone: $0, target: 0) }
    let key = StreamKey(seed: 9, replication: 0, name: "shared")
    cluster.services[0].zones = (0..<3).map { ZoneID($0) }
    cluster.services[0].initialInstances = [40, 40, 40]
    cluster.services[0].router.maximumInstances = 120
    cluster.services[0].router.minimumInstances = 120
    cluster.services[0].arrivals = { lane in
      KeyedRateSource(
        intensity: .constant(perSecond: 90), key: key, lane: lane, weights: [1, 1, 1])
    }
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    try simulation.run(until: .seconds(300))
    simulation.closeRow()
    for lane in 0..<3 {
      let source = cluster.services[0].arrivals(lane)
      let expected = (0..<300).reduce(0) { $0 + source.count(second: $1) }
      #expect(simulation.lane(LaneID(lane)).counters.arrivals == UInt64(expected))
    }
  }

  // MARK: Calm seconds

  /// Eight slots, of which four and a half are in use: some requests wait, and no queue lasts.
  private static func calm(
    _ fidelity: Fidelity, rest: Int64, gamma: Double? = nil, seed: UInt64 = 5
  ) -> ClusterConfiguration {
    var cluster = FlowWorld.station(
      8, rate: 900, service: .exponential(mean: 0.004), seed: seed, fidelity: fidelity)
    cluster.seriesInterval = .seconds(60)
    cluster.longestFlowStep = .seconds(rest)
    cluster.duration = .seconds(3600)
    if let gamma {
      let key = StreamKey(seed: seed, replication: 0, name: "dispersed")
      cluster.services[0].arrivals = { _ in
        KeyedRateSource(
          intensity: .constant(perSecond: 800), factors: GammaFactorTable(shape: gamma), key: key,
          lane: 0, weights: [1])
      }
    }
    return cluster
  }

  /// Of all arrivals the share that waits, their mean wait in seconds, and the events of the lane.
  static func waits(
    _ cluster: ClusterConfiguration, seconds: Int64
  ) throws -> (share: Double, mean: Double, steps: UInt64) {
    let recorder = Weighted()
    let simulation = ClusterSimulation(cluster, recorder: recorder)
    try simulation.run(until: .seconds(seconds))
    simulation.finish()
    try simulation.checkInvariants()
    let arrivals = Double(simulation.lane(LaneID(0)).counters.arrivals)
    return (
      Double(recorder.counts[.wait] ?? 0) / arrivals, (recorder.sums[.wait] ?? 0) / arrivals,
      simulation.lanes[0].executed
    )
  }

  /// Erlang C gives the share that waits and the mean wait; exponential hops beside make the law a
  /// little less variable than exponential.
  @Test func inCalmSecondsRequestsWaitAsByErlang() throws {
    let found = try Self.waits(Self.calm(.flow, rest: 60), seconds: 3600)
    #expect(found.steps < 200, "\(found.steps) steps in 3,600 s")
    let hop = TestWorld.bare().network.sameZone.seconds
    let mean = 0.004 + 2 * hop
    let load = 900 * mean
    let share = CongestionLaw.erlangC(slots: 8, utilisation: load / 8)
    #expect(abs(found.share / share - 1) < 0.08, "\(found.share) for \(share)")
    let wait = share * mean / (8 - load)
    #expect(found.mean < 1.08 * wait && found.mean > 0.8 * wait, "\(found.mean) for \(wait)")
  }

  /// Where the rate of every second is another, waits are those of single requests, and of steps of
  /// a second.
  @Test(arguments: [nil, 100, 20] as [Double?]) func calmSecondsAgreeWithRequests(
    gamma: Double?
  ) throws {
    let requests = try Self.waits(Self.calm(.request, rest: 1, gamma: gamma), seconds: 1800)
    let short = try Self.waits(Self.calm(.flow, rest: 1, gamma: gamma), seconds: 1800)
    let long = try Self.waits(Self.calm(.flow, rest: 60, gamma: gamma), seconds: 1800)
    #expect(long.steps * 4 < short.steps, "\(long.steps) steps and \(short.steps)")
    #expect(abs(long.share / requests.share - 1) < 0.1, "\(long.share) for \(requests.share)")
    #expect(abs(long.mean / requests.mean - 1) < 0.12, "\(long.mean) for \(requests.mean)")
  }

  /// A part of a rest has its part of the waits, and nothing is lost between parts.
  @Test func aRestThatIsCutShortWaitsAsMuch() throws {
    let whole = try Self.waits(Self.calm(.flow, rest: 60), seconds: 1200)
    let recorder = Weighted()
    let simulation = ClusterSimulation(Self.calm(.flow, rest: 60), recorder: recorder)
    for stop in stride(from: Int64(7), through: 1200, by: 7) {
      try simulation.run(until: .seconds(stop))
      simulation.lanes[0].settle(at: simulation.now, recorder: recorder)
    }
    try simulation.checkInvariants()
    let arrivals = Double(simulation.lane(LaneID(0)).counters.arrivals)
    let share = Double(recorder.counts[.wait] ?? 0) / arrivals
    #expect(abs(share / whole.share - 1) < 0.05, "\(share) for \(whole.share)")
  }

  // MARK: Starts

  /// Ten slots on two instances; whoever finds all of them taken has an instance asked for.
  private static func onDemand(
    _ fidelity: Fidelity, rest: Int64, seed: UInt64
  ) -> ClusterConfiguration {
    var cluster = FlowWorld.station(
      2, rate: 1000, service: .exponential(mean: 0.003), seed: seed, fidelity: fidelity)
    cluster.seriesInterval = .seconds(60)
    cluster.longestFlowStep = .seconds(rest)
    cluster.duration = .seconds(600)
    cluster.services[0].router.concurrencyLimit = 5
    cluster.services[0].router.startRule = .onDemand
    cluster.services[0].router.maximumInstances = 3
    return cluster
  }

  /// Seconds until the first start is asked for, of several runs.
  private static func firstStarts(_ fidelity: Fidelity, rest: Int64) throws -> [Double] {
    try (1...40).map { seed in
      let simulation = ClusterSimulation(
        onDemand(fidelity, rest: rest, seed: UInt64(seed)), recorder: Weighted())
      for second in 1...120 {
        try simulation.run(until: .seconds(Int64(second)))
        if simulation.lane(LaneID(0)).counters.startsAsked > 0 { return Double(second) }
      }
      return 120
    }
  }

  /// A lane that asks for an instance when somebody waits rests until that happens, and it happens
  /// as soon as in steps of a second, and as with single requests.
  @Test func aStartEndsARestWhenItIsDue() throws {
    let requests = try Self.firstStarts(.request, rest: 1)
    let short = try Self.firstStarts(.flow, rest: 1)
    let long = try Self.firstStarts(.flow, rest: 60)
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let (exact, seconds, rests) = (mean(requests), mean(short), mean(long))
    #expect(exact > 2 && exact < 60, "\(exact) s")
    // Exponential times: the mean of 40 has a standard error of a sixth.
    #expect(abs(rests / exact - 1) < 0.6, "\(rests) s for \(exact) s")
    #expect(abs(rests / seconds - 1) < 0.6, "\(rests) s for \(seconds) s")
  }

  /// A start under way does not keep a lane awake in which nobody waits.
  @Test func aStartUnderWayLetsALaneRest() throws {
    var cluster = Self.onDemand(.flow, rest: 60, seed: 3)
    // Kubernetes takes its time.
    cluster.pools = cluster.pools.map { _ in TestWorld.pool(zone: 0, target: 0) }
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    try simulation.run(until: .seconds(600))
    simulation.finish()
    try simulation.checkInvariants()
    #expect(simulation.lane(LaneID(0)).counters.startsAsked > 0)
    #expect(simulation.lanes[0].executed < 300, "\(simulation.lanes[0].executed) steps")
  }

  /// Points between which a table of what is answered ahead of its commit is straight.
  @Test func theTableOfMessagesAheadIsThatOfTheIntegral() {
    func square(_ x: Double) -> Double { x * x / (1 + x) }
    var table = AheadTable()
    for step in 0..<200 {
      let x = 0.02 * Elementary.exp(0.06 * Double(step))
      table.prepare(x, mean: 0.5, square)
      let found = table.value(x, mean: 0.5) ?? .nan
      #expect(abs(found / square(x) - 1) < 0.005, "\(found) for \(square(x)) at \(x)")
    }
    #expect(table.value(1, mean: 0.6) == nil)
    #expect(table.value(0, mean: 0.5) == nil)
  }
}
