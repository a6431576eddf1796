import ControlPlane
import Primitives
import SimulationKernel
import Workload

// Messages: from the log of a partition to an instance and back.
extension LaneCore {
  /// A message is in its partition's log.
  @inline(__always)
  mutating func produce(_ message: QueuedMessage, since: Instant) -> Int {
    let partition = topic.partition(of: message.identity, key: settings.partKey.raw)
    append(message, since: since, to: partition)
    return partition
  }

  @inline(__always)
  private mutating func append(_ message: QueuedMessage, since: Instant, to partition: Int) {
    topic[partition].log.append(message, since: since)
    topic[partition].notePeak()
  }

  /// Sets alarms for the ends of pauses.
  mutating func armResumptions(after now: Instant) {
    for pause in topic.rules.pauses where pause.upperBound > now {
      _ = queue.push(
        at: pause.upperBound, class: EventRank.alarm,
        LaneEvent(kind: .resumption, part: 0, flags: 0, slot: 0, arrival: .origin))
    }
  }

  /// Tells AutoScale how far each partition is.
  mutating func tellOffsets(at now: Instant) {
    guard settings.tellsOffsets else { return }
    for partition in 0..<topic.count {
      let committed = topic[partition].log.base
      let message = ControlMessage.offsets(
        settings.lane, partition: UInt32(truncatingIfNeeded: partition), committed: committed,
        logEnd: topic[partition].log.logEnd)
      send(message, to: .autoscaler, at: now, extraDelay: settings.signalDelay)
    }
  }

  /// A message is in its partition's log and goes out by itself: the usual case of a lane in which
  /// messages pass at once, before `passUntil`. Returns the number of its delivery; nil: it is not
  /// in the log, and nothing has happened.
  @inline(__always)
  mutating func passAtOnce(_ arrival: Arrival, to partition: Int) -> UInt32? {
    #if PLANT_LOST_REQUEST
      return nil
    #else
      if !topic[partition].log.passes, !topic[partition].log.reopen() {
        open(partition)
        guard topic[partition].log.passes else { return nil }
      }
      counters.arrivals &+= 1
      let bits = topic[partition].log.passSingle(
        QueuedMessage(identity: arrival.identity, serviceNanoseconds: arrival.serviceTime),
        since: Instant(nanoseconds: arrival.time))
      part = topic[partition].owner
      return LaneTopic.number(UInt32(truncatingIfNeeded: partition), bits)
    #endif
  }

  /// The same where more may have to be looked at.
  @inline(__always)
  mutating func deliverAtOnce(
    _ message: QueuedMessage, of partition: Int, since: Instant, at now: Instant
  ) -> Ticket? {
    guard topic[partition].log.passes, now < topic.openUntil else { return nil }
    let bits = topic[partition].log.passSingle(message, since: since)
    part = topic[partition].owner
    return Ticket(
      arrival: since, identity: message.identity,
      serviceNanoseconds: drawsLate ? message.serviceNanoseconds : deliveryTime(of: message),
      delivery: LaneTopic.number(UInt32(truncatingIfNeeded: partition), bits))
  }

  /// Follows what is committed of a partition, whose messages may pass again then.
  @inline(never) mutating func open(_ partition: Int) { topic[partition].open() }

  /// A message is in the log of a partition of single deliveries and waits, if its window is full:
  /// nothing goes out before an answer then. False: there is room, and nothing has happened.
  mutating func holdBack(
    _ message: QueuedMessage, of partition: Int, since: Instant
  ) -> Bool {
    guard !topic[partition].log.hasRoom else { return false }
    append(message, since: since, to: partition)
    return true
  }

  /// The same where answers have to be counted first, a record is due, or a delivery is not single.
  /// Nil: it waits in the log.
  mutating func deliverOtherwise(
    _ message: QueuedMessage, of partition: Int, since: Instant, at now: Instant
  ) -> Ticket? {
    guard topic[partition].log.isOpen(below: topic[partition].openEnd), now < topic.openUntil
    else {
      append(message, since: since, to: partition)
      return nil
    }
    let run = topic[partition].log.pass(message, since: since)
    topic[partition].notePeak()
    topic[partition].open()
    part = topic[partition].owner
    return Ticket(
      arrival: since, identity: message.identity,
      serviceNanoseconds: drawsLate ? message.serviceNanoseconds : deliveryTime(of: message),
      delivery: topic.put(run, of: partition))
  }

