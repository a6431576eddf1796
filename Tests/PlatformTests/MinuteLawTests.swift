import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// What is said of a minute's seconds of which only the sum is known, and lanes that rest over such
/// minutes.
@Suite struct MinuteLawTests {
  /// The beta-binomial law of one second's count: P(0), P(1) and so on up to the sum.
  private static func law(total: Int, shape: Double) -> [Double] {
    let (n, a, b) = (Double(total), shape, 59 * shape)
    func logBeta(_ x: Double, _ y: Double) -> Double {
      Elementary.logGamma(x) + Elementary.logGamma(y) - Elementary.logGamma(x + y)
    }
    return (0...total).map { count in
      let x = Double(count)
      let choices =
        Elementary.logGamma(n + 1) - Elementary.logGamma(x + 1) - Elementary.logGamma(n - x + 1)
      return Elementary.exp(choices + logBeta(x + a, n - x + b) - logBeta(a, b))
    }
  }

  @Test(arguments: [(60, 10.0), (1200, 10), (1200, 1), (6000, 100), (6000, 3), (600, 0.3)])
  func boundsHold(total: Int, shape: Double) {
    let law = MinuteLaw(total: total, shape: shape)
    let exact = Self.law(total: total, shape: shape)
    let mean = exact.indices.reduce(0) { $0 + Double($1) * exact[$1] }
    let square = exact.indices.reduce(0) {
      $0 + (Double($1) - mean) * (Double($1) - mean) * exact[$1]
    }
    #expect(abs(law.mean / mean - 1) < 1e-6)
    #expect(abs(law.variance / square - 1) < 1e-4)
    var above = 1.0
    var least: Int?
    for most in 0...total {
      above -= exact[most]
      guard law.keeps(below: most) else { continue }
      least = least ?? most
      #expect(60 * above < 1.3e-7, "\(above) above \(most)")
    }
    // And the bound says something: it begins where a second in a hundred million is beyond.
    if let least, least < total {
      let beyond = exact[(least + 1)...].reduce(0, +)
      #expect(beyond > 1e-14, "\(least) for a mean of \(mean)")
    }
    #expect(law.keeps(below: total))
  }

  /// Functions that rise as the share that waits does, on average.
  @Test(arguments: [(15_000, 10.0), (6000, 100), (60_000, 10), (6000, .infinity)])
  func averagesAreThoseOfTheLaw(total: Int, shape: Double) {
    let law = MinuteLaw(total: total, shape: shape)
    #expect(law.isSmooth)
    let exact = Self.law(total: min(total, 20_000), shape: shape.isFinite ? shape : 1e7)
    let scale = Double(total) / Double(exact.count - 1)
    for power in [1.0, 2, 5] {
      var (found, weights) = (0.0, 0.0)
      law.forEachCount {
        found += $1 * Elementary.pow($0 / law.mean, power)
        weights += $1
      }
      let wanted = exact.indices.reduce(0) {
        $1 == 0 ? $0 : $0 + exact[$1] * Elementary.pow(Double($1) * scale / law.mean, power)
      }
      #expect(abs(weights - 60) < 1e-9)
      #expect(abs(found / 60 / wanted - 1) < 0.01, "power \(power): \(found / 60) for \(wanted)")
    }
  }

  @Test func fewOrVeryDifferentCountsAreNotTakenForSmooth() {
    for (total, shape) in [(600, 10.0), (1200, 10), (60_000, 3), (300, .infinity)] {
      #expect(!MinuteLaw(total: total, shape: shape).isSmooth)
    }
  }

  // MARK: Lanes

