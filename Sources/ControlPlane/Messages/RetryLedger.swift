import Primitives

/// How an unanswered message is repeated.
public struct RetryRules: Sendable, Equatable {
  /// An unanswered message is repeated after this.
  public var timeout: Nanoseconds
  /// One that was accepted, to be answered later, is repeated after this.
  public var pollInterval: Nanoseconds
  /// How often a message is sent in all before it is given up.
  public var attempts: Int

  public init(timeout: Nanoseconds, pollInterval: Nanoseconds, attempts: Int = .max) {
    self.timeout = timeout
    self.pollInterval = pollInterval
    self.attempts = attempts
  }
}

/// Messages that wait for an answer. What is not answered in time is sent again; what the other
/// side has accepted, and answers later, is asked for again at longer intervals.
///
/// The receiver must understand a repetition as one. Each call is O(1) amortised; the dictionary is
/// asked only for keys.
public struct RetryLedger<Key: Hashable & Sendable & BitwiseCopyable>: Sendable {
  @usableFromInline
  struct Entry: Sendable {
    @usableFromInline var message: ControlMessage
    @usableFromInline var to: Address
    @usableFromInline var sentAt: Instant
    /// When it was sent first; nil: by somebody else.
    @usableFromInline var openedAt: Instant?
    @usableFromInline var attempt = 1
    @usableFromInline var isAccepted = false

    @usableFromInline
    init(
      message: ControlMessage, to: Address, sentAt: Instant, openedAt: Instant? = nil,
      isAccepted: Bool = false
    ) {
      self.message = message
      self.to = to
      self.sentAt = sentAt
      self.openedAt = openedAt
      self.isAccepted = isAccepted
    }
  }

  public let rules: RetryRules
  @usableFromInline var entries: [Key: Entry] = [:]
  @usableFromInline var unanswered = DeadlineRing<Key>()
  @usableFromInline var accepted = DeadlineRing<Key>()
  /// Whether what comes first in a ring may have been answered since somebody looked: to look it up
  /// after every message costs more than all the rest.
  @usableFromInline var mayBeginWithClosed = true

  @inlinable public init(_ rules: RetryRules) { self.rules = rules }

  @inlinable public var count: Int { entries.count }

  @inlinable public func contains(_ key: Key) -> Bool { entries[key] != nil }

  /// When a message that waits was sent first; nil where it does not wait, or was sent by another.
  @inlinable public func openedAt(_ key: Key) -> Instant? { entries[key]?.openedAt }

  /// A message that waits; nil where none does.
  @inlinable public func message(_ key: Key) -> ControlMessage? { entries[key]?.message }

  /// Notes a message that has just been sent.
  @inlinable public mutating func open(
    _ key: Key, _ message: ControlMessage, to address: Address, at now: Instant
  ) {
    noteChange(of: key)
    entries[key] = Entry(message: message, to: address, sentAt: now, openedAt: now)
    unanswered.append(key, at: now)
  }

  /// Notes what the other side has accepted already.
  @inlinable public mutating func openAccepted(
    _ key: Key, _ message: ControlMessage, to address: Address, at now: Instant
  ) {
    noteChange(of: key)
    entries[key] = Entry(message: message, to: address, sentAt: now, isAccepted: true)
    accepted.append(key, at: now)
  }

  /// The other side has the message and will answer later.
  @inlinable public mutating func accept(_ key: Key, at now: Instant) {
    guard var entry = entries[key], !entry.isAccepted else { return }
    noteChange(of: key)
    entry.isAccepted = true
    entry.attempt = 1
    entry.sentAt = now
    entries[key] = entry
    accepted.append(key, at: now)
  }

  /// The answer is there; false when none was waited for.
  @inlinable public mutating func close(_ key: Key) -> Bool {
    noteChange(of: key)
    return entries.removeValue(forKey: key) != nil
  }

  @inlinable mutating func noteChange(of key: Key) {
    if unanswered.first?.key == key || accepted.first?.key == key { mayBeginWithClosed = true }
  }

