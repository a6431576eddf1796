import ControlPlane
import Primitives

// What a flow lane tells the control plane and hears from it: the messages of a gateway, sent once
// for a step.
extension FlowState {
  mutating func send(
    _ message: ControlMessage, to address: Address, extraDelay: Nanoseconds = .zero
  ) {
    control.outbox.append(
      OutMessage(sentAt: now, extraDelay: extraDelay, message: message, to: address, part: 0))
    counters.messagesOut &+= 1
  }

  func dispatcher(_ attempt: Int) -> Address {
    Address(.dispatcher, settings.dispatchers[attempt % settings.dispatchers.count])
  }

  mutating func receive(_ delivery: Delivery, at now: Instant) {
    counters.messagesIn &+= 1
    switch delivery.message {
    case .route(let version, let isNegative, let news, let dispatcher):
      let wasHalted = isHalted
      let isWhole =
        news == control.newsReceived && Int(dispatcher) == settings.dispatchers[0]
      control.route.learn(
        version: isWhole ? version : control.route.version,
        negative: isNegative && instances.count == 0, at: now, lifetimes: rules.routeLifetimes)
      unknownGone = 0
      answered(by: Int(dispatcher))
      // Who waited for the route goes first; for the others instances are asked for.
      if wasHalted, !isHalted {
        serveWaiting(at: now)
        peakWaiting = waiting
      }
      refuseBeyondLimit(because: .queueFull)
    case .instanceReady(let start, let pod, _):
      if let order = start.replacement { return replace(pod, order, delivery.origin) }
      if start.isAhead { control.settledOrders &+= 1 }
      let isAsked = (start.isAhead ? start.standsFor : start.ordinal).map { close($0) } ?? false
      join(pod, delivery.origin)
      // Who waited for this instance waits for no other.
      if isAsked { peakWaiting = max(waiting, peakWaiting - rules.concurrencyLimit) }
    case .endpointAdded(let pod, _):
      control.newsReceived &+= 1
      join(pod, delivery.origin)
    case .podDeleted(let pod):
      control.retirements.end(pod)
    case .quotaGranted(let answer): granted(answer)
    case .startFailed(let start, _):
      counters.startsFailed &+= 1
      // The Coordinator asks again.
      if start.replacement != nil { return }
      if start.isAhead {
        control.settledOrders &+= 1
        armSampling()
      } else if close(start.ordinal) {
        backOff()
        refuseBeyondLimit(because: .noCapacity)
      }
    case .endpointRemoved(let pod, _):
      control.newsReceived &+= 1
      lose(pod)
    case .scaleDown(let target):
      scaleDown(to: Int(target))
    case .evict(let pod, let order):
      evict(pod, delivery.origin, order: order)
    case .drainInstance(let pod): migrate(pod)
    default:
      break
    }
  }

  /// An instance joins, unless it is or was here before.
  ///
  /// - Parameter isReplacement: it takes the place of another, which is there for a while.
  mutating func join(_ pod: PodID, _ origin: Delivery.Origin, isReplacement: Bool = false) {
    guard instances.position(of: pod) == nil, !control.retirements.contains(pod),
      !draining.contains(where: { $0.entry.pod == pod })
    else { return }
    openCohorts()
    addInstance(
      FlowInstances.Entry(
        pod: pod, node: origin.node, path: origin.path, dispatcher: origin.dispatcher,
        idleSince: now, host: origin.host))
    counters.instancesAdded &+= 1
    control.route.becomePositive(at: now, lifetimes: rules.routeLifetimes)
    armSampling()
    // As a gateway does: beyond the limit it is given up at once.
    let most = rules.maximumInstances
    guard isReplacement || instances.count + draining.count <= most else {
      if let position = instances.position(of: pod) { retire(removeInstance(at: position)) }
      return
    }
    digest.record(RecordKind.joined, at: now, UInt64(pod.raw))
    // The oldest that wait begin on the new instance, for which they have waited.
    counters[origin.path] &+= UInt64(serveFirst(rules.concurrencyLimit))
  }

