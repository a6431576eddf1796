import ControlPlane
import Policies
import Primitives
import Testing

/// Adaptive limits in a closed loop: a service that bears so many requests at its own latency, and
/// beyond them gets slower in proportion, as processor sharing does.
@Suite struct AdaptiveLimitTests {
  private let bears = 60

  /// Runs rounds of as many requests as the limit lets in; the mean limit of the second half.
  private func meanLimit(
    _ limit: inout some AdaptiveLimit, rounds: Int, drops: Bool = false
  ) -> Double {
    var now = Instant.origin
    var sum = 0.0
    for round in 0..<rounds {
      let inFlight = limit.limit
      let milliseconds = 10 * max(1, Double(inFlight) / Double(bears))
      let roundTrip = Nanoseconds(seconds: milliseconds / 1000)
      now += roundTrip
      for _ in 0..<inFlight {
        limit.observe(
          LimitSample(
            roundTrip: roundTrip, inFlight: inFlight, isDropped: drops && inFlight > bears),
          at: now)
        // Else a limit that grows with each answer doubles in a round.
        if drops { break }
      }
      if round >= rounds / 2 { sum += Double(limit.limit) }
    }
    return sum / Double(rounds - rounds / 2)
  }

  @Test func envoysGradientStaysNearWhatTheServiceBears() {
    var limit = EnvoyGradientLimit(
      stream: StreamKey(seed: 2, replication: 0, name: "limit").stream(0), at: .origin)
    #expect(limit.isMeasuring && limit.limit == 3)
    let mean = meanLimit(&limit, rounds: 20_000)
    #expect(limit.minRoundTrip == .milliseconds(10))
    // Fixed point of L = L·g + √(L·g) with g = 1.25 × 60 / L: 75 + √75.
    let fixed = 75 + Double(75).squareRoot()
    #expect(abs(mean / fixed - 1) < 0.03, "\(mean) and \(fixed)")
  }

  @Test func envoysGradientMeasuresAnewFromTimeToTime() {
    var rules = EnvoyGradientLimit.Rules()
    rules.minInterval = .seconds(5)
    var limit = EnvoyGradientLimit(
      rules, stream: StreamKey(seed: 2, replication: 0, name: "limit").stream(0), at: .origin)
    var begun: [Instant] = []
    var wasMeasuring = true
    var now = Instant.origin
    while now < .seconds(100) {
      now += .milliseconds(10)
      let inFlight = limit.limit
      let before = limit.limit
      for _ in 0..<inFlight {
        limit.observe(LimitSample(roundTrip: .milliseconds(10), inFlight: inFlight), at: now)
      }
      if limit.isMeasuring {
        if !wasMeasuring { begun.append(now) }
        #expect(limit.limit == rules.least)
      } else if wasMeasuring, !begun.isEmpty {
        #expect(limit.limit > before, "what was before comes back")
      }
      wasMeasuring = limit.isMeasuring
    }
    let gaps = zip(begun, begun.dropFirst()).map { ($1 - $0).seconds }
    // The interval, up to 15 % more, and the 17 rounds that a measurement takes.
    #expect(gaps.count >= 14 && gaps.allSatisfy { 5...6.2 ~= $0 }, "\(gaps)")
    #expect(Set(gaps).count > 5, "they are spread")
  }

  @Test func aForkOfEnvoysGradientGoesOnInTheSameWay() {
    var limit = EnvoyGradientLimit(
      stream: StreamKey(seed: 3, replication: 0, name: "limit").stream(0), at: .origin)
    _ = meanLimit(&limit, rounds: 777)
    var fork = limit.clone()
    let first = meanLimit(&limit, rounds: 9000)
    let second = meanLimit(&fork, rounds: 9000)
    #expect(first == second && limit.limit == fork.limit)
  }

  @Test func gradient2ForgivesUpToItsTolerance() {
    var limit = Gradient2Limit()
    // Its long mean follows the short one, so that in this service it ends at its most.
    #expect(meanLimit(&limit, rounds: 5000) > 1.4 * Double(bears))
  }

  /// Round trips that scatter, without a queue: single ones shrink the limit, and their means of a
  /// second do not.
  @Test func aWindowSmoothsWhatSingleOnesTake() {
    var bits = StreamKey(seed: 5, replication: 0, name: "scatter").stream(0)
    var (single, windowed) = (Gradient2Limit(), WindowedLimit(Gradient2Limit(), at: .origin))
    var (least, leastOfWindows) = (Int.max, Int.max)
    for step in 1...20_000 {
      let now = Instant.origin + .milliseconds(Int64(step))
      let time = 0.1 * Elementary.exp(1.3 * Elementary.normalQuantile(bits.uniformOpen()))
      let sample = LimitSample(roundTrip: Nanoseconds(seconds: time), inFlight: 150)
      single.observe(sample, at: now)
      windowed.observe(sample, at: now)
      guard step > 15_000 else { continue }
      least = min(least, single.limit)
      leastOfWindows = min(leastOfWindows, windowed.limit)
    }
    #expect(least < 100 && leastOfWindows > 0)
    #expect(leastOfWindows > least, "\(least), \(leastOfWindows)")
  }

  /// A window ends a second after the one before and counts with more than ten samples.
  @Test func aWindowOfFewSamplesIsLeftOut() {
    var limit = WindowedLimit(AIMDLimit(initial: 20, least: 1), at: .origin)
    func observe(_ milliseconds: Int64, drops: Bool = false) {
      limit.observe(
        LimitSample(roundTrip: .milliseconds(10), inFlight: 20, isDropped: drops),
        at: .origin + .milliseconds(milliseconds))
    }
    // The first ends what there is, which is one sample.
    observe(1)
    #expect(limit.limit == 20)
    for index in 0..<10 { observe(2 + Int64(index)) }
    observe(1_002)
    #expect(limit.limit == 21)
    for index in 0..<9 { observe(1_003 + Int64(index), drops: true) }
    observe(2_003)
    #expect(limit.limit == 21)
    for index in 0..<10 { observe(2_004 + Int64(index), drops: index == 3) }
    observe(3_004)
    #expect(limit.limit == 18)
  }

  @Test func aimdSawsBelowWhatIsDropped() {
    var limit = AIMDLimit()
    let mean = meanLimit(&limit, rounds: 5000, drops: true)
    // Between nine tenths of 61 and 61.
    #expect(mean > 0.9 * 60 && mean < 61, "\(mean)")
    for _ in 0..<100 {
      limit.observe(LimitSample(roundTrip: .seconds(6), inFlight: 50), at: .origin)
    }
    #expect(limit.limit == 20, "slower than the time-out is a drop")
  }
}
