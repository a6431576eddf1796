import ControlPlane
import Primitives
import SimulationKernel

/// A message as its partition holds it; when it was produced stands beside it.
struct QueuedMessage: BitwiseCopyable {
  var identity: UInt64
  /// Service time that a trace gives, or -1: drawn when it is delivered.
  var serviceNanoseconds: Int64
}

/// One call from a consumer to an instance that has not been answered.
///
/// Of a single delivery its number says it all: the partition, and the last eight bits of the
/// offset.
struct OpenDelivery: BitwiseCopyable, Sendable {
  var run: PartitionLog<QueuedMessage>.Delivery
  var partition: UInt32
}

/// A message that has failed and is delivered again later.
struct RetriedMessage: BitwiseCopyable, Sendable {
  var message: QueuedMessage
  var since: Instant
  var partition: UInt32
}

/// One partition of a lane: its log from what the broker knows as committed on, and how far it may
/// be read.
struct LanePartition: ~Copyable {
  var log: PartitionLog<QueuedMessage>
  /// The consumer that holds it; beside what a message touches of the log.
  var owner: UInt8 {
    get { log.tag }
    set { log.tag = newValue }
  }
  /// A message before this one goes out as it comes: it is read, fetches reach so far, and none is
  /// due with it.
  private(set) var openEnd: Int64 = 0
  /// The most messages that were not committed at once.
  var peakLag = 0
  /// Whether its consumer reads.
  var isRead = true { didSet { noteReach() } }
  /// No message from here on reaches the consumer yet: fetches do not reach so far, or nobody leads
  /// the partition and the broker that did was lost at `frozenEnd`.
  private(set) var readableEnd: Int64
  private(set) var frozenEnd = Int64.max
  private(set) var fetch: FetchWindow
  /// It waits for its consumer's gate.
  var isBlocked = false
  /// When what is committed is told to the broker next, where that is not done at once.
  var persistsNext = Instant.origin
  /// Messages that were answered before a crash and come again, by offset.
  var repeats: Set<Int64> = []

  init(_ rules: TopicConfiguration) {
    log = PartitionLog(width: rules.window, isSingle: rules.deliversSingly)
    fetch = FetchWindow(size: Int64(rules.fetchMessages))
    readableEnd = fetch.end
    persistsNext = .origin + rules.persistPhase
    noteReach()
  }

  var isFrozen: Bool { frozenEnd < .max }

  private mutating func noteReach() {
    readableEnd = min(fetch.end, frozenEnd)
    openEnd = isRead ? min(readableEnd, fetch.reach) : 0
    log.close()
  }

  /// Lets messages pass as they come, up to where more than that has to be looked at. Their number
  /// is no greatest one then.
  mutating func open() { log.open(below: openEnd, most: peakLag) }

  @inline(__always) mutating func notePeak() {
    if log.lag > peakLag { peakLag = log.lag }
  }

  mutating func askFetch() {
    fetch.ask()
    noteReach()
  }

  mutating func answerFetch() {
    fetch.answer()
    noteReach()
  }

  mutating func freeze() {
    frozenEnd = log.logEnd
    noteReach()
  }

  /// Another broker leads it: what is at the consumer stays there, and the rest is fetched anew.
  mutating func thaw() {
    frozenEnd = .max
    fetch.restart(at: max(log.next, min(readableEnd, log.logEnd)))
    noteReach()
  }

  /// Another consumer reads on from what is committed.
  mutating func refetch() {
    fetch.restart(at: log.next)
    noteReach()
  }

  borrowing func clone(_ rules: TopicConfiguration) -> LanePartition {
    var copy = LanePartition(rules)
    copy.log = log.clone()
    copy.fetch = fetch
    copy.frozenEnd = frozenEnd
    copy.isRead = isRead
    copy.isBlocked = isBlocked
    copy.persistsNext = persistsNext
    copy.peakLag = peakLag
    copy.repeats = repeats
    return copy
  }
}

