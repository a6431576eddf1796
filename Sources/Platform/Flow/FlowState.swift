import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// The state of a lane at flow fidelity: integer counts that conserve invocations exactly, and the
/// backlog as a real number from which the counts follow.
///
/// Three ways to step. *Quiet*: so many slots that nobody waits; the requests in service are
/// thinned. *Backlog*: the virtual wait is a reflected Brownian motion (`CongestionLaw`), and waits
/// are settled on arrival. *Cohorts*: capacity is about to change; waiting requests are counted by
/// when they came and their waits settled when they begin.
struct FlowState: ~Copyable {
  var settings: LaneSettings
  var rules: RouterRules
  var service: FlowService
  var surroundings: LaneSurroundings

  var feed: CountFeed
  var rate = RateEstimate()
  var bits: Xoshiro256PlusPlus

  var instances = FlowInstances()
  var overflow = OverflowTable()
  /// How calls lie on instances, as nodes were told last.
  var spread = CallSpread()
  /// Instances that get nothing new, apart from `instances`.
  var draining = DrainingInstances()

  var ledger = WaitLedger()
  /// Requests on usable instances; the settled ones that wait; the virtual wait in seconds, with
  /// its barrier below zero.
  var inService = 0
  var settledWaiting = 0
  var backlog = 0.0
  var law: CongestionLaw?
  /// The mean service that the backlog is of.
  var lawMean = 0.0
  /// Waits by the count of a second, and those of the rest that the lane is in.
  var calmLaw: CalmLaw?
  var calmWaits = CalmWaits()
  var isBacklogKnown = false
  /// The most that waited at once since starts were last planned.
  var peakWaiting = 0

  /// Counted up to here.
  var now: Instant
  /// The step ends here.
  var stepEnd: Instant
  /// Up to here it has been looked at every second, and in none will anybody wait.
  var quietUntil = Instant.origin
  /// Where a rest ends if nothing is asked again.
  var unrepeatedEnd = Instant.origin
  /// In this second somebody waits for whom an instance is asked for, as was found when the lane
  /// would have rested through it.
  var peakSecond = Int.min
  var stepArrivals = StepArrivals.drawn
  /// When somebody waits next.
  var firstWait = FirstWait()

  var counters = LaneCounters()
  var digest = Digest()
  var represented: UInt64 = 0
  var steps: UInt64 = 0
  /// Processor time that a call costs beside its service, as long as it takes now; seconds.
  private(set) var processorOverhead = 0.0
  /// The keys that requests read; nil: none.
  var keyValue: FlowKeyValue?
  /// Completed, and not recorded yet.
  var pending: PendingLatencies
  /// Which instances are in use, and until when, is followed one by one; and how many of them over
  /// the last step.
  let followsPlaces: Bool
  var placeLevel: PlaceLevel

