import ControlPlane
import Policies
import Primitives
import Testing

/// Which pools are asked for their sizes, and when.
@Suite struct PoolSizerTests {
  private static func plan(_ rule: any PoolSizing, peak: Int = 0) -> PoolPlan {
    PoolPlan(rule: rule, readyAtPeak: peak, alarmShare: 0.25)
  }

  private func targets(_ sizer: inout PoolSizer, at now: Instant) -> [Int: Int] {
    Dictionary(uniqueKeysWithValues: sizer.decide(at: now).map { ($0.pool.index, $0.target) })
  }

  @Test func onlyPoolsWithNewsAreAsked() {
    let follow = Self.plan(FollowingPool(.percent(10)))
    var sizer = PoolSizer(plans: [follow, nil, follow, follow], tick: .seconds(10))
    #expect(sizer.nextDue == .distantFuture)
    for pool in 0..<4 { sizer.begin(PoolID(pool), at: .seconds(1)) }
    #expect(sizer.nextDue == .seconds(11))
    // Nobody has said how many pods are ready, so that sizes stay.
    #expect(targets(&sizer, at: .seconds(11)).isEmpty)
    #expect(sizer.nextDue == .distantFuture)
    sizer.heard(PoolID(2), ready: 40, at: .seconds(20))
    sizer.heard(PoolID(0), ready: 100, at: .seconds(22))
    sizer.heard(PoolID(0), ready: 120, at: .seconds(23))
    #expect(sizer.nextDue == .seconds(30))
    #expect(targets(&sizer, at: .seconds(29)).isEmpty)
    #expect(targets(&sizer, at: .seconds(30)) == [0: 12, 2: 4])
    // What is heard twice is no news.
    sizer.heard(PoolID(0), ready: 120, at: .seconds(40))
    #expect(sizer.nextDue == .distantFuture)
    sizer.end(PoolID(0))
    sizer.heard(PoolID(0), ready: 500, at: .seconds(50))
    #expect(!sizer.isSizing(PoolID(0)) && sizer.nextDue == .distantFuture)
  }

  /// A new owner waits again for what its predecessor knew.
  @Test func aNewOwnerKnowsNothing() {
    var sizer = PoolSizer(plans: [Self.plan(FollowingPool(.percent(10)))], tick: .seconds(10))
    sizer.begin(PoolID(0), at: .origin)
    sizer.heard(PoolID(0), ready: 100, at: .seconds(1))
    #expect(targets(&sizer, at: .seconds(10)) == [0: 10])
    sizer.end(PoolID(0))
    sizer.begin(PoolID(0), at: .seconds(100))
    #expect(targets(&sizer, at: .seconds(110)).isEmpty)
    sizer.heard(PoolID(0), ready: 200, at: .seconds(111))
    #expect(targets(&sizer, at: .seconds(121)) == [0: 20])
  }

  /// By the hour: between two hours nothing is asked, however long it is.
  @Test func hoursAreAskedWhenTheyBegin() {
    let shares = (0..<24).map { PoolShare.percent($0 < 8 ? 1 : 5) }
    // The owner's clock showed a thousand seconds at midnight.
    let rule = HourlyPool(shares, originOfDay: .zero - .seconds(1000))
    var sizer = PoolSizer(plans: [Self.plan(rule, peak: 1000)], tick: .seconds(10))
    sizer.begin(PoolID(0), at: .seconds(1000))
    var asked: [(at: Int64, target: Int)] = []
    while sizer.nextDue < .seconds(1000 + 86_400) {
      let due = sizer.nextDue
      for (_, target) in sizer.decide(at: due) {
        asked.append((due.nanoseconds / 1_000_000_000 - 1000, target))
      }
    }
    #expect(asked.map(\.at) == [10] + (1..<24).map { $0 * 3600 })
    #expect(asked.map(\.target) == [10] + (1..<24).map { $0 < 8 ? 10 : 50 })
  }

