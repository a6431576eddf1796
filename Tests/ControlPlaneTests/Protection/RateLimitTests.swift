import ControlPlane
import Primitives
import Testing

/// Limits on rates, requests under way, and retries.
@Suite struct RateLimitTests {
  // MARK: GCRA

  /// The leaky bucket in whole numbers: nanoseconds × rate, of which a request takes one period.
  private struct Bucket {
    var rate: Int64
    var burst: Int64
    var level: Int64 = 0
    var last: Int64 = 0

    mutating func admit(_ count: Int64, at now: Int64) -> Bool {
      level = max(0, level - (now - last) * rate)
      last = now
      guard level + count * 1_000_000_000 <= (burst + 1) * 1_000_000_000 else { return false }
      level += count * 1_000_000_000
      return true
    }
  }

  @Test(arguments: [Int64(1), 3, 7, 1000, 999_983])
  func agreesWithABucketThatLeaks(rate: Int64) {
    var bits = Xoshiro256PlusPlus(seed: UInt64(rate))
    for burst in [Int64(0), 1, 5, 100] {
      var limit = GCRA(rate: rate, burst: burst)
      var bucket = Bucket(rate: rate, burst: burst)
      var now: Int64 = 0
      var refusals = 0
      for _ in 0..<3000 {
        // A few times faster than the rate, in bursts.
        if bits.integer(below: 4) > 0 {
          now += Int64(bits.integer(below: UInt64(1_200_000_000 / rate + 1)))
        }
        let count = bits.integer(below: 8) == 0 ? Int64(bits.integer(below: 4)) : 1
        let instant = Instant(nanoseconds: now)
        let before = limit
        let decision = limit.admit(count, at: instant)
        let expected = bucket.admit(count, at: now)
        #expect(decision.isAdmitted == expected)
        if case .refused(let wait) = decision {
          refusals += 1
          #expect(limit == before, "a refusal changes nothing")
          guard let wait else {
            #expect(count > burst + 1)
            continue
          }
          // After the wait it passes, and not a nanosecond before.
          var later = limit
          #expect(!later.admit(count, at: instant + wait - Nanoseconds(1)).isAdmitted)
          #expect(later.admit(count, at: instant + wait).isAdmitted)
        }
      }
      #expect(refusals > 100)
    }
  }

  /// Any window passes at most burst + 1 + rate × length, and a source that never stops gets all of
  /// that in the end.
  @Test func noWindowPassesMoreAndNoneIsLost() {
    var limit = GCRA(rate: 3, burst: 2)
    var passed: [Int64] = []
    for millisecond in Int64(0)..<100_000
    where limit.admit(at: .milliseconds(millisecond)).isAdmitted {
      passed.append(millisecond)
    }
    // 3 at once, then one in each third of a second, exactly.
    #expect(passed.count == 3 + 299)
    for (index, first) in passed.enumerated() {
      for last in index..<min(index + 20, passed.count) {
        let length = Double(passed[last] - first) / 1000
        #expect(Double(last - index + 1) <= 3 + 3 * length + 1e-9)
      }
    }
  }

  @Test func anotherRateKeepsWhatWasUsed() {
    var limit = GCRA(rate: 10, burst: 9)
    for _ in 0..<8 { _ = limit.admit(at: .origin) }
    limit.change(rate: 100, burst: 19, at: .origin)
    #expect(limit.remaining(at: .origin) == 12, "8 of 20 are used")
    limit.change(rate: 1, burst: 4, at: .origin)
    #expect(limit.tokens(at: .origin) == -3)
    #expect(limit.admit(at: .origin) == .refused(retryAfter: .seconds(4)))
    #expect(limit.fullAfter(at: .origin) == .seconds(8))
    var fork = limit.clone()
    #expect(fork.admit(at: .seconds(4)) == limit.admit(at: .seconds(4)))
  }

  // MARK: What is under way

  @Test func concurrencyHoldsWhateverTheLimitBecomes() {
    var limit = ConcurrencyLimit(2)
    let begun = (0..<3).map { _ in limit.begin() }
    #expect(begun == [true, true, false])
    limit.change(to: 1)
    limit.end()
    #expect(!limit.hasRoom && limit.inFlight == 1)
    limit.end()
    #expect(limit.hasRoom)
    limit.change(to: -4)
    let again = limit.begin()
    #expect(!again && limit.limit == 0)
  }