  var control = FlowControl()
  /// Where a policy decides on idle instances; and whether one does, apart: to compare with nil
  /// copies what is there.
  var keepAlive: KeepAliveWatch?
  var hasKeepAlive: Bool
  /// Arrivals that the gateways have been charged for.
  var publishedArrivals: UInt64 = 0
  /// Processors that nodes have been told of.
  var publishedCores: [(node: Int, cores: Double)] = []
  var told: ToldDemand
  /// What each of its gateways, or consumers, has been told comes in a second.
  var toldRate: (each: Double, gateways: [Int]) = (0, [])
  /// Requests in service over the last seconds, weighted down with age, where steps end at
  /// arrivals.
  var recent = RecentLevel()
  /// Requests in service at the end of the last step, before an arrival that has ended it.
  var levelAtEnd = 0
  /// Instances that have been scaled away and that the consumer takes for there.
  var unknownGone = 0
  /// Since then none of them was called.
  var unnoticedSince = Instant.origin
  /// Of a topic: what is answered ahead of its commit.
  var aheadTable = AheadTable()
  /// Of a topic: messages completed when the broker was told last.
  var toldCompleted: UInt64 = 0
  /// Of a topic whose deliveries carry several messages; nil: each is alone.
  var batches: FlowBatches?
  /// Partitions whose windows bound what is on instances; nil: instances do.
  var windows: FlowWindows?
  /// Messages that its windows let be in service at once, long ones holding back those behind them;
  /// where each partition, or each delivery, is followed, all places.
  let windowSlots: Int
  /// Consumers that share the lane; nil: there is one.
  var consumers: FlowConsumers?
  /// Partitions whose broker crashes or has crashed, until they have caught up.
  var groups: [PartitionGroup] = []
  /// The end of a pause in which what consumers had read goes on.
  var readUntil = Instant.origin
  /// Crashes of its consumer that lie ahead, and messages that had been answered before one and are
  /// answered once more.
  var absences: [ConsumerAbsence] = []
  /// When those come back that have crashed.
  var consumerReturns: [Instant] = []
  var repeating = 0
  /// They were told of instances that are gone.
  var isDemandOld = false
  /// What stands before its router, and messages that wait there.
  var limits: LaneLimits
  var gateLog = WaitLedger()
  /// Requests that limits have refused since the whole second.
  var refusedOfSecond = 0
  /// Calls that the downstream has been charged for, and those of them that it has refused.
  var publishedCalls: UInt64 = 0
  var publishedRefused: UInt64 = 0
  /// What it has told the downstream, and its gateway, to expect.
  var toldCalls: ToldRate
  var toldOffers: ToldRate
  /// Clients that try again; nil: they take any answer. How many have done so since the whole
  /// second, and those who do it in another lane.
  var clients: FlowClients?
  var retriesOfSecond = 0
  var retriesOfPassed = 0
  var lastStep = Nanoseconds.zero
  var transfers: [ClientRetry] = []
  /// The balancer sends what comes here elsewhere.
  var isAway = false
  /// When the lane's zone is lost, and whether it is.
  var outages: [Range<Instant>] = []
  /// How long things take from when on, where a fault changes that.
  var conditions: [LaneCondition] = []
  /// When machines of its zone are lost, and which.
  var nodeLosses: [(at: Instant, nodes: [NodeID])] = []
  /// When instances are lost by themselves.
  var podLosses: [PodLoss] = []
  /// What the gateways of its zone do, and whether the lane's has crashed.
  var gatewayCourse: [GatewayHosting] = []
  var isGatewayDown = false
  var isDown = false
  /// Bad instances, and what is known of them.
  var breaking: FlowBreaking

  init(
    settings: LaneSettings, rules: RouterRules, service: FlowService, feed: CountFeed,
    surroundings: LaneSurroundings, key: StreamKey, at now: Instant
  ) {
    self.settings = settings
    self.rules = rules
    self.service = service
    self.feed = feed
    self.surroundings = surroundings
    bits = key.appending(UInt64(now.nanoseconds)).sequence()
    pending = PendingLatencies(phase: bits.uniform(), weight: settings.dealWeight)
    followsPlaces = Self.follows(rules, mean: service.mean)
    placeLevel = PlaceLevel(since: now)
    windowSlots = settings.mostInService(squaredCV: service.squaredCV)
    self.now = now
    stepEnd = now
    told = ToldDemand(until: now)
    toldCalls = ToldRate(at: now)
    toldOffers = toldCalls
    toldOffers.target = settings.gateways.first ?? 0
    limits = LaneLimits(settings, at: now)
    keepAlive = settings.keepAlive.map { KeepAliveWatch($0()) }
    hasKeepAlive = settings.keepAlive != nil
    keyValue = settings.keyValue.map(FlowKeyValue.init)
    clients = settings.clients.map { FlowClients($0, at: now) }
    breaking = FlowBreaking(settings.breaking, well: service.shape)
    adjustService()
    armBrokers()
    armCrashes()
    // What the lane has seen of late, as far as its source tells.
    for second in max(0, feed.second - 31)...feed.second {
      rate.observe(Double(feed.count(second)))
    }
    if settings.longestStepSeconds % 60 == 0, settings.breaking == nil {
      self.feed.handOverMinutes()
    }
    planStep()
  }

