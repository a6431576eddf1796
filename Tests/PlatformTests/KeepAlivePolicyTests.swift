import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Keep-alive policies in lanes, against a plain computation that shares nothing with them.
@Suite struct KeepAlivePolicyTests {
  /// A start takes so long, whatever else happens.
  private static let start = 0.3
  private static let service = 2.0

  /// One instance at a time: requests some minutes apart.
  private static func sparse(
    _ times: [Int64], keepAlive: Nanoseconds, policy: (@Sendable () -> any KeepAlivePolicy)?,
    minimum: Int = 0
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    cluster.kubernetes.create = .constant(start)
    var rules = TestWorld.rules(keepAlive: keepAlive, queueLimit: 100)
    rules.minimumInstances = minimum
    rules.routeLifetimes.fresh = .seconds(1_000_000)
    var lane = ServiceConfiguration(
      name: "sparse", runtime: 0, shape: 0, zones: [ZoneID(0)], router: rules,
      serviceTime: .constant(service), initialInstances: [0]
    ) { _ in TestArrivals.times(times) }
    lane.keepAlive = policy
    cluster.services = [lane]
    return cluster
  }

  /// Gaps of about half an hour, some short ones, some of hours.
  private static func trace(_ count: Int) -> [Int64] {
    var bits = Xoshiro256PlusPlus(seed: 5)
    var now = 10.0
    return (0..<count).map { _ in
      let kind = bits.integer(below: 40)
      let gap: Double =
        kind == 0 ? 180 + 60 * bits.uniform() : kind == 1 ? 9000 : 1500 + 600 * bits.uniform()
      now += gap
      return Int64(now * 1e9)
    }
  }

  private struct Expected {
    var cold = 0
    var coldWithoutPrewarm = 0
    var readySeconds = 0.0
  }

  /// When an instance is there after a request that ended at `end`: from, to.
  private typealias Windows = (_ end: Double, _ idleBefore: [Double]) -> [(Double, Double)]

  private static func plain(_ times: [Int64], until stop: Double, _ windows: Windows) -> Expected {
    var expected = Expected()
    var idle: [Double] = []
    var end: Double?
    for (index, time) in times.enumerated() {
      let at = Double(time) * 1e-9
      var begins = at + start
      if let end {
        idle.append(at - end)
        let there = windows(end, Array(idle.dropLast()))
        if there.contains(where: { $0.0 <= at && at < $0.1 }) { begins = at }
        // Ordered, and not there yet: the request waits for what is left.
        if let coming = there.first(where: { $0.0 - start <= at && at < $0.0 && $0.0 > end }) {
          begins = coming.0
        }
      }
      if begins > at { expected.cold += 1 }
      // From when the instance serves it on.
      let left = begins + service
      let next = index + 1 < times.count ? Double(times[index + 1]) * 1e-9 : stop
      expected.readySeconds += left - begins
      for (from, to) in windows(left, idle) where from < next {
        expected.readySeconds += min(to, next) - from
      }
      end = left
    }
    return expected
  }

  /// The histogram by its definition, from the list of idle times.
  private static func hybrid(_ end: Double, _ idle: [Double]) -> [(Double, Double)] {
    var counts = [Double](repeating: 0, count: 240)
    for time in idle where time < 14_400 { counts[Int(time / 60)] += 1 }
    let total = counts.reduce(0, +)
    let mean = total / 240
    let variance = counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 239
    guard total > 0, variance.squareRoot() >= 2 * mean else { return [(end, end + 14_400)] }
    let sorted = idle.filter { $0 < 14_400 }.sorted()
    func bin(_ share: Double) -> Double {
      let rank = max(1, (Int(share * 100) * sorted.count + 99) / 100)
      return (sorted[rank - 1] / 60).rounded(.down)
    }
    let (head, tail) = (bin(0.05) * 60 * 0.9, (bin(0.99) + 1) * 60 * 1.1)
    // What is made ahead is asked for at `head`.
    return head > 0 ? [(end + head + start, end + tail)] : [(end, end + tail)]
  }

  private func counters(_ cluster: ClusterConfiguration, until end: Int64) throws -> LaneCounters {
    let (simulation, _) = try TestWorld.run(cluster, until: .seconds(end))
    return simulation.lane(LaneID(0)).counters
  }