  @Test func theLessImportantAreRefusedFirst() {
    let shedding = PriorityShedding(inFlight: 1000, queue: 10)
    for importance in 0..<5 {
      let share = PriorityShedding.defaultShares[min(importance, 3)]
      #expect(shedding.admits(importance: importance, inFlight: share * 10 - 1))
      #expect(!shedding.admits(importance: importance, inFlight: share * 10))
      #expect(shedding.admitsToQueue(importance: importance, waiting: share / 10 - 1))
      #expect(!shedding.admitsToQueue(importance: importance, waiting: share / 10))
    }
    // Under any load who is more important is let in wherever others are.
    for load in 0..<1100 {
      for importance in 0..<3
      where shedding.admits(importance: importance + 1, inFlight: load) {
        #expect(shedding.admits(importance: importance, inFlight: load))
      }
    }
  }

  // MARK: Retries

  @Test func retriesUnderWayAreAShareOfAll() {
    var budget = ActiveRetryBudget()
    let few = (0..<4).map { _ in budget.begin(underWay: 5) }
    #expect(few == [true, true, true, false], "three in any case")
    let more = (0..<3).map { _ in budget.begin(underWay: 25) }
    #expect(more == [true, true, false], "a fifth of 25")
    budget.end()
    #expect(budget.active == 4 && budget.most(underWay: 104) == 20)
  }

  /// Under an outage, where everything fails and is tried again for ever, retries are at most the
  /// share of requests and the least rate.
  @Test func retriesOverTimeAreAShareAndAFew() {
    for (requests, leastPerSecond) in [(1000, 10), (0, 10), (100, 0)] {
      var budget = WindowRetryBudget(leastPerSecond: leastPerSecond, at: .origin)
      var retries = 0
      for second in Int64(0)..<100 {
        for part in 0..<max(1, requests) {
          let now = Instant.seconds(second) + Nanoseconds(Int64(part) * 1_000_000)
          if requests > 0 { budget.deposit(at: now) }
          while budget.withdraw(at: now) { retries += 1 }
          #expect(budget.balance(at: now) == 0)
        }
      }
      // A window's worth of the reserve at once, and again for each window.
      let share = 100 * requests / 5
      let few = leastPerSecond * 10 * 10
      #expect((share + few - 10 * leastPerSecond...share + few).contains(retries), "\(retries)")
    }
  }

  @Test func oldCreditsAreGone() {
    // Five a second, and no more for requests: fifty in ten seconds.
    var least = WindowRetryBudget(share: 0, leastPerSecond: 5, at: .origin)
    least.deposit(1000, at: .origin)
    #expect(least.withdraw(upTo: 60, at: .origin) == 50 && !least.withdraw(at: .seconds(1)))
    var budget = WindowRetryBudget(leastPerSecond: 0, at: .origin)
    for _ in 0..<50 { budget.deposit(at: .origin) }
    #expect(budget.balance(at: .seconds(8)) == 10)
    #expect(budget.balance(at: .seconds(10)) == 0)
    budget.deposit(at: .seconds(1000))
    #expect(budget.balance(at: .seconds(1000)) == 0, "a fifth of one")
  }

