import Primitives

/// Invocations of a flow lane by what is known of their waits: first those whose wait is settled
/// and that have not completed, in order, then those that wait and are counted by when they came.
struct WaitLedger: Sendable {
  struct Settled: Sendable, BitwiseCopyable {
    var wait: Int64
    var count: Int
    var isCold = false
  }

  /// Arrivals of a time interval, uniform in it.
  struct Cohort: Sendable, BitwiseCopyable {
    var from: Int64
    var to: Int64
    var count: Int
  }

  private(set) var settled: [Settled] = []
  private var settledHead = 0
  private(set) var cohorts: [Cohort] = []
  private var cohortHead = 0
  /// Invocations in `cohorts`.
  private(set) var waiting = 0
  /// Invocations in `settled`.
  private(set) var settledCount = 0

  mutating func settle(wait: Int64, count: Int, isCold: Bool = false) {
    guard count > 0 else { return }
    settledCount += count
    if !isCold, settled.count > settledHead, settled[settled.count - 1].wait == wait,
      !settled[settled.count - 1].isCold
    {
      settled[settled.count - 1].count += count
    } else {
      settled.append(Settled(wait: wait, count: count, isCold: isCold))
    }
  }

  /// Takes `count` invocations in order, in pieces.
  mutating func complete(_ count: Int, _ body: (Settled) -> Void) {
    var left = count
    while left > 0, settledHead < settled.count {
      let piece = min(left, settled[settledHead].count)
      settledCount -= piece
      var taken = settled[settledHead]
      taken.count = piece
      body(taken)
      left -= piece
      settled[settledHead].count -= piece
      if settled[settledHead].count == 0 { settledHead += 1 }
    }
    precondition(left == 0, "more invocations complete than have begun")
    if settledHead > 64, settledHead * 2 > settled.count {
      settled.removeFirst(settledHead)
      settledHead = 0
    }
  }

  /// Takes out the youngest settled invocations, and returns how many.
  mutating func unsettle(_ count: Int) -> Int {
    var left = count
    while left > 0, settled.count > settledHead {
      let piece = min(left, settled[settled.count - 1].count)
      settled[settled.count - 1].count -= piece
      settledCount -= piece
      left -= piece
      if settled[settled.count - 1].count == 0 { settled.removeLast() }
    }
    return count - left
  }

  mutating func append(_ cohort: Cohort) {
    guard cohort.count > 0 else { return }
    waiting += cohort.count
    cohorts.append(cohort)
  }

  /// Takes the oldest `count` waiting invocations, in pieces.
  mutating func dequeue(_ count: Int, _ body: (Cohort) -> Void) {
    var left = min(count, waiting)
    waiting -= left
    while left > 0 {
      let cohort = cohorts[cohortHead]
      let piece = min(left, cohort.count)
      let end = piece == cohort.count ? cohort.to : Self.position(cohort, piece)
      body(Cohort(from: cohort.from, to: end, count: piece))
      cohorts[cohortHead].from = end
      cohorts[cohortHead].count -= piece
      left -= piece
      if cohorts[cohortHead].count == 0 { cohortHead += 1 }
    }
    if cohortHead > 64, cohortHead * 2 > cohorts.count {
      cohorts.removeFirst(cohortHead)
      cohortHead = 0
    }
  }

  /// Drops the youngest waiting invocations, and returns how many.
  mutating func dropYoungest(_ count: Int) -> Int {
    var left = min(count, waiting)
    let before = waiting
    while left > 0, cohorts.count > cohortHead {
      let last = cohorts.count - 1
      let piece = min(left, cohorts[last].count)
      cohorts[last].to = Self.position(cohorts[last], cohorts[last].count - piece)
      cohorts[last].count -= piece
      waiting -= piece
      left -= piece
      if cohorts[last].count == 0 { cohorts.removeLast() }
    }
    return before - waiting
  }

  /// Waiting invocations that came before an instant.
  func older(than instant: Int64) -> Int {
    var count = 0
    for cohort in cohorts[cohortHead...] {
      if cohort.to <= instant {
        count += cohort.count
      } else if cohort.from < instant {
        let share = Double(instant - cohort.from) / Double(cohort.to - cohort.from)
        return count + Int(Double(cohort.count) * share)
      } else {
        return count
      }
    }
    return count
  }

  /// Arrival instants of all that wait, the oldest first, spread evenly over their intervals.
  func forEachArrival(_ body: (Int64) -> Void) {
    for cohort in cohorts[cohortHead...] {
      for i in 0..<cohort.count {
        let share = (Double(i) + 0.5) / Double(cohort.count)
        body(cohort.from + Int64(Double(cohort.to - cohort.from) * share))
      }
    }
  }

  private static func position(_ cohort: Cohort, _ index: Int) -> Int64 {
    cohort.from
      + Int64(Double(cohort.to - cohort.from) * Double(index) / Double(cohort.count))
  }
}