/// The partitions of one lane: their logs up to what is committed, and the deliveries under way.
///
/// A log holds every message that is not committed, since a crash or a time-out makes it come
/// again. Appending, delivering and answering are O(1) a message.
struct LaneTopic: ~Copyable {
  let rules: TopicConfiguration
  private(set) var brokers: LaneBrokers
  let count: Int
  /// Of the rules, what the usual case asks for: whether a message may be deleted or held back
  /// before it is delivered, whether commits are told from time to time, and what a delivery takes
  /// beside its messages.
  var mayHoldBack: Bool
  let persists: Bool
  let isSingle: Bool
  let overhead: Int64
  let isSkewed: Bool
  /// There are so many partitions that the next message's is mostly out of the cache.
  let isFar: Bool
  private let partitions: PartitionTable
  /// Upper ends of the partitions' shares of the keys, as 64-bit fractions; empty for equal ones.
  private let shares: [UInt64]
  private var deliveries = SlotPool<OpenDelivery>()
  /// Of deliveries that are in a slot, which those of a log that has begun anew always are.
  private static let slotMark: UInt32 = 1 << 31
  /// Each delivery is single and of a log that has never begun anew, and no message has a past: an
  /// answer is a bit.
  private(set) var isCalm: Bool
  /// Messages on instances.
  var inFlight = 0
  /// Messages of all partitions that were answered before a crash and come again.
  var repeatCount = 0
  /// How often messages have failed that were not answered yet, by identity.
  private(set) var failures: [UInt64: Int] = [:]
  private(set) var failureCount = 0
  /// Messages that have failed and wait to be delivered again.
  var retries = SlotPool<RetriedMessage>()
  var retrying = 0
  /// By consumer of the lane: whether it is there.
  var isUp: [Bool]
  /// Those that have crashed, which are not back with their zone.
  var crashed: Set<Int> = []
  /// Members that are gone and that the group does not know to be: which, and until when.
  var sessions: [(consumer: Int, end: Instant)] = []
  /// Since when the group waits for such members before it agrees.
  var agreesSince: Instant?
  /// What the group has agreed on, from the end of a rebalance on.
  var agreed: [UInt8] = []
  var leaders: PartitionLeaders
  /// Before this instant its consumers do not pause, and nothing but a message itself is to be
  /// looked at when it comes: nothing is deleted, and none has failed.
  private(set) var openUntil = Instant.origin { didSet { setPassing() } }
  /// Whether of a message that comes its partition is all that has to be looked at: partitions have
  /// equal shares, its service time is drawn late, and AutoScale hears of the lane already.
  var passesAtOnce = false { didSet { setPassing() } }
  /// Both of these in one: before this instant messages pass at once.
  private(set) var passUntil = Instant.origin

  /// - Parameters:
  ///   - count: partitions of the lane.
  ///   - consumers: among which they are dealt.
  init(_ rules: TopicConfiguration, count: Int, consumers: Int, brokers: LaneBrokers) {
    self.rules = rules
    self.brokers = brokers
    self.count = count
    mayHoldBack = rules.hasRetention
    persists = rules.persistInterval != nil
    overhead = rules.deliveryOverhead.count
    isSingle = rules.deliversSingly
    isCalm = isSingle
    partitions = PartitionTable(count: count, rules)
    shares = Self.shares(count, skew: rules.skew)
    isSkewed = !shares.isEmpty
    isFar = count >= Self.farFrom
    isUp = Array(repeating: true, count: consumers)
    leaders = PartitionLeaders(
      partitions: count, brokers: brokers.count, first: brokers.first,
      hasOtherZones: brokers.hasOtherZones)
    agreed = assignment()
    for (index, owner) in agreed.enumerated() { self[index].owner = owner }
  }

  deinit { partitions.deallocate(count: count) }

  /// No topic: a lane of requests.
  static func none() -> LaneTopic {
    LaneTopic(TopicConfiguration(partitions: 0), count: 0, consumers: 1, brokers: LaneBrokers())
  }

  subscript(index: Int) -> LanePartition {
    @inline(__always) _read { yield partitions.pointer(index).pointee }
    @inline(__always) nonmutating _modify { yield &partitions.pointer(index).pointee }
  }

  private static var farFrom: Int { 16 }

  /// The partition of a single delivery, by its number.
  @inline(__always) func partition(ofDelivery number: UInt32) -> UnsafeMutablePointer<LanePartition>
  {
    partitions.pointer(ofDelivery: number)
  }

  /// A message will come, or an answer to a delivery: asks for its partition's memory.
  @inline(__always) func expect(_ identity: UInt64, key: UInt64) {
    partitions.ask(for: evenPartition(of: identity, key: key))
  }
  @inline(__always) func expect(answerTo number: UInt32) {
    partitions.ask(for: Int(truncatingIfNeeded: number &>> 8))
  }

  private static func shares(_ count: Int, skew: Double) -> [UInt64] {
    guard skew > 0, count > 1 else { return [] }
    var sum = 0.0
    return TopicConfiguration.weights(count, skew: skew).dropLast().map { weight in
      sum += weight
      return UInt64(sum * 0x1p63) << 1
    }
  }

  /// Who gets which partition among the consumers that are there, by the group's assignor.
  /// Precondition: one is there.
  func assignment() -> [UInt8] {
    var owned: [[TopicPartition]] = isUp.map { _ in [] }
    for index in 0..<agreed.count {
      owned[Int(agreed[index])].append(TopicPartition(topic: 0, partition: index))
    }
    let consumers = isUp.indices.filter { isUp[$0] }
    let members = consumers.map { GroupMember(id: $0, topics: [0], owned: owned[$0]) }
    // Cooperative members give up and take in two rounds; where they end is where sticky ones do.
    let assignor = rules.assignor == .cooperativeSticky ? .sticky : rules.assignor
    let dealt = assignor.assign(members, partitions: [count])
    var owners = [UInt8](repeating: 0, count: count)
    for (position, consumer) in consumers.enumerated() {
      for partition in dealt.partitions[position] {
        owners[Int(partition.partition)] = UInt8(truncatingIfNeeded: consumer)
      }
    }
    return owners
  }

