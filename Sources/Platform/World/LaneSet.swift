import ControlPlane
import Primitives
import SimulationKernel

/// The lanes of a cluster and where each of them stands, with the epoch order that runs them.
///
/// A value that the cluster holds and lends out for a whole run, so that the loops over lanes pay
/// for no access checks.
struct LaneSet {
  var lanes: [any LaneModel] = []
  var ready: ReadyCounts
  /// By lane: messages sent, for the network's draws; how far it has run, while it is active.
  var ordinals: [UInt64]
  var horizons: [Instant]
  /// Where clients try again whose lane gets nothing any more.
  var detours = RetryDetours()
  /// Of them, those that go to other clusters and have not been fetched.
  private(set) var departures: [RetryDeparture] = []
  /// By lane: it has run in this epoch.
  private var hasRun: [Bool]
  /// By lane: a reply may come; and to how many lanes.
  private var isAwaiting: [Bool]
  private var awaitingCount = 0
  /// Of those, how many have nothing to do in this epoch unless the reply comes, and how far all of
  /// them have come: most replies take seconds, and nothing is asked of such lanes meanwhile.
  private var idleCount = 0
  private var idleHorizon = Instant.origin
  /// Lanes of this epoch; those of them that have not reached its end. Kept between epochs so that
  /// none allocates.
  private var active: [Int] = []
  private var unfinished: [Int] = []
  /// Whether the agenda must be made anew, since something was done to lanes between two runs.
  private var isAgendaOld = true
  /// Lanes that something happened to since they were looked at last, or may have without an event.
  private(set) var touched: [Int] = []
  private var isTouched: [Bool]
  let epoch: Int64
  /// The least one-way delay between a lane and anything shared.
  let lookahead: Nanoseconds

  init(configuration: ClusterConfiguration, topology: Topology) {
    let count = topology.lanes.count
    ready = ReadyCounts(configuration, topology)
    ordinals = Array(repeating: 0, count: count)
    horizons = Array(repeating: .origin, count: count)
    hasRun = Array(repeating: false, count: count)
    isAwaiting = hasRun
    isTouched = Array(repeating: false, count: count)
    epoch = configuration.epoch.count
    lookahead = configuration.network.leastControlDelay
  }

  /// Moves a lane's messages into the shared queue, in the order of sending.
  mutating func collect(_ index: Int, into control: ControlShard) {
    var ordinal = ordinals[index]
    lanes[index].drainOutbox { message in
      control.accept(message, from: LaneID(index), ordinal: ordinal)
      ordinal += 1
    }
    ordinals[index] = ordinal
  }

  // MARK: What changed

  mutating func touch(_ index: Int) {
    guard !isTouched[index] else { return }
    isTouched[index] = true
    touched.append(index)
  }

  /// Something was done to lanes that is no event of theirs.
  mutating func noteInterference() {
    isAgendaOld = true
    for index in lanes.indices { touch(index) }
  }

  /// Something was done to one lane that is no event of its own.
  mutating func noteInterference(with index: Int) {
    isAgendaOld = true
    touch(index)
  }

  /// The lanes that were touched, in order; none is from then on.
  mutating func takeTouched() -> [Int] {
    for index in isAwaiting.indices where isAwaiting[index] { touch(index) }
    sortInPlace(&touched)
    let taken = touched
    for index in taken { isTouched[index] = false }
    touched.removeAll(keepingCapacity: true)
    return taken
  }

  // MARK: Epochs

  mutating func runEpochs(
    from begin: Instant, until end: Instant, control: ControlShard, agenda: inout LaneAgenda,
    demand: inout Demand, recorder: any LatencyRecorder
  ) {
    if isAgendaOld { renew(&agenda) }
    var start = begin
    while true {
      let first = nextEpochStart(from: start, control, agenda.earliest)
      if first > start { demand.skip(from: start, to: min(first, end)) }
      start = first
      guard start < min(end, control.nextReroute) else { break }
      let stop = min(end, Instant(nanoseconds: (start.nanoseconds / epoch + 1) * epoch))
      runEpoch(
        from: start, to: stop, control: control, agenda: &agenda, demand: &demand,
        recorder: recorder)
      demand.close(length: stop - start)
      start = stop
    }
  }