  private static func cluster(
    _ fidelity: Fidelity, rate: Double, shape: Double?, seed: UInt64 = 5
  ) -> ClusterConfiguration {
    var cluster = FlowWorld.station(
      8, rate: rate, service: .exponential(mean: 0.004), seed: seed, fidelity: fidelity)
    cluster.seriesInterval = .seconds(60)
    cluster.longestFlowStep = .seconds(60)
    cluster.duration = .seconds(3600)
    let key = StreamKey(seed: seed, replication: 0, name: "by minute")
    let factors = shape.map(GammaFactorTable.init(shape:))
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: rate), factors: factors, key: key, lane: 0, weights: [1],
        byMinute: true)
    }
    return cluster
  }

  /// Waits over minutes that nobody divides are those of single requests with the same arrivals.
  @Test(arguments: [nil, 100, 20] as [Double?]) func calmMinutesAgreeWithRequests(
    shape: Double?
  ) throws {
    let requests = try FlowRestTests.waits(
      Self.cluster(.request, rate: 700, shape: shape), seconds: 1800)
    let rests = try FlowRestTests.waits(Self.cluster(.flow, rate: 700, shape: shape), seconds: 1800)
    #expect(rests.steps < 150, "\(rests.steps) steps")
    #expect(abs(rests.share / requests.share - 1) < 0.1, "\(rests.share) for \(requests.share)")
    #expect(abs(rests.mean / requests.mean - 1) < 0.12, "\(rests.mean) for \(requests.mean)")
  }

  /// Wherever a lane is looked at it has taken in every second's arrivals, and goes on from there.
  @Test func aMinuteThatIsLookedIntoIsDivided() throws {
    let cluster = Self.cluster(.flow, rate: 100, shape: 10)
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    let source = cluster.services[0].arrivals(0)
    var (expected, second) = (0, 0)
    for stop in [7, 61, 100, 119, 120, 180, 240, 271, 600, 1234] {
      try simulation.run(until: .seconds(Int64(stop)))
      simulation.closeRow()
      while second < stop {
        expected += source.count(second: second)
        second += 1
      }
      #expect(simulation.lane(LaneID(0)).counters.arrivals == UInt64(expected), "at \(stop) s")
    }
    #expect(simulation.lanes[0].executed < 90, "\(simulation.lanes[0].executed) steps")
    try simulation.checkInvariants()
  }

  /// A fork in the middle of a minute of which only the sum is known goes on as the run does.
  @Test func aForkInAMinuteGoesOn() throws {
    let simulation = ClusterSimulation(
      Self.cluster(.flow, rate: 100, shape: 10), recorder: Weighted())
    try simulation.run(until: Instant(nanoseconds: 90_500_000_000))
    let fork = simulation.fork(recorder: Weighted())
    try simulation.run(until: .seconds(600))
    try fork.run(until: .seconds(600))
    simulation.finish()
    fork.finish()
    #expect(simulation.digest == fork.digest)
    #expect(simulation.lane(LaneID(0)).counters == fork.lane(LaneID(0)).counters)
  }

  /// A start that a lane asks for when somebody waits comes as soon as in steps of a second.
  @Test func aStartComesWhenItIsDue() throws {
    func firstStarts(rest: Int64, byMinute: Bool) throws -> Double {
      let times = try (1...60).map { seed -> Double in
        var cluster = FlowWorld.station(
          2, rate: 450, service: .exponential(mean: 0.003), seed: UInt64(seed), fidelity: .flow)
        cluster.seriesInterval = .seconds(60)
        cluster.longestFlowStep = .seconds(rest)
        cluster.duration = .seconds(3600)
        cluster.services[0].router.concurrencyLimit = 5
        cluster.services[0].router.startRule = .onDemand
        cluster.services[0].router.maximumInstances = 3
        let key = StreamKey(seed: UInt64(seed), replication: 0, name: "starts")
        cluster.services[0].arrivals = { _ in
          KeyedRateSource(
            intensity: .constant(perSecond: 450), key: key, lane: 0, weights: [1],
            byMinute: byMinute)
        }
        let simulation = ClusterSimulation(cluster, recorder: Weighted())
        for minute in 1...60 {
          try simulation.run(until: .seconds(Int64(minute) * 60))
          if simulation.lane(LaneID(0)).counters.startsAsked > 0 { return Double(minute) }
        }
        return 61
      }
      return times.reduce(0, +) / 60
    }
    let (rests, seconds) = try (
      firstStarts(rest: 60, byMinute: true), firstStarts(rest: 1, byMinute: false)
    )
    #expect(seconds > 3 && seconds < 50, "\(seconds) minutes")
    // Exponential times: the mean of 60 has a standard error of an eighth.
    #expect(abs(rests / seconds - 1) < 0.5, "\(rests) minutes for \(seconds)")
  }
}