  /// The next delivery of a partition, if its window has room and its log has a message.
  ///
  /// - Parameter limit: messages of it, at most, beside what the rules say.
  mutating func nextDelivery(
    _ partition: Int, at now: Instant, most limit: Int64 = .max
  ) -> Ticket? {
    let end = min(topic[partition].log.logEnd, topic[partition].readableEnd)
    guard
      let run = topic[partition].log.deliver(
        most: min(limit, Int64(topic.rules.maximumBatch)), below: end)
    else { return nil }
    if topic[partition].fetch.isDue(next: run.end) { fetchMore(partition, at: now) }
    let delivery = OpenDelivery(run: run, partition: UInt32(truncatingIfNeeded: partition))
    return ticket(topic.put(run, of: partition), delivery)
  }

  /// Asks the broker for the next messages of a partition; they are there after a round trip.
  mutating func fetchMore(_ partition: Int, at now: Instant) {
    // Nobody answers: another broker is asked when there is one.
    guard !topic[partition].isFrozen else { return }
    topic[partition].askFetch()
    guard topic.brokers.roundTrip > .zero else { return fetched(partition) }
    _ = queue.push(
      at: now + topic.brokers.roundTrip, class: EventRank.alarm,
      LaneEvent(
        kind: .fetched, part: 0, flags: 0, slot: UInt32(truncatingIfNeeded: partition),
        arrival: .origin, delivery: topic[partition].fetch.generation))
  }

  /// Fetches from where reading goes on, when that is beyond what was fetched: what was to come
  /// next has been deleted, or the lane was not simulated message by message.
  mutating func followReading(_ partition: Int, at now: Instant) {
    let next = topic[partition].log.next
    if next > topic[partition].fetch.end { topic[partition].refetch() }
    if topic[partition].fetch.isDue(next: next) { fetchMore(partition, at: now) }
  }

  /// The messages of a fetch are at the consumer.
  mutating func fetched(_ partition: Int) {
    topic[partition].answerFetch()
  }

  /// What the router of the consumer is told of a delivery. It changes nothing: of what is borrowed
  /// the compiler would make a copy.
  @inline(__always)
  private mutating func ticket(_ number: UInt32, _ delivery: OpenDelivery) -> Ticket {
    let partition = Int(delivery.partition)
    let first = delivery.run.first
    let oldest = topic[partition].log[first]
    var attempts = oldest.attempt
    if topic.failureCount > 0 {
      attempts &+= UInt32(topic.failures(of: oldest.message.identity))
    }
    // Each attempt has draws of its own.
    let attempt = UInt64(attempts) &* 0x9E37_79B9_7F4A_7C15
    var service = topic.rules.deliveryOverhead.count
    service += serviceTime(of: oldest.message, attempt)
    if delivery.run.count > 1 {
      for offset in first + 1..<delivery.run.end {
        service += serviceTime(of: topic[partition].log[offset].message, attempt)
      }
    }
    return Ticket(
      arrival: oldest.since, identity: oldest.message.identity &+ attempt,
      serviceNanoseconds: service, delivery: number)
  }

  @inline(never) private mutating func deliveryTime(of message: QueuedMessage) -> Int64 {
    topic.overhead &+ serviceTime(of: message, 0)
  }

  @inline(__always)
  private mutating func serviceTime(of message: QueuedMessage, _ attempt: UInt64) -> Int64 {
    guard message.serviceNanoseconds < 0 else {
      guard settings.serviceFactor != 1 else { return message.serviceNanoseconds }
      return Int64(Double(message.serviceNanoseconds) * settings.serviceFactor)
    }
    var bits = PairedStream(key: settings.serviceKey, index: message.identity &+ attempt)
    return settings.serviceTime.sampleNanoseconds(using: &bits)
  }

  /// A delivery has been answered: its messages are done, and the contiguous prefix is committed.
  @inline(__always)
  mutating func messagesDone(_ number: UInt32, arrival: Instant, at now: Instant) {
    guard topic.isCalm else { return messagesDoneOtherwise(number, arrival: arrival, at: now) }
    let partition = topic.partition(ofDelivery: number)
    partition.pointee.log.noteAnswer(number)
    if !partition.pointee.log.isOpenWide { noteBehind(Int(truncatingIfNeeded: number >> 8)) }
    latencies.append(now.nanoseconds &- arrival.nanoseconds)
    counters.completed &+= 1
    topic.inFlight &-= 1
    if latencies.isFull { needsAttention = true }
  }

  /// More of a partition may wait.
  @inline(never) private mutating func noteBehind(_ partition: Int) {
    freedPartition = partition
    isBehind = topic[partition].log.hasBacklog
    if isBehind { needsAttention = true }
  }

