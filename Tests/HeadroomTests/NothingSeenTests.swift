import Scenario
import Testing

@testable import Planning

/// A share of which nothing was seen in any replication.
@Suite struct NothingSeenTests {
  /// No event in a thousand: the share is below 0.3682 % (1 - 0.025^(1/1000)), and nothing less is
  /// shown.
  @Test(arguments: [(0.004, true), (0.0036, false)])
  func zeroIsNotShownByFewTrials(limit: Double, isMet: Bool) throws {
    let below = Objective.Term(statistic: .total, measure: .poolTakes, scope: [:])
    let objective = try SmallCluster.objective(.total, .poolMisses, over: below, .less, limit)
    let zeros = [Double?](repeating: 0, count: 8)
    let judged = ObjectiveVerdicts.boundedIfNothingWasSeen(
      ObjectiveVerdicts.judge(objective, zeros), trials: 1000)
    #expect(judged.verdict == (isMet ? .met : .undecided))
    let high = try #require(judged.interval?.high)
    #expect(abs(high - 0.0036821) < 1e-6)
  }

  @Test func somethingSeenIsJudgedAsEver() throws {
    let below = Objective.Term(statistic: .total, measure: .poolTakes, scope: [:])
    let objective = try SmallCluster.objective(.total, .poolMisses, over: below, .less, 0.01)
    let before = ObjectiveVerdicts.judge(objective, [0, 0, 0, 0, 0, 0, 0, 0.001])
    let after = ObjectiveVerdicts.boundedIfNothingWasSeen(before, trials: 10)
    #expect(after.verdict == before.verdict)
    #expect(after.interval == before.interval)
  }
}
