import Primitives

/// Invocations of a flow lane by what is known of their waits: first those whose wait is settled
/// and that have not completed, in order, then those that wait and are counted by when they came.
struct WaitLedger: Sendable {
  struct Settled: Sendable, BitwiseCopyable {
    var came: Cohort
    var wait: Int64
    var isCold = false

    var count: Int { came.count }
  }

  /// Arrivals of a time interval, uniform in it.
  struct Cohort: Sendable, BitwiseCopyable {
    var from: Int64
    var to: Int64
    var count: Int

    /// Precondition: no more than there are.
    mutating func takeOldest(_ piece: Int) -> Cohort {
      let cut = piece == count ? to : position(piece)
      defer {
        from = cut
        count -= piece
      }
      return Cohort(from: from, to: cut, count: piece)
    }

    /// Precondition: no more than there are.
    mutating func takeYoungest(_ piece: Int) -> Cohort {
      let cut = piece == count ? from : position(count - piece)
      defer {
        to = cut
        count -= piece
      }
      return Cohort(from: cut, to: to, count: piece)
    }

    private func position(_ index: Int) -> Int64 {
      from + Int64(Double(to - from) * Double(index) / Double(count))
    }
  }

  private(set) var settled: [Settled] = []
  private var settledHead = 0
  private(set) var cohorts: [Cohort] = []
  private var cohortHead = 0
  /// Invocations in `cohorts`.
  private(set) var waiting = 0
  /// Invocations in `settled`.
  private(set) var settledCount = 0

  /// Invocations that came after all before them have a wait.
  mutating func settle(_ came: Cohort, wait: Int64, isCold: Bool = false) {
    guard came.count > 0 else { return }
    settledCount += came.count
    if !isCold, settled.count > settledHead, settled[settled.count - 1].wait == wait,
      !settled[settled.count - 1].isCold
    {
      settled[settled.count - 1].came.count += came.count
      settled[settled.count - 1].came.to = came.to
    } else {
      settled.append(Settled(came: came, wait: wait, isCold: isCold))
    }
  }

  /// Takes `count` invocations in order, in pieces.
  mutating func complete(_ count: Int, _ body: (Settled) -> Void) {
    var left = count
    while left > 0, settledHead < settled.count {
      var taken = settled[settledHead]
      taken.came = settled[settledHead].came.takeOldest(min(left, taken.count))
      settledCount -= taken.count
      body(taken)
      left -= taken.count
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
    var taken = 0
    takeYoungest(count) { taken += $0.count }
    return taken
  }

  /// Puts the youngest settled invocations back among those that wait, by when they came, and
  /// returns how many. Precondition: nobody waits that has come before them.
  mutating func reopen(_ count: Int) -> Int {
    var pieces: [Cohort] = []
    takeYoungest(count) { pieces.append($0) }
    let before = waiting
    for piece in pieces.reversed() { append(piece) }
    return waiting - before
  }

  private mutating func takeYoungest(_ count: Int, _ body: (Cohort) -> Void) {
    var left = count
    while left > 0, settled.count > settledHead {
      let last = settled.count - 1
      let piece = settled[last].came.takeYoungest(min(left, settled[last].count))
      settledCount -= piece.count
      left -= piece.count
      body(piece)
      if settled[last].count == 0 { settled.removeLast() }
    }
  }

  mutating func append(_ cohort: Cohort) {
    guard cohort.count > 0 else { return }
    waiting += cohort.count
    cohorts.append(cohort)
  }

  /// Puts invocations before all that wait, in order.
  mutating func putFirst(_ pieces: [Cohort]) {
    let pieces = pieces.filter { $0.count > 0 }
    waiting += pieces.reduce(0) { $0 + $1.count }
    cohorts.replaceSubrange(0..<cohortHead, with: pieces)
    cohortHead = 0
  }

  /// Takes the oldest `count` waiting invocations, in pieces.
  mutating func dequeue(_ count: Int, _ body: (Cohort) -> Void) {
    var left = min(count, waiting)
    waiting -= left
    while left > 0 {
      let piece = cohorts[cohortHead].takeOldest(min(left, cohorts[cohortHead].count))
      body(piece)
      left -= piece.count
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
      let piece = cohorts[last].takeYoungest(min(left, cohorts[last].count))
      waiting -= piece.count
      left -= piece.count
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
}