  @inline(never)
  private mutating func messagesDoneOtherwise(
    _ number: UInt32, arrival: Instant, at now: Instant
  ) {
    defer {
      isBehind = topic[freedPartition].log.hasBacklog
      if isBehind { needsAttention = true }
    }
    let delivery = topic.close(number)
    let partition = Int(delivery.partition)
    freedPartition = partition
    // The answer is to a consumer that is gone.
    guard topic[partition].log.isCurrent(delivery.run) else { return }
    if delivery.run.count == 1, !topic.hasPast {
      latencies.append(now.nanoseconds &- arrival.nanoseconds)
      counters.completed &+= 1
      topic.inFlight &-= 1
    } else {
      countDone(delivery.run, partition, at: now)
    }
    if latencies.isFull { needsAttention = true }
    complete(delivery.run, partition, at: now)
  }

  /// A run of messages is done with, one way or another.
  @inline(__always)
  private mutating func complete(
    _ run: PartitionLog<QueuedMessage>.Delivery, _ partition: Int, at now: Instant
  ) {
    if topic.persists {
      topic.persist(partition, at: now)
      _ = topic[partition].log.answered(run.first, run.count)
    } else if topic[partition].log.answered(run.first, run.count) > 0 {
      topic[partition].log.release()
    }
  }

  /// Counts the messages of a delivery, those that had been answered before apart.
  private mutating func countDone(
    _ run: PartitionLog<QueuedMessage>.Delivery, _ partition: Int, at now: Instant
  ) {
    for offset in run.first..<run.end {
      if topic.repeatCount > 0, topic[partition].repeats.remove(offset) != nil {
        topic.repeatCount -= 1
        counters.repeated &+= 1
        continue
      }
      let entry = topic[partition].log[offset]
      if topic.failureCount > 0 { topic.setFailures(0, of: entry.message.identity) }
      latencies.append((now - entry.since).count)
      counters.completed &+= 1
      topic.inFlight -= 1
    }
  }

  /// A delivery has failed and its messages are put aside: each comes again later, or is a dead
  /// letter. The partition goes on.
  mutating func putAside(_ number: UInt32, at now: Instant) {
    let delivery = topic.close(number)
    let partition = Int(delivery.partition)
    freedPartition = partition
    guard topic[partition].log.isCurrent(delivery.run) else { return }
    for offset in delivery.run.first..<delivery.run.end {
      if topic.repeatCount > 0, topic[partition].repeats.remove(offset) != nil {
        topic.repeatCount -= 1
      } else {
        topic.inFlight -= 1
        putAside(topic[partition].log[offset], partition, now)
      }
    }
    complete(delivery.run, partition, at: now)
  }

  private mutating func putAside(
    _ entry: PartitionLog<QueuedMessage>.Entry, _ partition: Int, _ now: Instant
  ) {
    let identity = entry.message.identity
    let failures = topic.failures(of: identity) + 1
    let most = topic.rules.retryAttempts ?? 0
    guard let delay = RetryLevels.delay(afterFailures: failures, most: most) else {
      topic.setFailures(0, of: identity)
      counters.deadLettered &+= 1
      digest.record(RecordKind.deadLettered, at: now, identity)
      return
    }
    topic.setFailures(failures, of: identity)
    topic.retrying += 1
    let slot = topic.retries.put(
      RetriedMessage(
        message: entry.message, since: entry.since, partition: UInt32(partition)))
    _ = queue.push(
      at: now + delay, class: EventRank.alarm,
      LaneEvent(kind: .retry, part: 0, flags: 0, slot: slot, arrival: .origin))
  }

  /// A message that had failed is in its partition again, behind the others.
  mutating func takeUp(_ slot: UInt32) -> Int {
    let retried = topic.retries.take(slot)
    topic.retrying -= 1
    counters.redelivered &+= 1
    append(retried.message, since: retried.since, to: Int(retried.partition))
    return Int(retried.partition)
  }

  /// Whether the consumer of a delivery is still there.
  func isCurrent(_ number: UInt32) -> Bool {
    let delivery = topic.open(number)
    return topic[Int(delivery.partition)].log.isCurrent(delivery.run)
  }

  /// An instance takes up a delivery.
  @inline(__always) mutating func beginDelivery(_ number: UInt32) {
    guard topic.isCalm else { return moveInFlight(by: number, sign: 1) }
    topic.inFlight &+= 1
  }

  /// Counts the messages of a delivery that were not answered before. Apart from the usual case,
  /// which must not call a method of the topic: the compiler would copy it whole.
  @inline(never) private mutating func moveInFlight(by number: UInt32, sign: Int) {
    let delivery = topic.open(number)
    guard topic.repeatCount > 0 else {
      topic.inFlight += sign * Int(delivery.run.count)
      return
    }
    let run = delivery.run.first..<delivery.run.end
    let fresh = topic.fresh(run, of: Int(delivery.partition))
    topic.inFlight += sign * fresh
  }