  @Test func coldStartsAndMemoryAreThoseOfThePlainComputation() throws {
    let times = Self.trace(300)
    let end = times[299] / 1_000_000_000 + 30_000
    let fixed = Self.plain(times, until: Double(end)) { last, _ in [(last, last + 600)] }
    let hybrid = Self.plain(times, until: Double(end), Self.hybrid)
    let asFixed = try counters(
      Self.sparse(times, keepAlive: .seconds(600), policy: nil), until: end)
    let asHybrid = try counters(
      Self.sparse(times, keepAlive: .seconds(14_400)) { HybridHistogram() }, until: end)
    #expect(Int(asFixed.coldStarts) == fixed.cold)
    #expect(Int(asHybrid.coldStarts) == hybrid.cold)
    #expect(abs(asFixed.readySeconds - fixed.readySeconds) < 1e-3 * fixed.readySeconds)
    #expect(abs(asHybrid.readySeconds - hybrid.readySeconds) < 1e-3 * hybrid.readySeconds)
    // Most gaps are longer than ten minutes, and nearly all of them foreseeable.
    #expect(fixed.cold > 280 && hybrid.cold < 40)
  }

  /// A fixed length as a policy does what the rules do with it.
  @Test func aFixedPolicyIsTheRule() throws {
    let times = Self.trace(100)
    let end = times[99] / 1_000_000_000 + 3_000
    for length: Int64 in [120, 1700] {
      let rule = try counters(
        Self.sparse(times, keepAlive: .seconds(length), policy: nil), until: end)
      let policy = try counters(
        Self.sparse(times, keepAlive: .seconds(length)) { FixedKeepAlive(.seconds(length)) },
        until: end)
      #expect(rule.coldStarts == policy.coldStarts)
      #expect(rule.readySeconds == policy.readySeconds)
      #expect(rule.instancesAdded == policy.instancesAdded)
    }
  }

  /// Provisioned instances stay whatever the policy says, so that there is one cold start.
  @Test func theLeastNumberStays() throws {
    let times = Self.trace(60)
    let end = times[59] / 1_000_000_000 + 3_000
    let counters = try counters(
      Self.sparse(times, keepAlive: .seconds(14_400), policy: { HybridHistogram() }, minimum: 1),
      until: end)
    #expect(counters.coldStarts == 1)
    #expect(counters.instancesRetired == 0 && counters.instancesAdded == 1)
  }

  /// Provisioned concurrency: so many instances are never given up and are there for the next
  /// requests; what a surge adds goes after its keep-alive. At both fidelities, under a fixed
  /// length and under the histogram.
  @Test(arguments: [Fidelity.request, .flow], [true, false])
  func aProvisionedMinimumStaysAndNoMore(fidelity: Fidelity, isFixed: Bool) throws {
    func run(minimum: Int) throws -> (quiet: LaneCounters, ready: Int, end: LaneCounters) {
      var cluster = TestWorld.bare()
      cluster.fidelity = fidelity
      cluster.kubernetes.create = .constant(Self.start)
      // Two surges of twenty requests a second for half a minute; between them nothing.
      var points = [Intensity.Point(second: 0, perSecond: 0)]
      for begin in [60.0, 7260] {
        for (after, rate) in [(0.0, 0.0), (1, 20), (30, 20), (31, 0)] {
          points.append(Intensity.Point(second: begin + after, perSecond: rate))
        }
      }
      let key = StreamKey(seed: 4, replication: 0, name: "surges")
      var rules = TestWorld.rules(keepAlive: .seconds(600), queueLimit: 1000)
      rules.minimumInstances = minimum
      var lane = ServiceConfiguration(
        name: "surges", runtime: 0, shape: 0, zones: [ZoneID(0)], router: rules,
        serviceTime: .constant(0.1), initialInstances: [minimum]
      ) { [points] _ in
        KeyedRateSource(intensity: .profile(points), key: key, lane: 0, weights: [1])
      }
      if isFixed {
        lane.keepAlive = { FixedKeepAlive(.seconds(600)) }
      } else {
        lane.keepAlive = { ProvisionedMinimum(minimum, above: HybridHistogram()) }
      }
      cluster.services = [lane]
      let simulation = ClusterSimulation(cluster, recorder: Observer())
      try simulation.run(until: .seconds(7200))
      let quiet = simulation.lane(LaneID(0)).counters
      let ready = simulation.controlSummary.podsReady
      try simulation.run(until: .seconds(7400))
      simulation.finish()
      return (quiet, ready, simulation.lane(LaneID(0)).counters)
    }
    let provisioned = try run(minimum: 3)
    let without = try run(minimum: 0)
    // The histogram keeps what it has too few idle times for, so that only the fixed length says
    // when the rest goes.
    if isFixed {
      #expect(provisioned.ready == 3 && without.ready == 0)
      #expect(provisioned.quiet.readySeconds >= 3 * 7199)
    } else {
      #expect(provisioned.ready >= 3)
    }
    #expect(provisioned.end.coldStarts < without.end.coldStarts)
    #expect(without.end.coldStarts > 0)
  }