  /// Takes and refills reach the rule: 0.5 takes a second and refills of 20 s are a load of 10.
  @Test func demandIsMeasured() {
    var settings = BaseStockPool.Settings(rule: .lost, missShare: 0.01)
    settings.window = .seconds(100)
    settings.beginning = 3
    var sizer = PoolSizer(plans: [Self.plan(BaseStockPool(settings))], tick: .seconds(10))
    sizer.begin(PoolID(0), at: .origin)
    var last: [Int] = []
    for take in 0..<120 {
      let now = Instant.seconds(2 * Int64(take))
      sizer.took(PoolID(0), at: now)
      sizer.refilled(PoolID(0), orderedAt: now, at: now + .seconds(20))
      last += sizer.decide(at: now).map(\.target)
    }
    // One take more than 50 in 100 s, and refills that are all alike.
    let expected = StockLaw.stock(
      for: .init(load: 10.2, shape: 51), rule: .lost, missShare: 0.01, most: 1000)
    #expect(last.first == 3 && last.last == expected)
    // A copy goes on by itself.
    var copy = sizer.clone()
    for take in 0..<200 { copy.took(PoolID(0), at: .seconds(240 + Int64(take))) }
    let grown = copy.decide(at: .seconds(450)).map(\.target)
    #expect(grown.last ?? 0 > expected)
    #expect(sizer.decide(at: .seconds(280)).isEmpty)
  }

  // MARK: Cost

  /// Says when it was asked, and by when it wants to be asked again.
  private struct CountingRule: PoolSizing {
    final class Log: @unchecked Sendable {
      var asked: [(pool: Int, at: Instant)] = []
    }

    var pool: Int
    var log: Log
    /// Nil: only news change anything.
    var period: Nanoseconds?
    var needsReadyPods: Bool { period == nil }

    func target(readyNow: Int, readyAtPeak: Int, at now: Instant) -> Int {
      log.asked.append((pool, now))
      return readyNow
    }
    func unchangedUntil(at now: Instant) -> Instant { period.map { now + $0 } ?? .distantFuture }
    func clone() -> Self { self }
  }

  /// Of 20,000 pools those are asked of which ten have news, and no others.
  @Test func aTickCostsThePoolsThatChanged() {
    let log = CountingRule.Log()
    var sizer = PoolSizer(
      plans: (0..<20_000).map { Self.plan(CountingRule(pool: $0, log: log)) }, tick: .seconds(10))
    for pool in 0..<20_000 {
      sizer.begin(PoolID(pool), at: .origin)
      sizer.heard(PoolID(pool), ready: 1, at: .origin)
    }
    #expect(sizer.decide(at: .seconds(10)).count == 20_000)
    for tick in Int64(2)...50 {
      log.asked = []
      let changed = (0..<10).map { (Int(tick) * 977 + $0 * 1999) % 20_000 }
      for pool in changed {
        sizer.heard(PoolID(pool), ready: Int(tick), at: .seconds(10 * tick - 5))
      }
      #expect(sizer.decide(at: .seconds(10 * tick + 5)).count == 10)
      #expect(log.asked.map(\.pool) == changed.sorted())
    }
  }

  /// Pools with times of their own are each asked when they are due, in the order of time.
  @Test func everyPoolIsAskedInItsTime() {
    let log = CountingRule.Log()
    var bits = Xoshiro256PlusPlus(seed: 6)
    let periods = (0..<500).map { _ in Nanoseconds(Int64(20e9 + 900e9 * bits.uniform())) }
    var sizer = PoolSizer(
      plans: periods.indices.map {
        Self.plan(CountingRule(pool: $0, log: log, period: periods[$0]))
      }, tick: .seconds(10))
    for pool in periods.indices { sizer.begin(PoolID(pool), at: .origin) }
    while sizer.nextDue < .seconds(5000) { _ = sizer.decide(at: sizer.nextDue) }
    #expect(zip(log.asked, log.asked.dropFirst()).allSatisfy { $0.at <= $1.at })
    for (pool, period) in periods.enumerated() {
      let times = log.asked.filter { $0.pool == pool }.map(\.at)
      let expected = (5000 - 10) * 1_000_000_000 / period.count + 1
      #expect(abs(Int64(times.count) - expected) <= 1)
      #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == period })
    }
  }
}
