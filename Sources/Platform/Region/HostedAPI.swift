import ControlPlane
import Primitives
import SimulationKernel

/// The control-plane API of a region, hosted, with those who ask it and what is on its way.
///
/// Its messages go through the network as those between parts of a control plane do. What it tells
/// clusters is there at whole seconds, as everything that comes to them from outside.
struct HostedAPI: Sendable {
  enum Event: Sendable {
    /// Somebody asks for a change, again where there was no answer.
    case asks(Int)
    case hearsWish(Int)
    case hearsAnswer(Int)
    case hearsDone(UInt32, part: Int)
    case alarm
  }

  /// What the API wants done in one step, in order.
  private struct Wishes: RegionAPIEffects {
    var accepted: [UInt32] = []
    var words: [(change: UInt32, target: Int)] = []
    var alarm: Instant?

    mutating func accepted(_ change: UInt32) { accepted.append(change) }
    mutating func apply(_ change: UInt32, at target: Int) { words.append((change, target)) }
    mutating func wakeAPI(at instant: Instant) { alarm = instant }
  }

  struct Change: Sendable {
    var number: UInt32
    var at: Instant
    /// Parts of the region that it concerns.
    var parts: [Int]
    /// The number of what it takes back; nil: it stands by itself.
    var takesBack: UInt32?
  }

  /// A word on its way to a part of the region.
  struct Word: Sendable {
    var change: UInt32
    var part: Int
    var arrives: Instant
  }

  private let settings: RegionAPIConfiguration
  private let network: Network
  private var changes: [Change]
  private var machine: RegionAPI
  private var isAnswered: [Bool]
  /// In the order of time, of equal times in that of setting.
  private var agenda: [(at: Instant, event: Event)] = []
  private var alarm: Instant?
  private var busyUntil = Instant.origin
  private var sent: UInt64 = 0
  private(set) var words: [Word] = []

  init(
    _ settings: RegionAPIConfiguration, _ network: Network, changes: [Change], parts: Int
  ) {
    self.settings = settings
    self.network = network
    self.changes = changes
    machine = RegionAPI(parts: parts, rules: settings.rules)
    isAnswered = changes.map { _ in false }
    for index in changes.indices { schedule(.asks(index), at: changes[index].at) }
  }

  /// More is asked for, which lies ahead.
  mutating func add(_ more: [Change]) {
    for change in more {
      changes.append(change)
      isAnswered.append(false)
      schedule(.asks(changes.count - 1), at: change.at)
    }
  }

  func knows(_ number: UInt32) -> Bool { changes.contains { $0.number == number } }

  /// Nobody takes back what he has not heard to be accepted: else the two might come about in the
  /// wrong order.
  private func isReady(_ index: Int) -> Bool {
    guard let first = changes[index].takesBack,
      let place = changes.firstIndex(where: { $0.number == first })
    else { return true }
    return isAnswered[place]
  }

  /// When something happens next.
  var next: Instant {
    min(agenda.first?.at ?? .distantFuture, words.map(\.arrives).min() ?? .distantFuture)
  }

  private mutating func schedule(_ event: Event, at instant: Instant) {
    let index = agenda.firstIndex { $0.at > instant } ?? agenda.count
    agenda.insert((instant, event), at: index)
  }

  /// A message is sent: when it is there, or nil where it is lost.
  private mutating func arrival(leavingAt now: Instant) -> Instant? {
    defer { sent += 1 }
    switch network.send(from: .controlPlane, to: .controlPlane, sender: 0xA91, ordinal: sent) {
    case .delivered(let delay): return now + delay
    case .lost: return nil
    }
  }

  // MARK: Time

  /// Does what is due.
  mutating func run(until now: Instant, _ state: RegionAPIState, _ digest: inout Digest) {
    while let (at, event) = agenda.first, at <= now {
      agenda.removeFirst()
      handle(event, at: at, state, &digest)
    }
  }

  private mutating func handle(
    _ event: Event, at now: Instant, _ state: RegionAPIState, _ digest: inout Digest
  ) {
    switch event {
    case .asks(let index):
      guard !isAnswered[index] else { return }
      if isReady(index), let arrival = arrival(leavingAt: now) {
        schedule(.hearsWish(index), at: arrival)
      }
      schedule(.asks(index), at: now + settings.askAgain)
    case .hearsAnswer(let index): isAnswered[index] = true
    case .hearsWish(let index):
      guard !state.isStopped(at: now) else { return }
      var wishes = Wishes()
      machine.asked(
        for: changes[index].number, concerning: changes[index].parts, at: now, into: &wishes)
      carryOut(wishes, leavingAt: leaving(at: now, state), &digest)
    case .hearsDone(let change, let part):
      guard !state.isStopped(at: now) else { return }
      var wishes = Wishes()
      machine.acknowledged(change, by: part, at: now, into: &wishes)
      carryOut(wishes, leavingAt: leaving(at: now, state), &digest)
    case .alarm:
      guard alarm == now else { return }
      alarm = nil
      if let end = state.endOfStop(at: now) {
        guard end < .distantFuture else { return }
        alarm = end
        return schedule(.alarm, at: end)
      }
      var wishes = Wishes()
      machine.wake(at: now, into: &wishes)
      carryOut(wishes, leavingAt: leaving(at: now, state), &digest)
    }
  }

  private mutating func leaving(at now: Instant, _ state: RegionAPIState) -> Instant {
    let handling = Nanoseconds(seconds: settings.handling.seconds * state.slowdown(at: now))
    busyUntil = max(now, busyUntil) + handling
    return busyUntil
  }

  private mutating func carryOut(
    _ wishes: Wishes, leavingAt instant: Instant, _ digest: inout Digest
  ) {
    for change in wishes.accepted {
      guard let index = changes.firstIndex(where: { $0.number == change }),
        let arrival = arrival(leavingAt: instant)
      else { continue }
      schedule(.hearsAnswer(index), at: arrival)
    }
    for (change, part) in wishes.words {
      digest.record(RecordKind.change, at: instant, UInt64(change), UInt64(part))
      guard let arrival = arrival(leavingAt: instant) else { continue }
      words.append(Word(change: change, part: part, arrives: arrival))
    }
    guard let wanted = wishes.alarm else { return }
    alarm = wanted
    schedule(.alarm, at: max(wanted, instant))
    alarm = max(wanted, instant)
  }

  /// The words that have come to the parts by now, in order.
  mutating func takeWords(until now: Instant) -> [Word] {
    let due = words.filter { $0.arrives <= now }
    words.removeAll { $0.arrives <= now }
    return due
  }

  /// A part does as a change says, and says so.
  mutating func acknowledge(_ change: UInt32, by part: Int, at now: Instant) {
    guard let arrival = arrival(leavingAt: now) else { return }
    schedule(.hearsDone(change, part: part), at: arrival)
  }
}

/// What faults do to the API of a region: a function of time.
struct RegionAPIState {
  let faults: [FaultConfiguration]

  func isStopped(at now: Instant) -> Bool { endOfStop(at: now) != nil }

  func endOfStop(at now: Instant) -> Instant? {
    faults.filter { $0.kind == .stop(.api) && $0.span.contains(now) }.map(\.span.upperBound).max()
  }

  func slowdown(at now: Instant) -> Double {
    faults.reduce(1) { product, fault in
      guard case .slow(.api, let factor) = fault.kind, fault.span.contains(now) else {
        return product
      }
      return product * factor
    }
  }
}
