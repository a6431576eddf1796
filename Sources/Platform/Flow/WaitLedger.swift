import Primitives

/// Invocations of a flow lane by what is known of their waits: first those whose wait is settled
/// and that have not completed, in order, then those that wait and are counted by when they came.
///
/// Of those whose clients leave after a time it knows how many nobody waits for any more: of the
/// settled ones that have been judged a number each, of those that wait the oldest.
struct WaitLedger: Sendable {
  struct Settled: Sendable, BitwiseCopyable {
    var came: Cohort
    var wait: Int64
    var isCold = false
    /// It is known how many of them nobody waits for when they end.
    var isJudged = false
    var late = 0

    var count: Int { came.count }

    /// Precondition: no more than there are.
    mutating func takeOldest(_ piece: Int) -> Settled {
      var taken = self
      taken.late = count > 0 ? late * piece / count : 0
      taken.came = came.takeOldest(piece)
      late -= taken.late
      return taken
    }

    /// Precondition: no more than there are.
    mutating func takeYoungest(_ piece: Int) -> Settled {
      var taken = self
      let kept = count > 0 ? late * (count - piece) / count : 0
      taken.late = late - kept
      taken.came = came.takeYoungest(piece)
      late = kept
      return taken
    }
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
  /// All settled before have been judged.
  private var firstOpen = 0
  private(set) var cohorts: [Cohort] = []
  private var cohortHead = 0
  /// Invocations in `cohorts`.
  private(set) var waiting = 0
  /// Invocations in `settled`.
  private(set) var settledCount = 0
  /// Those of `settled`, and the oldest of those that wait, whose clients do not wait any more.
  private(set) var lateCount = 0
  private(set) var leftWaiting = 0

  /// Invocations that came after all before them have a wait.
  ///
  /// - Parameter isLeft: nobody waits for them any more.
  mutating func settle(_ came: Cohort, wait: Int64, isCold: Bool = false, isLeft: Bool = false) {
    guard came.count > 0 else { return }
    settledCount += came.count
    if isLeft {
      if firstOpen == settled.count { firstOpen += 1 }
      lateCount += came.count
      settled.append(
        Settled(came: came, wait: wait, isCold: isCold, isJudged: true, late: came.count))
    } else if !isCold, settled.count > settledHead, settled[settled.count - 1].wait == wait,
      !settled[settled.count - 1].isCold, !settled[settled.count - 1].isJudged
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
    while left > 0 {
      let taken = completeFirst(left)
      body(taken)
      left -= taken.count
    }
    forgetCompleted()
  }

  /// Takes the first invocations that have one wait, so many at most. Precondition: there is one.
  mutating func completeFirst(_ most: Int) -> Settled {
    precondition(settledHead < settled.count, "more invocations complete than have begun")
    let taken = settled[settledHead].takeOldest(min(most, settled[settledHead].count))
    settledCount -= taken.count
    lateCount -= taken.late
    if settled[settledHead].count == 0 { settledHead += 1 }
    return taken
  }

  /// Gives the places of completed ones back, now and then.
  mutating func forgetCompleted() {
    if settledHead > 64, settledHead * 2 > settled.count {
      settled.removeFirst(settledHead)
      firstOpen = max(0, firstOpen - settledHead)
      settledHead = 0
    }
  }

  /// Puts the youngest settled invocations back among those that wait, by when they came, and
  /// returns how many. Precondition: nobody waits that has come before them.
  mutating func reopen(_ count: Int) -> Int {
    var pieces: [Cohort] = []
    var left = 0
    takeYoungest(count) {
      pieces.append($0.came)
      left += $0.late
    }
    let before = waiting
    for piece in pieces.reversed() { append(piece) }
    leftWaiting += left
    return waiting - before
  }

  private mutating func takeYoungest(_ count: Int, _ body: (Settled) -> Void) {
    var left = count
    while left > 0, settled.count > settledHead {
      let last = settled.count - 1
      let piece = settled[last].takeYoungest(min(left, settled[last].count))
      settledCount -= piece.count
      lateCount -= piece.late
      left -= piece.count
      body(piece)
      if settled[last].count == 0 { settled.removeLast() }
    }
    firstOpen = min(firstOpen, settled.count)
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

  /// Takes the oldest `count` waiting invocations, in pieces; returns how many of them nobody waits
  /// for, which are the first.
  @discardableResult
  mutating func dequeue(_ count: Int, _ body: (Cohort) -> Void) -> Int {
    var left = min(count, waiting)
    let unheard = min(left, leftWaiting)
    leftWaiting -= unheard
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
    return unheard
  }

  /// Drops the youngest waiting invocations, in pieces; returns how many, and how many of them
  /// nobody waits for.
  mutating func dropYoungest(
    _ count: Int, _ body: (Cohort) -> Void = { _ in }
  ) -> (count: Int, left: Int) {
    var left = min(count, waiting)
    let before = waiting
    while left > 0, cohorts.count > cohortHead {
      let last = cohorts.count - 1
      let piece = cohorts[last].takeYoungest(min(left, cohorts[last].count))
      body(piece)
      waiting -= piece.count
      left -= piece.count
      if cohorts[last].count == 0 { cohorts.removeLast() }
    }
    let unheard = max(0, leftWaiting - waiting)
    leftWaiting -= unheard
    return (before - waiting, unheard)
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

// Clients who wait no longer than a time.
extension WaitLedger {
  /// Judges the settled ones that came before an instant and have not been: `late` says of how many
  /// nobody will wait for the end. Returns their sum.
  mutating func judge(before instant: Int64, _ late: (Settled) -> Int) -> Int {
    var sum = 0
    var index = max(settledHead, firstOpen)
    while index < settled.count, settled[index].came.from < instant {
      if !settled[index].isJudged {
        let came = settled[index].came
        if came.to > instant {
          let share = Double(instant - came.from) / Double(came.to - came.from)
          let older = Int(Double(came.count) * share)
          guard older > 0 else { break }
          let piece = settled[index].takeOldest(older)
          settled.insert(piece, at: index)
        }
        settled[index].isJudged = true
        settled[index].late = late(settled[index])
        sum += settled[index].late
      }
      index += 1
    }
    firstOpen = index
    lateCount += sum
    return sum
  }

  /// Whoever waits since before an instant leaves; returns how many do that had not.
  mutating func leave(before instant: Int64) -> Int {
    let more = max(0, older(than: instant) - leftWaiting)
    leftWaiting += more
    return more
  }

  /// Of those that wait, so many of the oldest have nobody who waits for them.
  mutating func markLeft(_ count: Int) { leftWaiting = count }

  /// All that wait, the oldest first, but for those whose clients have left.
  func forEachHeard(_ body: (Cohort) -> Void) {
    var skipped = leftWaiting
    for var cohort in cohorts[cohortHead...] {
      let gone = min(skipped, cohort.count)
      skipped -= gone
      if gone > 0 { _ = cohort.takeOldest(gone) }
      if cohort.count > 0 { body(cohort) }
    }
  }

  /// The same of those whose waits are settled: a judged one's rest came long ago.
  func forEachSettledHeard(_ body: (Cohort) -> Void) {
    for var piece in settled[settledHead...] {
      if piece.late > 0 { _ = piece.came.takeOldest(piece.late) }
      if piece.count > 0 { body(piece.came) }
    }
  }
}
