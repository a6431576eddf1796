import Primitives
import SimulationKernel
import Testing

@testable import Workload

/// Minutes that are drawn before their seconds have the law of seconds that are drawn one by one.
@Suite struct MinuteDrawTests {
  private static let table = GammaFactorTable(shape: 3)

  private static func source(
    byMinute: Bool, rate: Double = 24, factors: GammaFactorTable? = table, lane: Int = 0,
    weights: [Double] = [1, 1, 2], intensity: Intensity? = nil, name: String = "minutes"
  ) -> KeyedRateSource {
    KeyedRateSource(
      intensity: intensity ?? .constant(perSecond: rate), factors: factors,
      key: StreamKey(seed: 11, replication: 0, name: name), lane: lane, weights: weights,
      byMinute: byMinute)
  }

  /// Counts of lane and second, `[lane][second]`.
  private static func counts(_ source: KeyedRateSource, minute: Int, lanes: Int) -> [[Int]] {
    let drawn = UnsafeMutablePointer<UInt32>.allocate(capacity: lanes * 60)
    defer { drawn.deallocate() }
    source.countAllLanes(from: minute * 60, seconds: 60, lanes: lanes, into: drawn)
    return (0..<lanes).map { lane in (0..<60).map { Int(drawn[lane * 60 + $0]) } }
  }