  private mutating func renew(_ agenda: inout LaneAgenda) {
    isAgendaOld = false
    awaitingCount = 0
    for index in lanes.indices {
      agenda.put(index, at: lanes[index].next.time.nanoseconds)
      isAwaiting[index] = lanes[index].isAwaiting
      if isAwaiting[index] { awaitingCount += 1 }
    }
  }

  /// The start of the epoch in which something happens next.
  private func nextEpochStart(
    from instant: Instant, _ control: ControlShard, _ earliest: Int64
  ) -> Instant {
    let least = min(control.next().time.nanoseconds, earliest)
    guard least > instant.nanoseconds else { return instant }
    guard least < .max else { return .distantFuture }
    return max(instant, Instant(nanoseconds: least / epoch * epoch))
  }

  /// Takes the lanes that have something to do in an epoch, in the order of their numbers.
  private mutating func takeActive(
    from start: Instant, to stop: Instant, agenda: inout LaneAgenda
  ) {
    active.removeAll(keepingCapacity: true)
    while let index = agenda.take(before: stop.nanoseconds) { active.append(index) }
    sortInPlace(&active)
    (idleCount, idleHorizon) = (awaitingCount, start)
    for index in active {
      horizons[index] = start
      touch(index)
      if isAwaiting[index] { idleCount -= 1 }
    }
  }

  /// A reply comes to a lane that only waits: it is of this epoch, from where it has come to.
  private mutating func activate(_ index: Int, agenda: inout LaneAgenda) {
    agenda.remove(index)
    horizons[index] = idleHorizon
    idleCount -= 1
    touch(index)
    insertInOrder(index, into: &active)
    insertInOrder(index, into: &unfinished)
  }

  private mutating func runEpoch(
    from start: Instant, to stop: Instant, control: ControlShard, agenda: inout LaneAgenda,
    demand: inout Demand, recorder: any LatencyRecorder
  ) {
    takeActive(from: start, to: stop, agenda: &agenda)
    unfinished.removeAll(keepingCapacity: true)
    unfinished.append(contentsOf: active)
    while true {
      var safe = stop
      // A reply that a lane awaits comes of events that the shared part has already, so none is
      // sent before the first of these.
      let reply = control.next().time
      let limit = reply < stop ? reply + lookahead : stop
      idleHorizon = max(idleHorizon, min(stop, limit))
      var left = 0
      for position in unfinished.indices {
        let index = unfinished[position]
        let next = advance(
          index, to: stop, replyLimit: limit, control: control, agenda: &agenda,
          recorder: recorder)
        guard horizons[index] < stop else { continue }
        unfinished[left] = index
        left += 1
        let earliest = max(horizons[index].nanoseconds, next)
        if earliest < stop.nanoseconds {
          safe = min(safe, Instant(nanoseconds: earliest) + lookahead)
        }
      }
      unfinished.removeLast(unfinished.count - left)
      let isAnyLeft = left > 0 || (idleCount > 0 && idleHorizon < stop)
      precondition(
        !isAnyLeft || lookahead > .zero,
        "a lane that waits for an answer runs ahead of it by the least delay: it must not be none")
      // A lane may answer what the shared part tells it, two hops after the event that it is told
      // of.
      let first = control.next().time
      if isAnyLeft, first < stop { safe = min(safe, first + lookahead * 2) }
      if first < safe {
        control.run(until: Bound(time: safe, rank: 0), stopsAtMail: false)
        deliver(control, notBefore: stop, agenda: &agenda)
      }
      if !isAnyLeft && safe == stop { break }
    }
    putBack(agenda: &agenda, demand: &demand)
    if !detours.isEmpty { moveRetries(of: active, to: stop, agenda: &agenda) }
  }

  private mutating func putBack(agenda: inout LaneAgenda, demand: inout Demand) {
    for index in active {
      // Those to which a reply came for a later epoch have nothing new.
      if hasRun[index] {
        hasRun[index] = false
        let lane = lanes[index]
        lane.publishDemand(&demand)
        ready.set(index, to: lane.readyCount)
      }
      agenda.put(index, at: agenda.time(of: index))
    }
    ready.close()
  }