  @Test func backOffIsUniformUpToABoundThatDoubles() {
    let backoff = Backoff(first: .milliseconds(25), most: .milliseconds(250))
    #expect(
      (0..<6).map { backoff.bound(attempt: $0).count / 1_000_000 } == [25, 50, 100, 200, 250, 250])
    #expect(backoff.bound(attempt: 500) == .milliseconds(250))
    #expect(Backoff(first: Nanoseconds(3), most: .longest).bound(attempt: 61) == .longest)
    let key = StreamKey(seed: 1, replication: 0, name: "retry")
    for attempt in 0..<5 {
      let bound = backoff.bound(attempt: attempt)
      var sum = 0.0
      let count = 4000
      for retry in 0..<count {
        var stream = key.appending(UInt64(attempt)).stream(UInt64(retry))
        let delay = backoff.delay(attempt: attempt, from: &stream)
        #expect(delay >= .zero && delay <= bound)
        sum += delay.seconds / bound.seconds
      }
      // Four standard errors of the mean of uniform numbers.
      let error = 4 * (1.0 / 12 / Double(count)).squareRoot()
      #expect(abs(sum / Double(count) - 0.5) < error)
    }
  }

  // MARK: Pushing back

  @Test func refusalsHalveTheWindowOnceInARoundTrip() {
    var window = BackpressureWindow()
    #expect(window.window == 32)
    for answer in 0..<32 {
      window.observe(.refused(retryAfter: nil), inFlight: 32 - answer, at: .milliseconds(1))
    }
    #expect(window.window == 16, "one overload is one decrease")
    window.observe(.failed, inFlight: 9, at: .milliseconds(101))
    #expect(window.window == 8)
    for round in 0..<20 {
      window.observe(.failed, inFlight: 1, at: .milliseconds(300 + Int64(round) * 100))
    }
    #expect(window.window == 1, "never none, or nothing would tell that it is over")
    #expect(window.maySend(inFlight: 0, at: .seconds(10)))
  }

  @Test func itRecoversByOneForEachWindowOfAnswers() {
    var rules = BackpressureWindow.Rules()
    rules.latencyTarget = .milliseconds(200)
    var window = BackpressureWindow(rules)
    window.observe(.done(latency: .milliseconds(201)), inFlight: 32, at: .seconds(1))
    #expect(window.window == 16)
    var answers = 0
    while window.window < 32 {
      window.observe(.done(latency: .milliseconds(200)), inFlight: 16, at: .seconds(2))
      answers += 1
    }
    // 16 + 17 + … + 31; the window grows within the round too.
    #expect((376 - 16...376 + 16).contains(answers), "\(answers)")
    let full = window
    window.observe(.done(latency: .zero), inFlight: 32, at: .seconds(3))
    #expect(window == full)
    window.observe(.failed, inFlight: 3, at: .seconds(4))
    let half = window
    for _ in 0..<100 { window.observe(.done(latency: .zero), inFlight: 7, at: .seconds(5)) }
    #expect(window == half, "what is not used does not grow")
  }

  @Test func aTimeToComeAgainIsObeyed() {
    var window = BackpressureWindow()
    window.observe(.refused(retryAfter: .seconds(3)), inFlight: 1, at: .seconds(1))
    window.observe(.refused(retryAfter: .seconds(1)), inFlight: 1, at: .seconds(2))
    #expect(!window.maySend(inFlight: 0, at: .milliseconds(3999)))
    #expect(window.maySend(inFlight: 0, at: .seconds(4)))
    #expect(!window.maySend(inFlight: 16, at: .seconds(4)))
  }

  /// Two consumers of one service that bears 20 at once come to equal windows, whatever they began
  /// with (Chiu and Jain).
  @Test func twoConsumersConvergeToEqualShares() {
    var rules = BackpressureWindow.Rules()
    rules.most = 100
    rules.holdoff = Nanoseconds(1)
    var small = BackpressureWindow(rules)
    var large = BackpressureWindow(rules)
    for round in 0..<6 {
      small.observe(.failed, inFlight: 1, at: .milliseconds(Int64(round)))
    }
    var sums = (small: 0, large: 0)
    for round in Int64(0)..<2000 {
      let now = Instant.milliseconds(100 + round)
      let isOver = small.window + large.window > 20
      let answer: BackpressureWindow.Answer = isOver ? .failed : .done(latency: .zero)
      for _ in 0..<(isOver ? 1 : small.window) { small.observe(answer, inFlight: 99, at: now) }
      for _ in 0..<(isOver ? 1 : large.window) { large.observe(answer, inFlight: 99, at: now) }
      if round >= 200 { sums = (sums.small + small.window, sums.large + large.window) }
    }
    #expect(abs(Double(sums.small) / Double(sums.large) - 1) < 0.05, "\(sums)")
    #expect(Double(sums.small + sums.large) / 1800 > 12, "and use most of it")
  }
}