  /// A copy that goes on by itself, in the surroundings of another cluster.
  private init(copying other: borrowing FlowState, surroundings: LaneSurroundings) {
    self.surroundings = surroundings
    keepAlive = other.keepAlive?.clone()
    hasKeepAlive = other.hasKeepAlive
    settings = other.settings
    rules = other.rules
    service = other.service
    feed = other.feed
    rate = other.rate
    bits = other.bits
    instances = other.instances
    overflow = other.overflow
    spread = other.spread
    draining = other.draining
    ledger = other.ledger
    inService = other.inService
    settledWaiting = other.settledWaiting
    backlog = other.backlog
    (law, lawMean) = (other.law, other.lawMean)
    calmLaw = other.calmLaw
    calmWaits = other.calmWaits
    isBacklogKnown = other.isBacklogKnown
    peakWaiting = other.peakWaiting
    now = other.now
    stepEnd = other.stepEnd
    (stepArrivals, firstWait) = (other.stepArrivals, other.firstWait)
    counters = other.counters
    digest = other.digest
    represented = other.represented
    steps = other.steps
    processorOverhead = other.processorOverhead
    keyValue = other.keyValue
    pending = other.pending
    (followsPlaces, placeLevel) = (other.followsPlaces, other.placeLevel)
    windowSlots = other.windowSlots
    control = other.control
    publishedArrivals = other.publishedArrivals
    publishedCores = other.publishedCores
    (told, toldRate) = (other.told, other.toldRate)
    recent = other.recent
    levelAtEnd = other.levelAtEnd
    unknownGone = other.unknownGone
    unnoticedSince = other.unnoticedSince
    toldCompleted = other.toldCompleted
    aheadTable = other.aheadTable
    groups = other.groups
    readUntil = other.readUntil
    (absences, consumerReturns) = (other.absences, other.consumerReturns)
    repeating = other.repeating
    isDemandOld = other.isDemandOld
    clients = other.clients
    (retriesOfSecond, retriesOfPassed) = (other.retriesOfSecond, other.retriesOfPassed)
    lastStep = other.lastStep
    quietUntil = other.quietUntil
    unrepeatedEnd = other.unrepeatedEnd
    peakSecond = other.peakSecond
    transfers = other.transfers
    isAway = other.isAway
    outages = other.outages
    conditions = other.conditions
    nodeLosses = other.nodeLosses
    isDown = other.isDown
    batches = other.batches
    windows = other.windows
    consumers = other.consumers
    podLosses = other.podLosses
    gatewayCourse = other.gatewayCourse
    isGatewayDown = other.isGatewayDown
    breaking = other.breaking.clone()
    limits = other.limits.clone()
    gateLog = other.gateLog
    refusedOfSecond = other.refusedOfSecond
    publishedCalls = other.publishedCalls
    publishedRefused = other.publishedRefused
    (toldCalls, toldOffers) = (other.toldCalls, other.toldOffers)
    feed.move(to: surroundings.countBlocks, service: settings.service.index)
  }

  /// Everything of it, to go on by itself. Linear in what is there.
  borrowing func clone(surroundings: LaneSurroundings) -> FlowState {
    FlowState(copying: self, surroundings: surroundings)
  }

  /// Continues with the draws of another replication, from a whole second on.
  mutating func reseed(_ settings: LaneSettings, arrivals: any ArrivalSource, at now: Instant) {
    self.settings = settings
    takeCondition()
    takeGateways()
    armBrokers()
    armCrashes()
    feed.goOn(with: arrivals, at: now)
    bits = settings.serviceKey.appending(0xF10).appending(UInt64(now.nanoseconds)).sequence()
    pending.reseed(phase: bits.uniform())
    planStep()
  }

  /// What may be in service at once: what instances bear and, of a topic, what windows let through.
  var slots: Int {
    if isDown || isHalted { return 0 }
    let open = instances.count - breaking.withheld
    let slots = min(
      open * rules.concurrencyLimit + breaking.trials.count, windowSlots)
    return isGated ? min(slots, limits.gates[0].mostOutstanding) : slots
  }
  var waiting: Int {
    settledWaiting + ledger.waiting + (batches?.log.waiting ?? 0) + (windows?.waiting ?? 0)
  }
  var offeredLoad: Double { rate.perSecond * service.mean }

  var gauges: LaneGauges {
    var gauges = LaneGauges()
    gauges.inFlight = inService + inDraining
    gauges.waiting = waiting + heldBack
    gauges.ready = instances.count + draining.count
    gauges.starting = control.starts.count
    if settings.isTopic { gauges.lag = lag }
    return gauges
  }

  /// - Parameter end: of the request that it serves, where places are followed; nil: none.
  mutating func addInstance(_ entry: FlowInstances.Entry, servingUntil end: Instant? = nil) {
    var entry = entry
    (entry.number, entry.spoil) = (breaking.enroll(), 0)
    breaking.dealing = nil
    if followsPlaces {
      instances.addPlace(entry, servingUntil: end)
    } else {
      instances.add(entry)
    }
  }