  /// Forgets the messages that a rule picks. O(messages).
  @inlinable public mutating func forget(where isForgotten: (ControlMessage) -> Bool) {
    mayBeginWithClosed = true
    entries = entries.filter { !isForgotten($0.value.message) }  // order-free: each by itself
  }

  /// Sends again what is due, oldest first.
  ///
  /// - Parameters:
  ///   - resend: sends a message again.
  ///   - giveUp: the message has been sent as often as it may be; it is forgotten.
  @inlinable public mutating func repeatDue(
    at now: Instant, resend: (_ message: ControlMessage, _ to: Address) -> Void,
    giveUp: (_ key: Key, _ message: ControlMessage) -> Void
  ) {
    guard !entries.isEmpty else { return }
    guard
      isDue(unanswered, at: now, after: rules.timeout)
        || isDue(accepted, at: now, after: rules.pollInterval)
    else { return }
    mayBeginWithClosed = true
    let due =
      Self.takeDue(&unanswered, of: entries, at: now, after: rules.timeout, isAccepted: false)
      + Self.takeDue(&accepted, of: entries, at: now, after: rules.pollInterval, isAccepted: true)
    for key in due {
      guard var entry = entries[key] else { continue }
      guard entry.attempt < rules.attempts else {
        entries[key] = nil
        giveUp(key, entry.message)
        continue
      }
      entry.attempt += 1
      entry.sentAt = now
      entry.isAccepted = false
      entries[key] = entry
      unanswered.append(key, at: now)
      resend(entry.message, entry.to)
    }
  }

  /// As above, for messages that are never given up.
  @inlinable public mutating func repeatDue(
    at now: Instant, resend: (_ message: ControlMessage, _ to: Address) -> Void
  ) {
    repeatDue(at: now, resend: resend) { _, _ in }
  }

  @inlinable func isDue(
    _ ring: DeadlineRing<Key>, at now: Instant, after delay: Nanoseconds
  ) -> Bool {
    ring.first.map { $0.at + delay <= now } ?? false
  }

  @inlinable static func takeDue(
    _ ring: inout DeadlineRing<Key>, of entries: [Key: Entry], at now: Instant,
    after delay: Nanoseconds, isAccepted: Bool
  ) -> [Key] {
    var due: [Key] = []
    while let (key, at) = ring.first {
      let isCurrent = isCurrent(entries[key], at, isAccepted)
      guard !isCurrent || at + delay <= now else { break }
      ring.removeFirst()
      if isCurrent { due.append(key) }
    }
    return due
  }

  @inlinable static func isCurrent(_ entry: Entry?, _ at: Instant, _ isAccepted: Bool) -> Bool {
    entry?.sentAt == at && entry?.isAccepted == isAccepted
  }

  /// When something is due next, nil when nothing waits.
  @inlinable public mutating func nextDue() -> Instant? {
    if mayBeginWithClosed {
      Self.dropClosed(&unanswered, of: entries, isAccepted: false)
      Self.dropClosed(&accepted, of: entries, isAccepted: true)
      mayBeginWithClosed = false
    }
    let first = unanswered.first.map { $0.at + rules.timeout }
    let second = accepted.first.map { $0.at + rules.pollInterval }
    guard let first, let second else { return first ?? second }
    return min(first, second)
  }

  @inlinable static func dropClosed(
    _ ring: inout DeadlineRing<Key>, of entries: [Key: Entry], isAccepted: Bool
  ) {
    while let (key, at) = ring.first, !isCurrent(entries[key], at, isAccepted) {
      ring.removeFirst()
    }
  }
}

/// Keys with one fixed time-out, oldest first: a ring, since they run out in the order of asking.
public struct DeadlineRing<Key: Sendable>: Sendable {
  @usableFromInline var entries: [(key: Key, at: Instant)] = []
  @usableFromInline var head = 0

  @inlinable public init() {}

  @inlinable public var first: (key: Key, at: Instant)? {
    head < entries.count ? entries[head] : nil
  }

  @inlinable public mutating func append(_ key: Key, at now: Instant) { entries.append((key, now)) }

  @inlinable public mutating func removeFirst() {
    head += 1
    if head > 64 && head * 2 > entries.count {
      entries.removeFirst(head)
      head = 0
    }
  }
}
