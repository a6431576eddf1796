import Primitives
import SimulationKernel

// Steps while windows are full and deliveries carry several messages. Counts of the lane are in
// messages, as everywhere; a call is a delivery.
extension FlowState {
  /// Windows are full, or were of late.
  var isBatching: Bool { batches?.isActive ?? false }

  /// Calls on instances.
  var callsInService: Int { isBatching ? batches!.calls.deliveries : inService }

  /// Instances' places, also while nothing is read: what is at the consumer goes on.
  private var places: Int { isDown ? 0 : instances.count * rules.concurrencyLimit }

  private var isUnread: Bool { isHalted }

  /// Short enough that no window gives back a quarter of its places within a step.
  var batchStep: Nanoseconds? {
    guard let batches, places > 0 else { return nil }
    guard batches.isActive || waiting * 4 > batches.places else { return nil }
    let each = service.mean * Double(batches.places) / Double(4 * min(places, batches.places))
    return Nanoseconds(seconds: min(0.1, max(each, 0.001)))
  }

  /// A step with full windows. Returns how many messages completed.
  mutating func stepBatches(arrivals: Int, from start: Instant, to end: Instant) -> Int {
    let h = (end - start).seconds
    batches!.log.append(came(arrivals, from: start, to: end))
    serveBatches(at: start)
    batches!.step.came += Double(arrivals)
    let (calls, held) = (batches!.calls.deliveries, batches!.held.deliveries)
    adoptBatch()
    var ending: Int
    if held > 0 || calls >= places {
      ending = busyCompletions(over: h, working: max(calls, min(places, calls + held)))
    } else {
      ending = BinomialDraw.sample(
        calls, share: 1 - service.survival(ofOld: h), using: &bits)
    }
    ending = min(ending, calls + held)
    let beginning = min(held, max(0, places - (calls - ending)))
    ending = min(ending, calls + beginning)
    if repeating > 0 { ending -= repeatBatches(of: ending) }
    let begun = batches!.held.take(min(beginning, held))
    begin(begun.messages, from: start, to: end)
    batches!.calls.append(begun)
    let ended = batches!.calls.take(min(ending, batches!.calls.deliveries))
    batches!.step.freed += Double(ended.deliveries)
    inService += begun.messages - ended.messages
    // A quarter of a message changes no quantile, and times of one law are dealt together.
    let size = (ended.size * 4).rounded() / 4
    batches!.ended = batches!.service(messages: size)
    return ended.messages
  }

  /// Of deliveries that end, those whose messages had been answered before a crash.
  private mutating func repeatBatches(of ending: Int) -> Int {
    let most = batches!.most
    let again = min(ending, (repeating + most - 1) / most)
    let messages = min(repeating, again * most)
    repeating -= messages
    counters.repeated &+= UInt64(messages)
    return again
  }

  /// What a call takes from now on.
  mutating func adoptBatch() {
    service = batches!.service(messages: batches!.calls.all.size)
  }

  /// Calls end before their time; returns their messages.
  mutating func takeBackBatches(_ calls: Int) -> Int {
    let run = batches!.calls.take(calls)
    batches!.held.putFirst(run)
    return run.messages
  }

  /// Gives free instances to deliveries at their consumer; the first `cold` of them have waited for
  /// theirs to be made. Returns the messages of these.
  @discardableResult
  mutating func serveBatches(at instant: Instant, cold: Int = 0) -> Int {
    let free = min(batches!.held.deliveries, max(0, places - batches!.calls.deliveries))
    guard free > 0 else { return 0 }
    let first = batches!.held.take(min(cold, free))
    begin(first.messages, from: instant, to: instant, isCold: true)
    let others = batches!.held.take(free - first.deliveries)
    begin(others.messages, from: instant, to: instant)
    inService += first.messages + others.messages
    batches!.calls.append(first)
    batches!.calls.append(others)
    return first.messages
  }

  /// Begins to count deliveries where windows are full, lets out what they have room for, and ends
  /// it where each message is alone again.
  mutating func followBatches() {
    if !isBatching {
      guard mustBatch else { return }
      beginBatches()
    }
    guard !isUnread, !isDown else { return }
    letOutBatches()
    serveBatches(at: now)
    let room = batches!.places - batches!.calls.deliveries - batches!.held.deliveries
    if batches!.log.waiting == 0, batches!.areSingle, repeating == 0,
      batches!.held.deliveries * 5 < room * 2
    {
      endBatches()
    }
  }

