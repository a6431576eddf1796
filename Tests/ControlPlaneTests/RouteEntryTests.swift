import ControlPlane
import Primitives
import Testing

/// The ages of a cached route, to the nanosecond.
@Suite struct RouteEntryTests {
  private let lifetimes = RouteLifetimes(
    fresh: .seconds(10), stale: .seconds(5), negative: .seconds(2))
  private let nanosecond = Nanoseconds(1)

  @Test func isAbsentBeforeItHasLearned() {
    #expect(RouteEntry().age(at: .origin) == .absent)
  }

  @Test func aPositiveEntryIsFreshThenStaleThenAbsent() {
    var entry = RouteEntry()
    entry.isAsking = true
    entry.learn(version: 7, negative: false, at: .seconds(100), lifetimes: lifetimes)
    #expect(entry.version == 7 && !entry.isNegative && !entry.isAsking)
    #expect(entry.age(at: .seconds(100)) == .fresh)
    #expect(entry.age(at: .seconds(110) - nanosecond) == .fresh)
    #expect(entry.isFresh(at: .seconds(110) - nanosecond))
    #expect(entry.age(at: .seconds(110)) == .stale)
    #expect(!entry.isFresh(at: .seconds(110)))
    #expect(entry.age(at: .seconds(115) - nanosecond) == .stale)
    #expect(entry.age(at: .seconds(115)) == .absent)
  }

  @Test func aNegativeEntryIsNeverStale() {
    var entry = RouteEntry()
    entry.learn(version: 1, negative: true, at: .seconds(100), lifetimes: lifetimes)
    #expect(entry.isNegative)
    #expect(entry.age(at: .seconds(102) - nanosecond) == .fresh)
    #expect(entry.age(at: .seconds(102)) == .absent)
  }

  @Test func theNextAnswerStartsItsLifeAgain() {
    var entry = RouteEntry()
    entry.learn(version: 1, negative: true, at: .seconds(100), lifetimes: lifetimes)
    entry.learn(version: 2, negative: false, at: .seconds(101), lifetimes: lifetimes)
    #expect(!entry.isNegative)
    #expect(entry.age(at: .seconds(111) - nanosecond) == .fresh)
    #expect(entry.age(at: .seconds(111)) == .stale)
  }

  @Test func aFailedRouteIsAbsent() {
    var entry = RouteEntry()
    entry.learn(version: 3, negative: false, at: .seconds(100), lifetimes: lifetimes)
    entry.invalidate()
    #expect(entry.age(at: .seconds(100)) == .absent)
    #expect(entry.version == 3)
  }
}
