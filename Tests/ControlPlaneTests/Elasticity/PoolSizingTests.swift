import ControlPlane
import Policies
import Primitives
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
}