  private var mustBatch: Bool {
    guard let batches, !isDown else { return false }
    if isUnread { return true }
    guard waiting * 4 > batches.places else { return false }
    return Double(waiting) > 0.7 * Double(batches.places - inService - answeredAhead)
  }

  /// All that is at its consumer is single; the rest is in the logs.
  private mutating func beginBatches() {
    openCohorts()
    law = nil
    batches!.single = service
    let room = max(0, batches!.places - inService - answeredAhead)
    batches!.isActive = true
    batches!.calls.append(.singles(inService))
    hold(.singles(min(room, ledger.waiting)))
  }

  /// Of what waits the first messages are at their consumer, the others in the logs.
  private mutating func hold(_ run: FlowBatches.Run) {
    var (kept, rest): ([WaitLedger.Cohort], [WaitLedger.Cohort]) = ([], [])
    ledger.dequeue(run.messages) { kept.append($0) }
    ledger.dequeue(ledger.waiting) { rest.append($0) }
    for cohort in kept { ledger.append(cohort) }
    batches!.log.putFirst(rest)
    batches!.held.append(run)
  }

  private mutating func letOutBatches() {
    let log = batches!.log.waiting
    guard log > 0 else { return }
    let out = batches!.calls.deliveries + batches!.held.deliveries
    let free = Double(batches!.places - out) - aheadOfBatches
    let shared = SharedWindow.share(
      log: Double(log), free: free, after: batches!.step,
      partitions: Double(batches!.partitions), most: batches!.most, width: batches!.window)
    batches!.step = SharedWindow.Step()
    let deliveries = min(log, Int(shared.deliveries + bits.uniform()))
    guard deliveries > 0, shared.deliveries > 0 else { return }
    let size = shared.messages / shared.deliveries
    let messages = min(log, max(deliveries, Int((size * Double(deliveries)).rounded())))
    batches!.log.dequeue(messages) { ledger.append($0) }
    batches!.held.append(FlowBatches.Run(deliveries: deliveries, messages: messages))
  }

  /// Places of deliveries that were answered while one before them was not.
  var aheadOfBatches: Double {
    guard let batches, batches.window > 1 else { return 0 }
    let each = Double(batches.calls.deliveries) / Double(batches.partitions)
    return Double(batches.partitions) * aheadOfCommit(inService: each)
  }

  /// Each message is a delivery of its own again, as many as there are.
  private mutating func endBatches() {
    _ = batches!.calls.takeAll()
    _ = batches!.held.takeAll()
    batches!.isActive = false
    batches!.ended = nil
    service = batches!.single
  }

  /// All that is not answered is in the logs, and nothing at a consumer or on an instance.
  mutating func restartBatches() {
    guard batches != nil else { return }
    if !isBatching { batches!.single = service }
    _ = batches!.calls.takeAll()
    _ = batches!.held.takeAll()
    batches!.isActive = true
    hold(FlowBatches.Run())
  }

  // MARK: Hand-over

  /// Goes on with what is on instances, and with deliveries at their consumer, whose messages are
  /// the first of those that wait.
  mutating func takeInBatches(_ carried: CarriedLane) {
    guard batches != nil else { return }
    var calls = FlowBatches.Run()
    for call in carried.calls where !carried.instances[call.position].isDraining {
      calls += FlowBatches.Run(deliveries: 1, messages: Int(call.messages))
    }
    let held = FlowBatches.Run(
      deliveries: carried.heldDeliveries, messages: carried.heldMessages)
    guard
      calls.messages > calls.deliveries || held.messages > held.deliveries
        || held.messages < ledger.waiting
    else { return }
    batches!.single = service
    batches!.isActive = true
    batches!.calls.append(calls)
    hold(held)
    adoptBatch()
  }

  /// Puts what is in the logs behind what is at the consumer.
  mutating func handOutLogs() {
    guard isBatching else { return }
    batches!.log.dequeue(batches!.log.waiting) { ledger.append($0) }
  }
}