  /// Every ten minutes a second that may have a request; both fidelities meet the same ones.
  private static func bursts(
    _ fidelity: Fidelity, policy: (@Sendable () -> any KeepAlivePolicy)?
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    cluster.fidelity = fidelity
    cluster.kubernetes.create = .constant(start)
    var points: [Intensity.Point] = []
    for burst in 0..<600 {
      let at = Double(600 * burst)
      for (second, rate) in [(0.0, 0.0), (1, 0.5), (2, 0.5), (3, 0)] {
        points.append(Intensity.Point(second: at + second, perSecond: rate))
      }
    }
    let key = StreamKey(seed: 3, replication: 0, name: "bursts")
    var lane = ServiceConfiguration(
      name: "bursts", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(keepAlive: .seconds(policy == nil ? 300 : 14_400), queueLimit: 1000),
      serviceTime: .lognormal(mean: 6, sigma: 0.1), initialInstances: [0]
    ) { [points] _ in
      KeyedRateSource(intensity: .profile(points), key: key, lane: 0, weights: [1])
    }
    lane.keepAlive = policy
    cluster.services = [lane]
    return cluster
  }

  /// Requests of one second have a bin of their own, which is not to hide the others.
  private static let policy: @Sendable () -> any KeepAlivePolicy = {
    var settings = HybridHistogram.Settings()
    settings.headPercentile = 60
    return HybridHistogram(settings)
  }

  @Test func bothFidelitiesAgree() throws {
    let end: Int64 = 600 * 600
    let policy = Self.policy
    let request = try counters(Self.bursts(.request, policy: policy), until: end)
    let flow = try counters(Self.bursts(.flow, policy: policy), until: end)
    let fixed = try counters(Self.bursts(.request, policy: nil), until: end)
    #expect(flow.arrivals == request.arrivals && request.arrivals > 400)
    let (a, b) = (Double(request.coldStarts), Double(flow.coldStarts))
    #expect(abs(a - b) < 0.2 * a, "\(a) cold starts as requests, \(b) at flow")
    #expect(
      abs(request.readySeconds - flow.readySeconds) < 0.05 * request.readySeconds,
      "\(request.readySeconds) ready seconds as requests, \(flow.readySeconds) at flow")
    // Under five minutes every first request is cold; here most find an instance.
    #expect(request.coldStarts + 150 < fixed.coldStarts)
  }

  /// A lane that changes sides takes along what its policy knows.
  @Test func theHistogramIsHandedOver() throws {
    let cluster = Self.bursts(.request, policy: Self.policy)
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    for half in 1...120 {
      try simulation.run(until: .seconds(900 * Int64(half)))
      simulation.handOver(lane: LaneID(0), to: half % 2 == 0 ? .request : .flow)
    }
    let before = simulation.lane(LaneID(0)).counters
    let fork = simulation.fork(recorder: Observer())
    for world in [simulation, fork] {
      try world.run(until: .seconds(900 * 240))
      world.finish()
      try world.checkInvariants()
    }
    let after = simulation.lane(LaneID(0)).counters
    #expect(after.coldStarts == fork.lane(LaneID(0)).counters.coldStarts)
    // As many as without changing sides: what the policy knew was not lost.
    let straight = try counters(cluster, until: 900 * 240)
    #expect(
      abs(Double(after.coldStarts) - Double(straight.coldStarts))
        < 0.1 * Double(straight.coldStarts) + 3)
    #expect(after.arrivals > before.arrivals)
  }
}