  mutating func removeInstance(at position: Int) -> FlowInstances.Entry {
    let gone =
      followsPlaces ? instances.removePlace(at: position) : instances.remove(at: position)
    breaking.forget(gone)
    return gone
  }

  /// What must never be: requests whose waits are settled are in service or about to be.
  var violation: String? {
    if ledger.settledCount != inService + inDraining + settledWaiting {
      return "flow holds \(ledger.settledCount) invocations with a settled wait, and has "
        + "\(inService) in service, \(inDraining) on draining instances and \(settledWaiting) "
        + "that wait"
    }
    if followsPlaces, instances.places.busyCount != inService {
      return "flow has \(inService) invocations on \(instances.places.busyCount) instances"
    }
    return clientViolation
  }

  /// Takes the slowdown that the machines publish, averaged over the lane's instances.
  mutating func adjustService() {
    var slowdown = 1.0
    if settings.computes, instances.count > 0 {
      let (entries, slowdowns) = (instances.entries, surroundings.nodeSlowdowns)
      slowdown = spread.mean(of: entries.count) { slowdowns[entries[$0].node.index] }
    }
    let stretch = settings.serviceFactor * (1 + settings.cpuFraction * (slowdown - 1))
    processorOverhead = settings.overhead.processor.seconds * slowdown
    var handling = settings.gatewayHandling.seconds
    if handling > 0 { handling *= entrySlowdown }
    adjustKeyValue()
    let delivery = settings.topic?.rules.deliveryOverhead.seconds ?? 0
    let shift =
      handling + 2 * settings.hop.seconds + settings.overhead.wire.seconds + processorOverhead
      + (keyValue?.meanWait ?? 0) + delivery
    guard isBatching else { return service.adjust(stretch: stretch, shift: shift) }
    batches!.single.adjust(stretch: stretch, shift: shift)
    adoptBatch()
  }
}

/// What a flow lane knows of a step's arrivals before the step: nothing; that one ends it, and none
/// comes before; that none comes; that the last waits, who ends it, and none before.
enum StepArrivals: Sendable { case drawn, oneAtEnd, none, lastWaits }

/// What a flow lane has asked of the control plane and been told by it.
struct FlowControl: Sendable {
  struct Start: Sendable, BitwiseCopyable {
    var ordinal: UInt32
    var askedAt: Instant
    var attempt: Int
  }

  var starts: [Start] = []
  var nextOrdinal: UInt32 = 0
  var backoffUntil = Instant.origin
  var route = RouteEntry()
  var askedAt = Instant.origin
  var askAttempt = 0
  /// Which of the service's Dispatchers, in its order, has answered the latest question.
  var answering = 0
  /// Messages on their way to this lane.
  var inbox = FlowInbox()
  var outbox: [OutMessage] = []
  /// Instances given up whose pods Kubernetes has not confirmed as deleted.
  var retirements = RetirementLedger()
  /// Endpoints that a Dispatcher has told since the latest question.
  var newsReceived: UInt16 = 0
  var isSampling = false
  var sampledInFlightSeconds = 0.0
  /// The variance of what those have worked in all who have ended since the last sample, where the
  /// mean of a service stands for each; squared seconds.
  var unknownWork = 0.0
  /// AutoScale's starts that have come to an end here.
  var settledOrders: UInt32 = 0

  mutating func put(_ delivery: Delivery, at instant: Instant) { inbox.put(delivery, at: instant) }

  /// Who is asked for an instance: whoever answered last, twice, and then the next.
  func rank(_ attempt: Int) -> Int { answering + attempt / 2 }
}

/// A level's mean over the last seconds: earlier ones weigh e^(-age / 5 s). Over a long time it
/// gives out the whole integral that it took in.
struct RecentLevel: Sendable {
  private static let memorySeconds = 5.0

  private var sum = 0.0
  private var seconds = 0.0

  /// Nil before anything was added.
  var mean: Double? { seconds > 0 ? sum / seconds : nil }

  mutating func add(_ level: Double, over h: Double) {
    let kept = Elementary.exp(-h / Self.memorySeconds)
    sum = sum * kept + level * h
    seconds = seconds * kept + h
  }
}