  /// Numbers a delivery that goes out.
  mutating func put(
    _ run: PartitionLog<QueuedMessage>.Delivery, of partition: Int
  ) -> UInt32 {
    let place = UInt32(truncatingIfNeeded: partition)
    guard isSingle, run.epoch == 0 else {
      return deliveries.put(OpenDelivery(run: run, partition: place)) | Self.slotMark
    }
    return Self.number(place, UInt32(truncatingIfNeeded: run.first) & 255)
  }

  /// The number of a single delivery by the last eight bits of its offset.
  @inline(__always) static func number(_ partition: UInt32, _ bits: UInt32) -> UInt32 {
    partition &<< 8 | bits
  }

  /// The open delivery of a number. Of one from before a crash nothing but that is right.
  func open(_ number: UInt32) -> OpenDelivery {
    guard number & Self.slotMark == 0 else { return deliveries[number & ~Self.slotMark] }
    let partition = number >> 8
    let first = self[Int(partition)].log.offset(endingIn: number & 255)
    return OpenDelivery(
      run: PartitionLog<QueuedMessage>.Delivery(first: first, count: 1, epoch: 0),
      partition: partition)
  }

  /// The same, and forgets it.
  mutating func close(_ number: UInt32) -> OpenDelivery {
    guard number & Self.slotMark == 0 else { return deliveries.take(number & ~Self.slotMark) }
    return open(number)
  }

  /// Knows of more crashes of brokers.
  mutating func expect(_ faults: [BrokerFault]) { brokers.faults += faults }

  /// A log begins anew.
  mutating func disturb() { isCalm = false }

  /// Messages of a run that were not answered before.
  func fresh(_ run: Range<Int64>, of partition: Int) -> Int {
    run.count - run.count { self[partition].repeats.contains($0) }
  }

  /// Whether a message has a past that its partition remembers beside the log.
  @inline(__always) var hasPast: Bool { (repeatCount | failureCount) != 0 }

  /// How often a message has failed.
  func failures(of identity: UInt64) -> Int { failures[identity] ?? 0 }

  /// Sets how often a message has failed; 0 forgets it.
  mutating func setFailures(_ count: Int, of identity: UInt64) {
    failures[identity] = count == 0 ? nil : count
    failureCount = failures.count
    openUntil = .origin
    isCalm = false
  }

  private mutating func setPassing() { passUntil = passesAtOnce ? openUntil : .origin }

  /// Whether its consumers read nothing. Instants must not go back.
  @inline(__always) mutating func isPaused(at now: Instant) -> Bool {
    now >= openUntil && lookForPause(at: now)
  }

  private mutating func lookForPause(at now: Instant) -> Bool {
    if rules.isPaused(at: now) { return true }
    guard !mayHoldBack, failureCount == 0 else { return false }
    openUntil = rules.nextPauseEdge(after: now) ?? .distantFuture
    return false
  }

  /// The same of partitions with equal shares.
  @inline(__always) func evenPartition(of identity: UInt64, key: UInt64) -> Int {
    let mixed = Mixing.spread(identity, key: key)
    let high = mixed.multipliedFullWidth(by: UInt64(truncatingIfNeeded: count)).high
    return Int(truncatingIfNeeded: high)
  }

  /// The partition of a message, by its key.
  @inline(__always) func partition(of identity: UInt64, key: UInt64) -> Int {
    guard isSkewed else { return evenPartition(of: identity, key: key) }
    let mixed = Mixing.spread(identity, key: key)
    var (low, high) = (0, count - 1)
    while low < high {
      let middle = (low + high) / 2
      if mixed < shares[middle] { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Messages that the broker does not know as committed: what consumers are behind.
  var lag: Int {
    var sum = 0
    for index in 0..<count { sum += self[index].log.lag }
    return sum
  }

  /// Messages that no instance has answered and none is at work on.
  var waiting: Int {
    var sum = retrying - inFlight - repeatCount
    for index in 0..<count {
      sum += Int(self[index].log.logEnd - self[index].log.committed)
      sum -= Int(self[index].log.doneAhead)
    }
    return sum
  }

  borrowing func clone() -> LaneTopic {
    var copy = LaneTopic(rules, count: count, consumers: isUp.count, brokers: brokers)
    for index in 0..<count { copy[index] = self[index].clone(rules) }
    copy.mayHoldBack = mayHoldBack
    copy.deliveries = deliveries.clone()
    copy.isCalm = isCalm
    copy.inFlight = inFlight
    copy.repeatCount = repeatCount
    copy.failures = failures
    copy.failureCount = failureCount
    copy.retries = retries.clone()
    copy.retrying = retrying
    copy.isUp = isUp
    copy.crashed = crashed
    copy.sessions = sessions
    copy.agreesSince = agreesSince
    copy.agreed = agreed
    copy.leaders = leaders
    return copy
  }
}