  /// The sums of lanes are those of their seconds, and those of lanes the service's; whoever asks
  /// for something alone gets the same.
  @Test(arguments: [0.2, 24, 90_000]) func everythingAddsUp(rate: Double) {
    let lanes = (0..<3).map { Self.source(byMinute: true, rate: rate, lane: $0) }
    let totals = UnsafeMutablePointer<UInt32>.allocate(capacity: 3)
    let some = UnsafeMutablePointer<UInt32>.allocate(capacity: 90)
    defer {
      totals.deallocate()
      some.deallocate()
    }
    for minute in [0, 7, 1439] {
      let counts = Self.counts(lanes[1], minute: minute, lanes: 3)
      lanes[2].countMinute(minute, lanes: 3, into: totals)
      #expect((0..<3).map { Int(totals[$0]) } == counts.map { $0.reduce(0, +) })
      for second in [0, 1, 30, 59] {
        #expect(
          lanes[0].serviceCount(second: minute * 60 + second)
            == counts.reduce(0) { $0 + $1[second] })
        for lane in 0..<3 {
          #expect(lanes[lane].count(second: minute * 60 + second) == counts[lane][second])
        }
      }
      lanes[2].count(from: minute * 60 - 30, seconds: 90, into: some)
      #expect((30..<90).map { Int(some[$0]) } == counts[2])
    }
  }

  /// Mean and variance of seconds and of minutes, and what seconds, and lanes, have in common: with
  /// λ the rate and v the variance of factors a second of the service has variance λ + λ² v, a
  /// minute 60 times that, and what two lanes of weights a and b have in a second a b λ² v.
  @Test(arguments: [false, true]) func momentsAreThoseOfTheLaw(byMinute: Bool) {
    let (rate, v, minutes) = (24.0, Self.table.variance, 3000)
    let source = Self.source(byMinute: byMinute)
    let weights = [0.25, 0.25, 0.5]
    var (minute, minuteSquare, second, secondSquare, next, lanes) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for number in 0..<minutes {
      let counts = Self.counts(source, minute: number, lanes: 3)
      let sums = (0..<60).map { at in Double(counts.reduce(0) { $0 + $1[at] }) - rate }
      let total = sums.reduce(0, +)
      minute += total
      minuteSquare += total * total
      for at in 0..<60 {
        second += sums[at]
        secondSquare += sums[at] * sums[at]
        if at > 0 { next += sums[at] * sums[at - 1] }
        lanes +=
          (Double(counts[0][at]) - weights[0] * rate) * (Double(counts[2][at]) - weights[2] * rate)
      }
    }
    let (all, each) = (Double(minutes), Double(minutes * 60))
    let variance = rate + rate * rate * v
    // Four standard errors; a square's own variance is some two to four times its mean's square.
    #expect(abs(second / each) < 4 * (variance / each).squareRoot())
    #expect(abs(secondSquare / each / variance - 1) < 4 * (4 / each).squareRoot())
    #expect(abs(minute / all) < 4 * (60 * variance / all).squareRoot())
    #expect(abs(minuteSquare / all / (60 * variance) - 1) < 4 * (2.2 / all).squareRoot())
    #expect(abs(next / (all * 59)) < 4 * variance / (all * 59).squareRoot())
    let common = weights[0] * weights[2] * rate * rate * v
    #expect(abs(lanes / each / common - 1) < 0.05, "\(lanes / each) for \(common)")
  }

  /// How many seconds have how many arrivals: both ways alike, also where the normal number stands
  /// for a minute's count and the exact law for its seconds'.
  @Test(arguments: [0.3, 4, 60]) func secondsHaveTheSameLaw(rate: Double) {
    var found = [[Double]](repeating: [Double](repeating: 0, count: 24), count: 2)
    let minutes = 1500
    for (way, byMinute) in [false, true].enumerated() {
      let source = Self.source(
        byMinute: byMinute, rate: rate, name: byMinute ? "by minute" : "by second")
      for number in 0..<minutes {
        for lane in Self.counts(source, minute: number, lanes: 3) {
          for count in lane {
            // Bins of a sixth of the mean, or single counts.
            found[way][min(23, rate < 12 ? count : count * 6 / Int(rate))] += 1
          }
        }
      }
    }
    var (chi, freedom) = (0.0, 0.0)
    for bin in 0..<24 where found[0][bin] + found[1][bin] > 40 {
      let (a, b) = (found[0][bin], found[1][bin])
      chi += (a - b) * (a - b) / (a + b)
      freedom += 1
    }
    // Lanes of one second share its factor, so that counts are worth less than their number.
    #expect(chi < 2 * (freedom + 4 * (2 * freedom).squareRoot()), "\(chi) of \(freedom)")
  }

  /// Where the rate changes within a minute its seconds know.
  @Test func aBurstBeginsWithinItsMinute() {
    let intensity = Intensity.modulated(
      .constant(perSecond: 500),
      RateModulation([RateModulation.Window(from: 90, to: 150, factor: 4)]))
    let source = Self.source(byMinute: true, factors: nil, weights: [1], intensity: intensity)
    var sums = [0.0, 0, 0, 0]
    for second in 60..<180 {
      sums[(second - 60) / 30] += Double(source.count(second: second)) / 30
    }
    for (quarter, mean) in zip(sums, [500.0, 2000, 2000, 500]) {
      #expect(abs(quarter - mean) < 4 * (mean / 30).squareRoot())
    }
  }

  /// What is taken for straight is.
  @Test func minutesOfRatesAreThoseOfTheirSeconds() {
    let daily = Intensity.daily(.online, peakPerSecond: 100)
    let windows = [RateModulation.Window(from: 3630, to: 3700, factor: 3)]
    let all: [Intensity] = [
      .constant(perSecond: 3), daily, .minutes([1, 2, 3]), .ahead(daily, seconds: 3600),
      .ahead(daily, seconds: 3617), .daywise(daily, factors: [1, 2]),
      .modulated(daily, RateModulation(windows, base: 0.5)),
      .modulated(daily, RateModulation(windows, decaySeconds: 30)),
      .profile([.init(second: 10, perSecond: 1), .init(second: 3630, perSecond: 9)]),
      .burst(daily, factor: 3, from: 3650, to: 3680, rampSeconds: 20),
    ]
    let means = UnsafeMutablePointer<Double>.allocate(capacity: 60)
    defer { means.deallocate() }
    for (number, intensity) in all.enumerated() {
      for minute in [0, 1, 2, 59, 60, 61, 62, 100, 1439, 1440] {
        intensity.ofMinute(minute, into: means)
        for second in 0..<60 {
          let exact = intensity.perSecond(minute * 60 + second)
          #expect(
            abs(means[second] - exact) <= 1e-9 * max(1, exact),
            "intensity \(number), minute \(minute), second \(second)")
        }
      }
    }
  }

  /// What others bring about follows the seconds of what they follow, whatever zones that has.
  @Test func whatFollowsKnowsTheSecondsOfItsCause() {
    let cause = Self.source(byMinute: true, weights: [1])
    let zones = (0..<3).map { Self.source(byMinute: true, lane: $0) }
    let chained = KeyedRateSource(
      following: cause, factor: 2, delaySeconds: 17,
      key: StreamKey(seed: 2, replication: 0, name: "chained"), lane: 0, weights: [1])
    for second in [0, 16, 17, 18, 59, 60, 61, 200, 777] {
      let causes =
        second < 17 ? 0 : zones.reduce(0) { $0 + $1.count(second: second - 17) }
      #expect(chained.count(second: second) == 2 * causes, "second \(second)")
    }
    #expect(
      Self.counts(chained, minute: 3, lanes: 1)[0]
        == (180..<240).map { chained.count(second: $0) })
  }
}
