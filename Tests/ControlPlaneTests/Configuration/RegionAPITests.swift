import ControlPlane
import Primitives
import Testing

/// Changes come about once, in order, whatever is lost on the way.
@Suite struct RegionAPITests {
  private struct Told: RegionAPIEffects, Equatable {
    struct Word: Equatable {
      var change: UInt32
      var target: Int
    }

    var accepted: [UInt32] = []
    var words: [Word] = []
    var alarm: Instant?

    mutating func accepted(_ change: UInt32) { accepted.append(change) }
    mutating func apply(_ change: UInt32, at target: Int) {
      words.append(Word(change: change, target: target))
    }
    mutating func wakeAPI(at instant: Instant) { alarm = instant }
  }

  @Test func aChangeIsSaidToThoseThatItConcerns() {
    var api = RegionAPI(parts: 3)
    var told = Told()
    api.asked(for: 7, concerning: [0, 2], at: .seconds(5), into: &told)
    #expect(told.accepted == [7])
    #expect(told.words == [.init(change: 7, target: 0), .init(change: 7, target: 2)])
    #expect(told.alarm == .seconds(6) && api.open == 2)
  }

  @Test func askingTwiceIsAskingOnce() {
    var api = RegionAPI(parts: 1)
    var told = Told()
    api.asked(for: 1, concerning: [0], at: .seconds(1), into: &told)
    api.asked(for: 1, concerning: [0], at: .seconds(2), into: &told)
    #expect(told.accepted == [1, 1])
    #expect(told.words.count == 1)
    api.acknowledged(1, by: 0, at: .seconds(3), into: &told)
    api.acknowledged(1, by: 0, at: .seconds(3), into: &told)
    api.asked(for: 1, concerning: [0], at: .seconds(4), into: &told)
    #expect(told.words.count == 1 && api.open == 0)
  }

  @Test func laterChangesWaitForEarlierOnes() {
    var api = RegionAPI(parts: 2)
    var told = Told()
    api.asked(for: 1, concerning: [0, 1], at: .seconds(1), into: &told)
    api.asked(for: 2, concerning: [0], at: .seconds(1), into: &told)
    #expect(told.words.map(\.change) == [1, 1])
    // Out of turn: nothing comes of it.
    api.acknowledged(2, by: 0, at: .seconds(2), into: &told)
    #expect(api.open == 3)
    api.acknowledged(1, by: 0, at: .seconds(2), into: &told)
    #expect(told.words.last == .init(change: 2, target: 0))
  }

  @Test func whatIsNotAcknowledgedIsSaidAgain() {
    var api = RegionAPI(parts: 2)
    var told = Told()
    api.asked(for: 1, concerning: [0, 1], at: .seconds(1), into: &told)
    api.acknowledged(1, by: 0, at: .origin + .milliseconds(1500), into: &told)
    told = Told()
    api.wake(at: .origin + .milliseconds(1900), into: &told)
    #expect(told.words.isEmpty && told.alarm == .seconds(2))
    var fork = api.clone()
    for second in 2..<6 {
      told = Told()
      api.wake(at: .seconds(Int64(second)), into: &told)
      #expect(told.words == [.init(change: 1, target: 1)])
      #expect(told.alarm == .seconds(Int64(second + 1)))
    }
    told = Told()
    api.acknowledged(1, by: 1, at: .seconds(6), into: &told)
    api.wake(at: .seconds(7), into: &told)
    #expect(told == Told())
    fork.wake(at: .seconds(3), into: &told)
    #expect(told.words.count == 1)
  }
}
