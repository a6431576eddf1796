import ControlPlane
import Primitives
import SimulationKernel

// Messages: from the log of a partition to an instance and back.
extension LaneCore {
  /// A message is in its partition's log.
  @inline(__always)
  mutating func produce(_ message: QueuedMessage, at now: Instant) -> Int {
    let partition = topic.partition(of: message.identity, key: settings.partKey.raw)
    topic[partition].log.append(message, since: now)
    return partition
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
    guard settings.isTopic else { return }
    for partition in 0..<topic.count {
      let committed = topic[partition].window.committed
      let message = ControlMessage.offsets(
        settings.lane, partition: UInt32(truncatingIfNeeded: partition), committed: committed,
        logEnd: committed + Int64(topic[partition].log.count))
      send(message, to: .autoscaler, at: now, extraDelay: settings.signalDelay)
    }
  }

  /// The next delivery of a partition, if its window has room and its log has a message.
  @inline(__always) mutating func nextDelivery(_ partition: Int) -> Ticket? {
    let committed = topic[partition].window.committed
    let end = committed + Int64(topic[partition].log.count)
    guard
      let run = topic[partition].window.deliver(
        most: Int64(topic.rules.maximumBatch), logEnd: end)
    else { return nil }
    let delivery = OpenDelivery(partition: UInt32(truncatingIfNeeded: partition), run: run)
    return ticket(topic.deliveries.put(delivery))
  }

  /// What the router of the consumer is told of a delivery.
  @inline(__always) private func ticket(_ number: UInt32) -> Ticket {
    let delivery = topic.deliveries[number]
    let partition = Int(delivery.partition)
    let first = Int(delivery.run.first - topic[partition].window.committed)
    let oldest = topic[partition].log.entry(first)
    // Each attempt has draws of its own.
    let attempt = UInt64(delivery.attempt) &* 0x9E37_79B9_7F4A_7C15
    var service = topic.rules.deliveryOverhead.count
    for place in first..<first + Int(delivery.run.count) {
      service += serviceTime(of: topic[partition].log.entry(place).ticket, attempt)
    }
    return Ticket(
      arrival: oldest.since, identity: oldest.ticket.identity &+ attempt,
      serviceNanoseconds: service, delivery: number)
  }

  @inline(__always)
  private func serviceTime(of message: QueuedMessage, _ attempt: UInt64) -> Int64 {
    guard message.serviceNanoseconds < 0 else { return message.serviceNanoseconds }
    var bits = settings.serviceKey.stream(message.identity &+ attempt)
    return settings.serviceTime.sampleNanoseconds(using: &bits)
  }

  /// A delivery has been answered: its messages are done, and the contiguous prefix is committed.
  mutating func messagesDone(_ number: UInt32, at now: Instant) {
    let delivery = topic.deliveries.take(number)
    let partition = Int(delivery.partition)
    freedPartition = partition
    // The answer is to a consumer that is gone.
    guard topic[partition].window.isCurrent(delivery.run) else { return }
    let committed = topic[partition].window.committed
    for offset in delivery.run.first..<delivery.run.end {
      if !topic[partition].repeats.isEmpty, topic[partition].repeats.remove(offset) != nil {
        counters.repeated &+= 1
        continue
      }
      let since = topic[partition].log.entry(Int(offset - committed)).since
      latencies.append((now - since).count)
      counters.completed &+= 1
      topic.inFlight -= 1
    }
    if latencies.isFull { needsAttention = true }
    for _ in 0..<(topic[partition].window.complete(delivery.run) ?? 0) {
      _ = topic[partition].log.removeFirst()
    }
  }

  /// Whether the consumer of a delivery is still there.
  func isCurrent(_ number: UInt32) -> Bool {
    let delivery = topic.deliveries[number]
    return topic[Int(delivery.partition)].window.isCurrent(delivery.run)
  }

  /// An instance takes up a delivery.
  @inline(__always) mutating func beginDelivery(_ number: UInt32) {
    let delivery = topic.deliveries[number]
    topic.inFlight += topic.fresh(
      delivery.run.first..<delivery.run.end, of: Int(delivery.partition))
  }

  /// A delivery was not answered in time: it goes out again, at least once.
  mutating func deliverAgain(_ number: UInt32) -> Ticket {
    let delivery = topic.deliveries[number]
    counters.redelivered &+= UInt64(delivery.run.count)
    topic.inFlight -= topic.fresh(
      delivery.run.first..<delivery.run.end, of: Int(delivery.partition))
    topic.deliveries.update(number) { $0.attempt &+= 1 }
    return ticket(number)
  }

  /// Whoever held a partition has lost it: what is not committed comes again.
  ///
  /// - Parameter held: first messages of deliveries that had not reached an instance.
  mutating func release(_ partition: Int, held: Set<Int64>) {
    var (repeats, inFlight) = (topic[partition].repeats, 0)
    topic[partition].window.visit { messages, isDone in
      if isDone {
        repeats.formUnion(messages)
      } else if !held.contains(messages.lowerBound) {
        inFlight += topic.fresh(messages, of: partition)
      }
    }
    topic.inFlight -= inFlight
    topic[partition].repeats = repeats
    counters.redelivered &+= UInt64(topic[partition].window.reset())
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
      let delivery = topic.deliveries[number]
      collect(Int(delivery.partition), delivery.run.first..<delivery.run.end, into: &tickets)
    }
    for index in 0..<topic.count {
      let window = topic[index].window
      collect(index, window.next..<window.committed + Int64(topic[index].log.count), into: &tickets)
    }
    return tickets.sorted { ($0.arrival, $0.identity) < ($1.arrival, $1.identity) }
  }

  private func collect(_ partition: Int, _ offsets: Range<Int64>, into tickets: inout [Ticket]) {
    for offset in offsets {
      let entry = topic[partition].log.entry(Int(offset - topic[partition].window.committed))
      tickets.append(
        Ticket(
          arrival: entry.since, identity: entry.ticket.identity,
          serviceNanoseconds: entry.ticket.serviceNanoseconds))
    }
  }

  /// A message that waits is in its partition again.
  mutating func restore(_ ticket: Ticket) {
    _ = produce(
      QueuedMessage(identity: ticket.identity, serviceNanoseconds: ticket.serviceNanoseconds),
      at: ticket.arrival)
  }

  /// A message on an instance is a delivery of some partition whose window has room, in turn.
  ///
  /// - Returns: the delivery. Precondition: no message that waits has been restored yet.
  mutating func restore(_ call: CarriedLane.Call) -> UInt32 {
    var partition = topic.inFlight % topic.count
    while !topic[partition].window.hasRoom { partition = (partition + 1) % topic.count }
    // Beyond the identities of any source.
    let identity = 1 << 61 | UInt64(bitPattern: call.arrival.nanoseconds)
    topic[partition].log.append(
      QueuedMessage(identity: identity, serviceNanoseconds: -1), since: call.arrival)
    let end = topic[partition].window.committed + Int64(topic[partition].log.count)
    guard let run = topic[partition].window.deliver(most: 1, logEnd: end) else {
      preconditionFailure("a window with room and a log with a message give a delivery")
    }
    topic.inFlight += 1
    return topic.deliveries.put(
      OpenDelivery(partition: UInt32(truncatingIfNeeded: partition), run: run))
  }
}
