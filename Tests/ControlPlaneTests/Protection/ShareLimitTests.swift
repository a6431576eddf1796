import ControlPlane
import Primitives
import Testing

/// Rates that are shares of a limit, and the rule for shedding where requests are many.
@Suite struct ShareLimitTests {
  private static func at(_ seconds: Double) -> Instant {
    Instant(nanoseconds: Int64((seconds * 1e9).rounded()))
  }

  /// Requests at equal gaps, twice as fast as the rate: of n as many pass as the bucket held and
  /// has got by then.
  @Test(arguments: [Int64(0), 9, 99]) func theBucketAndTheRatePass(burst: Int64) {
    var limit = RateLimit(QuotaAmount(perSecond: 100), burst: burst)
    var passed = 0
    for n in 1...4000 {
      if limit.admit(at: Self.at(Double(n - 1) * 0.005)).isAdmitted { passed += 1 }
      let most = Double(burst + 1) + 0.5 * Double(n - 1)
      #expect(passed == min(n, Int(most)), "request \(n)")
    }
  }

  /// A queue is served by the same rule as requests that come one by one and try again as soon as
  /// they may.
  @Test func aQueueIsServedAsItsRequestsWouldBe() {
    var bits = Xoshiro256PlusPlus(seed: 3)
    for _ in 0..<200 {
      let rate = 0.5 + 5000 * bits.uniform()
      let burst = Int64(bits.integer(below: 40))
      var whole = RateLimit(QuotaAmount(perSecond: rate), burst: burst)
      var single = whole
      var (now, behind) = (Instant.origin, 0)
      for _ in 0..<20 {
        let end = now + Nanoseconds(Int64(bits.integer(below: 300_000_000)))
        behind += Int(bits.integer(below: 300))
        let served = whole.serve(behind, from: now, to: end)
        var one = 0
        var time = now
        while one < behind, let opens = single.opens(at: time), opens <= end {
          time = opens
          #expect(single.admit(at: time).isAdmitted)
          one += 1
        }
        #expect(served == one)
        behind -= served
        now = end
      }
    }
  }

  /// Nothing passes at a rate of nothing, and what is granted then begins with an empty bucket.
  @Test func nothingIsNothing() {
    var limit = RateLimit(.zero, burst: 9)
    #expect(!limit.admit(at: .seconds(1)).isAdmitted)
    #expect(limit.opens(at: .seconds(1)) == nil && limit.room(at: .seconds(1)) == 0)
    limit.change(to: QuotaAmount(perSecond: 10), burst: 9, at: .seconds(1))
    #expect(limit.opens(at: .seconds(1)) == Self.at(1.1))
    #expect(limit.room(at: Self.at(1.5)) == 5)
    limit.change(to: .zero, burst: 9, at: .seconds(2))
    #expect(!limit.admit(at: .seconds(100)).isAdmitted)
  }

  /// The share that is lost in the long run, against requests that come one by one.
  @Test(arguments: [
    (0.8, 4), (0.95, 8), (1.0, 16), (1.05, 20), (1.5, 4), (3.0, 10), (1.0, 1), (0.99, 100),
  ])
  func lossesAreThoseOfTheLongRun(load: Double, size: Int) {
    var limit = RateLimit(QuotaAmount(perSecond: 1000), burst: Int64(size - 1))
    var bits = Xoshiro256PlusPlus(seed: 11)
    var (now, lost, count) = (0.0, 0, 400_000)
    for _ in 0..<count {
      now -= Elementary.log(bits.uniformOpen()) / (1000 * load)
      if !limit.admit(at: Self.at(now)).isAdmitted { lost += 1 }
    }
    count = max(1, count)
    let share = Double(lost) / Double(count)
    let law = limit.refusedShare(load: load)
    // Small buckets exactly, others to a hundredth of the requests.
    let tolerance = size <= RateLimit.smallBucket ? 0.003 : 0.01
    #expect(abs(share - law) < tolerance, "\(share), by the law \(law)")
  }

  // MARK: Shedding

  /// The rule for single requests, each in flight for one unit of time, comes to rest where the
  /// rule for rates says.
  @Test(arguments: [
    [0.6, 0.0, 0.8, 0.3], [0.2, 0.3, 0.1, 0.1], [1.4, 0.5, 0, 0.5], [0.3, 0.4, 0.4, 0.4],
  ])
  func sheddingComesToRest(load: [Double]) {
    let shares = [100, 90, 75, 50]
    let room = 2000
    let rule = PriorityShedding(shares: shares, inFlight: room, queue: 0)
    var offered = SIMD8<Double>(repeating: 0)
    for level in 0..<4 { offered[level] = load[level] * Double(room) }
    var bits = Xoshiro256PlusPlus(seed: 5)
    var ends: [Double] = []
    var first = 0
    var (now, total) = (0.0, load.reduce(0, +) * Double(room))
    var (admitted, seconds) = (SIMD8<Double>(repeating: 0), 30.0)
    while now < seconds {
      now -= Elementary.log(bits.uniformOpen()) / total
      while first < ends.count, ends[first] <= now { first += 1 }
      var draw = bits.uniform() * total
      var level = 0
      while level < 3, draw >= offered[level] {
        draw -= offered[level]
        level += 1
      }
      guard rule.admits(importance: level, inFlight: ends.count - first) else { continue }
      ends.append(now + 1)
      if now > 10 { admitted[level] += 1 }
    }
    seconds -= 10
    total = Double(room)
    let law = PriorityShedding.admitted(offered, shares: shares, room: Double(room))
    for level in 0..<4 {
      #expect(
        abs(admitted[level] / seconds - law[level]) < 0.03 * total,
        "importance \(level): \(admitted[level] / seconds), by the law \(law[level])")
    }
  }

  @Test func theLastShareIsForAllThatFollow() {
    let admitted = PriorityShedding.admitted(
      SIMD8(repeating: 10), shares: [100, 50], room: 60)
    // 10 of 60, then up to half of it together, and nothing more.
    #expect(admitted == SIMD8(10, 10, 10, 0, 0, 0, 0, 0))
  }
}
