import ControlPlane
import Primitives
import Testing

@Suite struct TokenWatchTests {
  private func state(_ shard: Int, _ holder: Int?, _ revision: UInt32) -> TokenState {
    TokenState(shard: shard, holder: holder, lease: 1, revision: revision)
  }

  @Test func changesInOrderLeaveNoDoubt() {
    var watch = TokenWatch(shards: 2)
    let result1 = watch.learn(state(0, 4, 1))
    #expect(result1)
    let result2 = watch.learn(state(1, 5, 2))
    #expect(result2)
    #expect(watch.holder(of: 0) == 4)
    #expect(!watch.isBehind)
    let result3 = watch.learn(state(1, nil, 1))
    #expect(!result3, "older than what is known")
    #expect(watch.holder(of: 1) == 5)
  }

  @Test func aGapIsNoticedAndHealedByReading() {
    var watch = TokenWatch(shards: 2)
    _ = watch.learn(state(0, 4, 1))
    _ = watch.learn(state(0, nil, 3))
    #expect(watch.isBehind)
    let result4 = watch.beginsReading(at: .seconds(1), interval: .seconds(1))
    #expect(result4)
    let result5 = watch.beginsReading(at: .milliseconds(1500), interval: .seconds(1))
    #expect(!result5)
    _ = watch.read(state(0, nil, 3), remaining: 1, revision: 3)
    _ = watch.read(state(1, 9, 2), remaining: 0, revision: 3)
    #expect(!watch.isBehind)
    #expect(watch.holder(of: 1) == 9)
  }

  /// A reading of which a part was lost does not count.
  @Test func aPartOfAReadingHealsNothing() {
    var watch = TokenWatch(shards: 2)
    watch.mention(revision: 5)
    let result6 = watch.beginsReading(at: .seconds(1), interval: .seconds(1))
    #expect(result6)
    _ = watch.read(state(1, 9, 2), remaining: 0, revision: 5)
    #expect(watch.isBehind)
    let result7 = watch.beginsReading(at: .seconds(2), interval: .seconds(1))
    #expect(result7)
    _ = watch.read(state(0, 1, 1), remaining: 1, revision: 5)
    _ = watch.read(state(1, 9, 2), remaining: 0, revision: 5)
    #expect(!watch.isBehind)
  }
}