  /// Returns how many begin that have waited for an instance with so many slots.
  private mutating func serveFirst(_ limit: Int) -> Int {
    if isBatching { return serveBatches(at: now, cold: limit) }
    let cold = min(ledger.waiting, max(0, slots - inService), limit)
    serveWaiting(at: now, cold: cold)
    return cold
  }

  private mutating func close(_ ordinal: UInt32) -> Bool {
    guard let index = control.starts.firstIndex(where: { $0.ordinal == ordinal }) else {
      return false
    }
    control.starts.remove(at: index)
    return true
  }

  /// No start is tried for a while after one has failed; further failures do not prolong it.
  private mutating func backOff() {
    if control.backoffUntil <= now { control.backoffUntil = now + rules.startBackoff }
  }

  private mutating func evict(_ pod: PodID, _ origin: Delivery.Origin, order: UInt64) {
    // As a gateway does with what it was never told of.
    if instances.position(of: pod) == nil, !draining.contains(where: { $0.entry.pod == pod }),
      !control.retirements.contains(pod), control.starts.isEmpty
    {
      tellRetired(pod, dispatcher: origin.dispatcher)
      counters.evictions &+= 1
      return send(.evicted(pod: pod, order: order), to: .kubernetes)
    }
    guard let position = instances.position(of: pod), isIdle(position) else {
      return send(.evictionRefused(pod: pod, order: order), to: .kubernetes)
    }
    retire(removeInstance(at: position))
    counters.evictions &+= 1
    send(.evicted(pod: pod, order: order), to: .kubernetes)
  }

  // MARK: Questions

  /// Asks for the route when it is no longer fresh and there is traffic: one question a lifetime,
  /// as a gateway's first request would.
  mutating func keepRoute() {
    guard feed.delivered > 0, !control.route.isFresh(at: now), !control.route.isAsking,
      !isConsumerAway,
      waiting > 0 || inService > 0 || feed.remaining < feed.ofSecond
    else { return }
    if control.route.age(at: now) == .stale { counters.staleUses &+= 1 }
    beginAsking()
  }

  private mutating func beginAsking() {
    control.route.isAsking = true
    control.askedAt = now
    control.askAttempt = 0
    askRoute()
  }

  /// A Dispatcher has answered: as at a gateway, the first starts that those before it in the
  /// service's order were asked for are asked of it.
  private mutating func answered(by dispatcher: Int) {
    let order = settings.dispatchers
    guard let rank = order.firstIndex(of: dispatcher) else { return }
    let before = control
    control.answering = rank
    guard rank > before.answering else { return }
    var left = RouterRules.mostAskedAgain
    for index in control.starts.indices where left > 0 {
      let start = control.starts[index]
      guard before.rank(start.attempt) % order.count != rank else { continue }
      left -= 1
      ask(start.ordinal, attempt: start.attempt)
    }
  }

  mutating func askRoute() {
    counters.routeQuestions &+= 1
    control.newsReceived = 0
    send(
      .resolveRoute(
        service: settings.service, lane: settings.lane, part: 0,
        knownVersion: control.askAttempt == 0 ? control.route.version : 0),
      to: dispatcher(control.askAttempt))
  }

  /// Asks for as many instances as the most that waited at once justifies.
  mutating func planStarts() {
    // What else comes now may be the instances that they wait for.
    if let mail = control.inbox.first, mail.at <= now { return }
    let wanted =
      isBatching
      ? batches!.held.deliveries
      : windowsBind ? 0 : min(max(peakWaiting, waiting), settings.mostOutstanding - inService)
    peakWaiting = 0
    // Consumers that read nothing wait for nothing.
    guard wanted > 0, windows == nil, control.route.age(at: now) != .absent,
      !isHalted
    else { return }
    while wanted > control.starts.count * rules.concurrencyLimit, canStart {
      let ordinal = control.nextOrdinal
      control.nextOrdinal &+= 1
      control.starts.append(FlowControl.Start(ordinal: ordinal, askedAt: now, attempt: 0))
      ask(ordinal, attempt: 0)
    }
  }

  var canStart: Bool { now >= control.backoffUntil && rules.mayStart(counts) }

