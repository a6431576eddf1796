import Primitives
import Testing

@testable import Platform

/// The agenda of lanes against a list that is searched.
@Suite struct LaneAgendaTests {
  /// What the agenda should hold.
  private struct Oracle {
    var times: [Int64]
    var isTaken: [Bool]

    var earliest: Int64 {
      times.indices.filter { !isTaken[$0] }.map { times[$0] }.min() ?? .max
    }

    mutating func take(before bound: Int64) -> Int? {
      let due = times.indices.filter { !isTaken[$0] && times[$0] < bound }
      guard let lane = due.min(by: { (times[$0], $0) < (times[$1], $1) }) else { return nil }
      isTaken[lane] = true
      return lane
    }
  }

  @Test(arguments: [1, 2, 5, 6, 33, 200]) func agreesWithASearch(lanes count: Int) {
    var bits = Xoshiro256PlusPlus(seed: UInt64(count))
    func random(_ bound: Int) -> Int { Int(bits.integer(below: UInt64(bound))) }
    var agenda = LaneAgenda(count: count)
    var oracle = Oracle(
      times: Array(repeating: 0, count: count), isTaken: Array(repeating: false, count: count))
    var taken = 0
    for _ in 0..<20_000 {
      // Few distinct times, so that ties are common.
      let lane = random(count)
      let time = Int64(random(50))
      switch random(6) {
      case 0, 1:
        let found = agenda.take(before: time)
        #expect(found == oracle.take(before: time))
        if found != nil { taken += 1 }
      case 2, 3:
        agenda.put(lane, at: time)
        oracle.times[lane] = time
        oracle.isTaken[lane] = false
      case 4:
        agenda.bring(lane, to: time)
        oracle.times[lane] = min(oracle.times[lane], time)
      default:
        agenda.remove(lane)
        oracle.isTaken[lane] = true
        agenda.note(lane, at: time)
        oracle.times[lane] = time
      }
      #expect(agenda.earliest == oracle.earliest)
      #expect(agenda.time(of: lane) == oracle.times[lane])
      #expect(agenda.isTaken(lane) == oracle.isTaken[lane])
    }
    #expect(taken > 1000)
  }
}