  /// Messages for which its consumers have called so far: what waits in a log is not among them.
  var messagesCalled: UInt64 {
    counters.completed &+ counters.repeated &+ counters.deadLettered &+ counters.redelivered
      &+ UInt64(max(0, topic.inFlight))
  }

  /// By what is under way.
  var callsPerMessage: Double {
    topic.inFlight > inFlight ? Double(inFlight) / Double(topic.inFlight) : 1
  }

  /// A delivery was not answered in time: it goes out again, at least once.
  mutating func deliverAgain(_ number: UInt32) -> Ticket {
    let delivery = topic.open(number)
    counters.redelivered &+= UInt64(delivery.run.count)
    moveInFlight(by: number, sign: -1)
    topic[Int(delivery.partition)].log.noteAttempt(of: delivery.run)
    return ticket(number, delivery)
  }

  /// A delivery has not reached an instance: it goes out as it was.
  mutating func undelivered(_ number: UInt32) -> Ticket {
    moveInFlight(by: number, sign: -1)
    return ticket(number, topic.open(number))
  }

  /// Whoever held a partition has lost it: what is not committed comes again.
  ///
  /// - Parameters:
  ///   - held: first messages of deliveries that had not reached an instance.
  ///   - hasCrashed: what it had not told the broker is lost with it.
  mutating func release(_ partition: Int, held: Set<Int64>, hasCrashed: Bool, at now: Instant) {
    if hasCrashed { topic.persist(partition, at: now) } else { topic[partition].log.release() }
    var (repeats, inFlight) = (topic[partition].repeats, 0)
    let (base, committed) = (topic[partition].log.base, topic[partition].log.committed)
    if base < committed { repeats.formUnion(base..<committed) }
    topic[partition].log.visit { messages, isDone in
      if isDone {
        repeats.formUnion(messages)
      } else if !held.contains(messages.lowerBound) {
        inFlight += topic.fresh(messages, of: partition)
      }
    }
    topic.inFlight -= inFlight
    topic.disturb()
    topic.repeatCount += repeats.count - topic[partition].repeats.count
    topic[partition].repeats = repeats
    counters.redelivered &+= UInt64(topic[partition].log.reset())
    topic[partition].refetch()
  }
}

// MARK: Hand-over

extension LaneCore {
  /// Messages that no instance has, the oldest first.
  ///
  /// - Parameter queued: deliveries that wait at their consumer.
  func waitingMessages(_ queued: [UInt32]) -> [Ticket] {
    var tickets: [Ticket] = []
    for number in queued {
      let delivery = topic.open(number)
      collect(Int(delivery.partition), delivery.run.first..<delivery.run.end, into: &tickets)
    }
    for index in 0..<topic.count {
      collect(index, topic[index].log.next..<topic[index].log.logEnd, into: &tickets)
    }
    return tickets.sorted { ($0.arrival, $0.identity) < ($1.arrival, $1.identity) }
  }

  private func collect(_ partition: Int, _ offsets: Range<Int64>, into tickets: inout [Ticket]) {
    for offset in offsets {
      let entry = topic[partition].log[offset]
      tickets.append(
        Ticket(
          arrival: entry.since, identity: entry.message.identity,
          serviceNanoseconds: entry.message.serviceNanoseconds))
    }
  }

  /// Messages of a call that is under way.
  func messages(of call: LaneEvent) -> UInt32 {
    settings.isTopic ? UInt32(topic.open(call.delivery).run.count) : 1
  }

  /// A message that waits is in its partition again.
  mutating func restore(_ ticket: Ticket) {
    _ = produce(
      QueuedMessage(identity: ticket.identity, serviceNanoseconds: ticket.serviceNanoseconds),
      since: ticket.arrival)
  }

  /// A message on an instance is a delivery of some partition whose window has room, in turn.
  ///
  /// - Returns: the delivery. Precondition: no message that waits has been restored yet.
  mutating func restore(_ call: CarriedLane.Call) -> UInt32 {
    var partition = topic.inFlight % topic.count
    while !topic[partition].log.hasRoom { partition = (partition + 1) % topic.count }
    // Beyond the identities of any source.
    let identity = 1 << 61 | UInt64(bitPattern: call.arrival.nanoseconds)
    for _ in 0..<call.messages {
      topic[partition].log.append(
        QueuedMessage(identity: identity, serviceNanoseconds: -1), since: call.arrival)
    }
    let end = topic[partition].log.logEnd
    guard
      let run = topic[partition].log.deliver(most: Int64(call.messages), below: end)
    else {
      preconditionFailure("a window with room and a log with a message give a delivery")
    }
    topic.inFlight += Int(call.messages)
    return topic.put(run, of: partition)
  }
}