  private mutating func moveRetries(
    of some: [Int], to boundary: Instant, agenda: inout LaneAgenda
  ) {
    for index in some {
      departures += moveRetries(of: index, to: boundary) {
        agenda.bring($0, to: boundary.nanoseconds)
      }
    }
  }

  /// Clients that would try again in a lane do so elsewhere, at an instant that nobody has reached.
  /// Returns those that do so in other clusters.
  func moveRetries(
    of index: Int, to instant: Instant, _ reached: (Int) -> Void
  ) -> [RetryDeparture] {
    var gone: [RetryDeparture] = []
    lanes[index].drainTransfers { retry in
      detours.deal(retry, from: index) { destination, part in
        switch destination {
        case .lane(let target):
          lanes[target].takeOver(part, at: instant)
          reached(target)
        case .elsewhere(let service, let place):
          gone.append(RetryDeparture(service: service, place: place, retry: part, at: instant))
        }
      }
    }
    return gone
  }

  mutating func takeDepartures() -> [RetryDeparture] {
    defer { departures = [] }
    return departures
  }

  /// Looks at a lane's ready pods between epochs.
  mutating func noteReady(_ index: Int) {
    ready.set(index, to: lanes[index].readyCount)
    ready.close()
  }

  /// Runs a lane as far as it may go: to the end of the epoch, or to where a reply could reach it.
  /// Returns when something is next there.
  private mutating func advance(
    _ index: Int, to stop: Instant, replyLimit: Instant, control: ControlShard,
    agenda: inout LaneAgenda, recorder: any LatencyRecorder
  ) -> Int64 {
    let bound = isAwaiting[index] ? min(stop, replyLimit) : stop
    let due = agenda.time(of: index)
    guard due < bound.nanoseconds else {
      // Nothing happens here before the bound.
      horizons[index] = max(horizons[index], bound)
      return due
    }
    hasRun[index] = true
    let lane = lanes[index]
    let reached = lane.run(
      until: Bound(time: bound, rank: 0), roundTrip: lookahead * 2, epochEnd: stop,
      recorder: recorder)
    collect(index, into: control)
    horizons[index] = max(horizons[index], min(reached.time, stop))
    let awaits = lane.isAwaiting
    if awaits != isAwaiting[index] { awaitingCount += awaits ? 1 : -1 }
    isAwaiting[index] = awaits
    let next = lane.next.time.nanoseconds
    agenda.note(index, at: next)
    return next
  }

  /// Gives lanes their messages; nothing unasked comes before `boundary`.
  private mutating func deliver(
    _ control: ControlShard, notBefore boundary: Instant, agenda: inout LaneAgenda
  ) {
    var mails = control.takeMail()
    for mail in mails {
      let index = mail.lane.index
      if !mail.isUnasked, isAwaiting[index], idleHorizon < boundary, !agenda.isTaken(index) {
        activate(index, agenda: &agenda)
      }
      // A lane that is not active stands at the end of the epoch.
      let isFree = mail.isUnasked || !agenda.isTaken(index)
      let at = max(mail.at, isFree ? boundary : horizons[index])
      lanes[index].deliver(mail.delivery, at: at)
      agenda.bring(index, to: at.nanoseconds)
    }
    control.recycle(&mails)
  }
}

/// Puts a number into ascending ones.
private func insertInOrder(_ number: Int, into numbers: inout [Int]) {
  var place = numbers.count
  while place > 0, numbers[place - 1] > number { place -= 1 }
  numbers.insert(number, at: place)
}

/// Sorts different numbers by a heap, O(n log n): the library's sort allocates.
private func sortInPlace(_ numbers: inout [Int]) {
  numbers.withUnsafeMutableBufferPointer { heap in
    func sift(_ start: Int, _ end: Int) {
      var place = start
      let number = heap[start]
      while 2 * place + 1 < end {
        var child = 2 * place + 1
        if child + 1 < end, heap[child] < heap[child + 1] { child += 1 }
        guard number < heap[child] else { break }
        heap[place] = heap[child]
        place = child
      }
      heap[place] = number
    }
    for start in (0..<heap.count / 2).reversed() { sift(start, heap.count) }
    for end in heap.indices.dropFirst().reversed() {
      heap.swapAt(0, end)
      sift(0, end)
    }
  }
}
