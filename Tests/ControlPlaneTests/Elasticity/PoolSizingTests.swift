import ControlPlane
import Policies
import Primitives
import Statistics
import Testing

@Suite struct PoolSizingTests {
  @Test func sharesAreRoundedHalfUp() {
    let share = PoolShare.percent(2)
    #expect([0, 24, 25, 74, 75, 100].map(share.pods) == [0, 0, 1, 1, 2, 2])
    #expect(PoolShare(milliPercent: 2500).pods(of: 20) == 1)
    let fixed = FixedPercentagePool(share)
    #expect(fixed.target(readyNow: 3, readyAtPeak: 1000, at: .origin) == 20)
    let following = FollowingPool(.percent(10), least: 2, most: 50)
    let targets = [0, 10, 100, 249, 1000].map {
      following.target(readyNow: $0, readyAtPeak: 1000, at: .origin)
    }
    #expect(targets == [2, 2, 10, 25, 50])
    #expect(FixedCountPool(7).target(readyNow: 0, readyAtPeak: 0, at: .origin) == 7)
    #expect(FixedCountPool(7).unchangedUntil(at: .origin) == .distantFuture)
  }

  @Test func hoursOfTheDay() {
    let pool = HourlyPool(
      (0..<24).map { PoolShare.percent($0) }, originOfDay: .seconds(22 * 3600 + 1800))
    #expect(pool.target(readyNow: 0, readyAtPeak: 100, at: .origin) == 22)
    #expect(pool.unchangedUntil(at: .origin) == .seconds(1800))
    #expect(pool.target(readyNow: 0, readyAtPeak: 100, at: .seconds(1800)) == 23)
    #expect(pool.target(readyNow: 0, readyAtPeak: 100, at: .seconds(5400)) == 0)
    #expect(pool.unchangedUntil(at: .seconds(5400)) == .seconds(9000))
  }

  /// One pod fewer misses too often, by the closed forms of another module.
  @Test func baseStockIsTheSmallestThatSuffices() throws {
    for load in [0.02, 0.5, 3, 20, 100, 900] {
      for share in [0.2, 0.01, 0.001] {
        let lost = BaseStockPool.stock(load: load, rule: .lost, missShare: share, most: 10_000)
        #expect(try Statistics.WarmPool.missLost(outstandingLoad: load, pods: lost) <= share)
        #expect(try Statistics.WarmPool.missLost(outstandingLoad: load, pods: lost - 1) > share)
        let base = BaseStockPool.stock(
          load: load, rule: .backorder, missShare: share, most: 10_000)
        #expect(try Statistics.WarmPool.missBackorder(outstandingLoad: load, pods: base) <= share)
        #expect(
          try Statistics.WarmPool.missBackorder(outstandingLoad: load, pods: base - 1) > share)
      }
    }
    #expect(BaseStockPool.stock(load: 0, rule: .lost, missShare: 0.1, most: 10) == 0)
    #expect(BaseStockPool.stock(load: 1e9, rule: .lost, missShare: 0.1, most: 10) == 10)
    #expect(BaseStockPool.stock(load: 1e9, rule: .backorder, missShare: 0.1, most: 10) == 10)
  }

  /// Ten takes a second and refills of eight seconds are a load of 80.
  @Test func measuredDemand() {
    var settings = BaseStockPool.Settings(rule: .lost, missShare: 0.001)
    settings.refillAlpha = 1
    var pool = BaseStockPool(settings)
    #expect(pool.target(readyNow: 0, readyAtPeak: 0, at: .origin) == 0)
    for take in 0..<12_000 { pool.observeTake(at: .origin + .milliseconds(100 * Int64(take))) }
    pool.observeRefill(took: .seconds(8))
    let expected = BaseStockPool.stock(load: 80, rule: .lost, missShare: 0.001, most: 1000)
    #expect(pool.target(readyNow: 0, readyAtPeak: 0, at: .seconds(1200)) == expected)
    #expect(pool.unchangedUntil(at: .seconds(1201)) == .seconds(1201))
    // Two windows without a take.
    #expect(pool.target(readyNow: 0, readyAtPeak: 0, at: .seconds(2400)) == 0)
  }
}