  mutating func ask(_ ordinal: UInt32, attempt: Int) {
    counters.startsAsked &+= 1
    armSampling()
    var start = StartRequest(
      service: settings.service, lane: settings.lane, part: 0, pool: settings.pool,
      ordinal: ordinal)
    start.attempt = UInt8(clamping: attempt)
    send(.needInstance(start), to: dispatcher(control.rank(attempt)))
  }

  mutating func repeatUnanswered() {
    if control.retirements.count > 0, let due = control.retirements.nextDue(), due <= now {
      for (message, to) in control.retirements.due(at: now) { send(message, to: to) }
    }
    if control.route.isAsking, control.askedAt + rules.askTimeout <= now {
      control.askedAt = now
      control.askAttempt += 1
      askRoute()
    }
    let before = control.starts.count
    let (now, rules) = (now, rules)
    guard control.starts.contains(where: { $0.askedAt + rules.startTimeout <= now }) else { return }
    control.starts.removeAll {
      $0.askedAt + rules.startTimeout <= now && $0.attempt + 1 >= rules.startAttempts
    }
    if control.starts.count < before {
      backOff()
      refuseBeyondLimit(because: .noCapacity)
    }
    for index in control.starts.indices
    where control.starts[index].askedAt + rules.startTimeout <= now {
      control.starts[index].askedAt = now
      control.starts[index].attempt += 1
      ask(control.starts[index].ordinal, attempt: control.starts[index].attempt)
      // As at a gateway: whether whoever was asked is there.
      if !control.route.isAsking { beginAsking() }
    }
  }

  // MARK: AutoScale

  mutating func armSampling() {
    if settings.isScaled { control.isSampling = true }
  }

  /// Tells AutoScale the mean concurrency of the second that ends now.
  mutating func sample() {
    prepareLag()
    let period = Double(settings.signalSeconds)
    var worked = counters.inFlightSeconds - control.sampledInFlightSeconds
    control.sampledInFlightSeconds = counters.inFlightSeconds
    // A sum of services and not of their means is what is seen: its variance is n m² (1 + cs²).
    if control.unknownWork > 0 {
      worked += control.unknownWork.squareRoot() * ZigguratNormal.sample(using: &bits)
      control.unknownWork = 0
    }
    let concurrency = max(0, worked) / period
    send(
      .sample(
        settings.lane, part: 0,
        PartSample(
          instances: counts,
          concurrency: concurrency + Double(atConsumers),
          settled: control.settledOrders, second: UInt32(now.nanoseconds / 1_000_000_000),
          cores: concurrency * coresPerRequest, lag: gauges.lag)),
      to: .autoscaler, extraDelay: settings.signalDelay)
    tellOffsets()
    control.isSampling = counts.total > 0 || waiting > 0
  }

  /// Whether what waits waits for places of its windows, and instances for it.
  var windowsBind: Bool {
    settings.isTopic && windowSlots < instances.count * rules.concurrencyLimit
  }

  /// What waits where concurrency is counted: with the consumers of a topic, what its windows let
  /// out and no instance has.
  private var atConsumers: Int {
    guard settings.isTopic else { return waiting }
    if let batches, batches.isActive { return batches.held.deliveries }
    if windows != nil { return 0 }
    if isAtRest || windowsBind { return 0 }
    return min(waiting, max(0, settings.mostOutstanding - inService))
  }

  /// Partitions as their group finds them: what a lane has completed and what it is behind, spread
  /// evenly.
  private mutating func tellOffsets() {
    guard settings.tellsOffsets, let topic = settings.topic else { return }
    let lag = gauges.lag
    for partition in 0..<topic.partitions {
      let committed = EvenShare.of(
        Int(counters.completed &+ counters.expired), at: partition, among: topic.partitions)
      let behind = EvenShare.of(lag, at: partition, among: topic.partitions)
      send(
        .offsets(
          settings.lane, partition: UInt32(truncatingIfNeeded: partition),
          committed: Int64(committed), logEnd: Int64(committed + behind)),
        to: .autoscaler, extraDelay: settings.signalDelay)
    }
  }
}
