import ControlPlane
import Primitives
import SimulationKernel

/// What a lane may read of the cluster while it runs: nothing that another lane changes within the
/// epoch.
struct LaneSurroundings {
  /// By node: how much longer processor time takes.
  var nodeSlowdowns: UnsafePointer<Double>
  /// By gateway, likewise for its handling.
  var gatewaySlowdowns: UnsafePointer<Double>
  /// By service: arrivals of a minute, for the flow lanes that share them.
  var countBlocks: UnsafeMutablePointer<CountBlock>
  /// By gateway and importance: the share of requests that is let in, where it sheds.
  var admittedShares: UnsafePointer<Double>
  /// By downstream: the share of calls that it refuses; and the same for steps that are longer than
  /// an epoch.
  var downstreamRefusals: UnsafePointer<Double>
  var downstreamStepRefusals: UnsafePointer<Double>
  /// Demand of this epoch is measured up to here.
  var epochEnd: Instant
}

/// A request that computes at a gateway or on a node whose processors are simulated exactly.
struct ExactCall: BitwiseCopyable {
  var slot: UInt32
  var part: UInt8
  var isCold: Bool
  var arrival: Instant
  /// When the gateway began the call, for its time-out.
  var began: Instant
  /// The open delivery, of a topic.
  var delivery: UInt32
  /// Processor time on the instance's node, and whether it has been asked for.
  var nodeWork: Nanoseconds
  var isAtNode = false
  /// What follows the processor time: other service time and the way back.
  var afterwards: Nanoseconds
  /// `answered`, or `judged` where a breaker hears of it; and whether it ends with an error.
  var kind = LaneEvent.Kind.answered
  var errs = false
}

/// The simulated side of a lane at request fidelity: instances that work, the way there and back,
/// the lane's own events, and what is counted. It carries out what the lane's routers decide.
struct LaneCore: ~Copyable {
  var settings: LaneSettings
  var queue: ChosenQueue<LaneEvent>
  /// Messages that are on their way to this lane.
  var inbox = Slots<Delivery>()
  var outbox: [OutMessage] = []
  var instances: InstanceStates
  /// Instances whose demand for processors has changed in this epoch.
  var changedInstances: [Int] = []
  /// What instances had changed whose place another has taken within the epoch.
  var departedDemand: [DepartedDemand] = []
  /// Instances given up whose pods Kubernetes has not confirmed as deleted.
  var retirements = RetirementLedger()
  var calls = Slots<ExactCall>()
  var topic: LaneTopic
  /// The keys that requests read; nil: none.
  var keyValue: LaneKeyValue?
  /// Of a lane whose invocations notifications make.
  var invocations = LaneInvocations()
  /// Of a lane whose clients leave or try again: they, those who wait before they do, and those who
  /// do it in another lane.
  var clients: LaneClients
  var retries = Slots<ClientRetry>()
  var transfers: [ClientRetry] = []
  /// An alarm for the next client that leaves.
  var isDeadlineSet = false
  /// The balancer sends what comes here elsewhere.
  var isAway = false
  /// How long things take from when on, where a fault changes that.
  var conditions: [LaneCondition] = []
  /// Machines that are lost together.
  var nodeLosses: [[NodeID]] = []
  /// Instances that are lost by themselves.
  var podLosses: [PodLoss] = []
  /// What was pushed last, where anything was, and versions that are wrong now.
  var configuration: LaneConfiguration?
  var wrongVersions: [(fault: UInt64, share: Double)] = []
  /// What the gateways of the zone do, and parts whose gateway has crashed.
  var gatewayCourse: [GatewayHosting] = []
  var partsDown: Set<Int> = []
  /// Of parts whose gateway crashed and has not heard of its instances since: the instances then.
  var toldCounts: [Int: InstanceCounts] = [:]
  /// Instances that are bad, and what callers know of that.
  var breaking: LaneBreaking
  /// What stands before its routers, part by part; and whether that refuses requests, or holds
  /// deliveries back.
  var limits = LaneLimits()
  let isLimited: Bool
  /// In a lane that is watched: what has refused the latest request that was.
  var refusedBy: TracedLimit?
  let isGated: Bool
  /// Whether the partition of the delivery that was answered last has more, and that partition
  /// where it has, or where anything is looked at but the bit of an answer.
  var isBehind = false
  var freedPartition = 0
  var hopCalls = Slots<HopCall>()
  /// By part: what is there of its instances, as they are.
  var staff: [PartStaff]
  /// Calls to instances that are gone, whose refusal is under way.
  var refusals = 0
  var counters = LaneCounters()
  var digest = Digest()
  var surroundings: LaneSurroundings

  var latencies = LatencyBuffer()
  var waits = LatencyBuffer()
  var startLatencies = LatencyBuffer()

  /// The part whose router is deciding.
  var part: UInt8 = 0
  /// Where the instance is that is about to join, and how it was made.
  var joining = Delivery.Origin()
  /// AutoScale gets a sample at every whole second.
  var isSampling = false { didSet { setPassing() } }
  var sampledInFlightSeconds = 0.0
  var sampledCoreSeconds = 0.0
  /// An alarm for unconfirmed retirements is set.
  var isRepeating = false
  /// By part: AutoScale's starts that have come to an end here.
  var settledOrders: [UInt32]
  /// Calls of requests that have begun; and calls that gateways or consumers have been charged for.
  var callsBegun: UInt64 = 0
  var publishedBegun: UInt64 = 0
  /// Arrivals that shedding has been told of, and calls that the downstream has.
  var publishedArrivals: UInt64 = 0
  var publishedCalls: UInt64 = 0
  var publishedRefused: UInt64 = 0
  /// Whether arrivals are requests, the lane's zone is there, and nobody watches: the common case
  /// in one bit.
  var isOpen: Bool
  /// What calls carry, for the branches of the warm path, and whether a call that begins at once
  /// needs nothing but its service time.
  var form: Form
  var callsArePlain: Bool
  /// Whether a message's service time may be drawn as a request's is, when it begins.
  var drawsLate = false
  /// Whoever watches; nil: nobody.
  var tracer: LaneTracer?
  /// What never changes, in a bit each for the inner loop.
  let computes: Bool
  let isTopic: Bool
  /// The lane's zone is lost.
  var isDown = false
  /// Set by whatever must end the inner loop: a message was sent, or a buffer is full.
  var needsAttention = false

  /// Totals over all parts, for the integrals.
  var ready = 0
  var idle = 0
  var inFlight = 0
  /// Processors that calls under way want, as the last epoch that is published left them, and up to
  /// when their integral has been advanced.
  var coresWanted = 0.0
  var coresIntegratedTo = Instant.origin
  /// Of these, what calls want that the lane has taken over: their instances have it among their
  /// changes too.
  var coresTakenIn = 0.0
  var integratedTo = Instant.origin
  /// Of a lane of messages, what the integrals need to know of calls that began or ended since.
  var moments = LaneMoments()
  /// What each call of messages takes on its ways; -1: it has to be found.
  var onlyWays: Int64 = -1
  /// The service time of the second of two messages that were drawn together, and whose it is.
  var pairedService: Int64 = 0
  var pairedIdentity = UInt64.max
  /// A broken rule of the model, if one was seen: no pod above its concurrency.
  var violation: String?

  /// Always nil. A value of any type has no place but in memory, and so has the core with it: of
  /// one that registers might hold, the compiler follows each of its thousand fields through every
  /// method that only reads, which took two thirds of the time to build this module.
  private let staysInMemory: (any Sendable)? = nil

  init(settings: LaneSettings, surroundings: LaneSurroundings) {
    self.settings = settings
    isOpen = settings.hasRequests
    form = Self.form(settings, isWatched: false)
    callsArePlain = settings.callsArePlain
    computes = settings.computes && !settings.isExact
    isTopic = settings.isTopic
    isLimited = !settings.isTopic && (settings.isGated || settings.sheds)
    isGated = settings.isTopic && settings.isGated
    limits = LaneLimits(settings, at: .origin)
    queue = ChosenQueue(settings.queue)
    self.surroundings = surroundings
    topic = settings.makeTopic()
    keyValue = settings.makeKeyValue()
    clients = LaneClients(settings.clients ?? ClientConfiguration(), at: .origin)
    instances = InstanceStates(parts: settings.gateways.count)
    breaking = LaneBreaking(settings.breaking, parts: settings.gateways.count)
    settledOrders = Array(repeating: 0, count: settings.gateways.count)
    staff = Array(repeating: PartStaff(), count: settings.gateways.count)
    if settings.expectsTraffic { reserve() }
    setForm()
  }

  /// Sets whether messages may pass with nothing but their partition looked at.
  mutating func setPassing() {
    topic.passesAtOnce =
      form == .message && drawsLate && !topic.isSkewed && (!settings.isScaled || isSampling)
  }

  /// Asks for what a lane with traffic needs anyway, so that nothing does on its way.
  private mutating func reserve() {
    latencies.reserve()
    waits.reserve()
    startLatencies.reserve()
    inbox.reserve(4)
    outbox.reserveCapacity(4)
  }

  /// Advances the integrals to `now`, before anything that they integrate changes.
  mutating func integrate(to now: Instant) {
    integrateStep(to: now)
    counters.idleSeconds -= Double(moments.idle) * 1e-9
    counters.inFlightSeconds -= Double(moments.inFlight) * 1e-9
    moments = LaneMoments()
  }

  /// The same, but for what was noted beside: each request does it.
  @inline(__always) mutating func integrateStep(to now: Instant) {
    let seconds = Double(now.nanoseconds &- integratedTo.nanoseconds) * 1e-9
    counters.readySeconds += Double(ready) * seconds
    counters.idleSeconds += Double(idle) * seconds
    counters.inFlightSeconds += Double(inFlight) * seconds
    integratedTo = now
  }

  mutating func send(
    _ message: ControlMessage, to address: Address, at now: Instant,
    extraDelay: Nanoseconds = .zero
  ) {
    outbox.append(
      OutMessage(
        sentAt: now, extraDelay: extraDelay, message: message, to: address, part: part))
    counters.messagesOut &+= 1
    needsAttention = true
  }

  borrowing func clone(surroundings: LaneSurroundings) -> Self {
    var copy = Self(settings: settings, surroundings: surroundings)
    copy.queue = queue.clone()
    copy.inbox = inbox
    copy.outbox = outbox
    copy.instances = instances.clone()
    copy.changedInstances = changedInstances
    copy.departedDemand = departedDemand
    copy.retirements = retirements
    copy.calls = calls
    copy.topic = topic.clone()
    copy.invocations = invocations
    copy.clients = clients
    copy.retries = retries
    copy.transfers = transfers
    copy.isDeadlineSet = isDeadlineSet
    copy.isAway = isAway
    copy.conditions = conditions
    copy.nodeLosses = nodeLosses
    copy.podLosses = podLosses
    copy.configuration = configuration
    copy.wrongVersions = wrongVersions
    copy.gatewayCourse = gatewayCourse
    copy.partsDown = partsDown
    copy.toldCounts = toldCounts
    copy.breaking = breaking.clone()
    copy.limits = limits.clone()
    copy.keyValue = keyValue
    copy.hopCalls = hopCalls
    copy.counters = counters
    copy.digest = digest
    copy.latencies = latencies.clone()
    copy.waits = waits.clone()
    copy.startLatencies = startLatencies.clone()
    copy.ready = ready
    copy.idle = idle
    copy.inFlight = inFlight
    copy.coresWanted = coresWanted
    copy.coresIntegratedTo = coresIntegratedTo
    copy.coresTakenIn = coresTakenIn
    copy.integratedTo = integratedTo
    copy.moments = moments
    copy.isSampling = isSampling
    copy.isRepeating = isRepeating
    copy.sampledInFlightSeconds = sampledInFlightSeconds
    copy.sampledCoreSeconds = sampledCoreSeconds
    copy.settledOrders = settledOrders
    copy.staff = staff
    copy.refusals = refusals
    copy.callsBegun = callsBegun
    copy.publishedBegun = publishedBegun
    copy.publishedArrivals = publishedArrivals
    copy.publishedCalls = publishedCalls
    copy.publishedRefused = publishedRefused
    copy.violation = violation
    copy.isDown = isDown
    copy.setForm()
    return copy
  }
}

/// What changed in a lane since its integrals were brought up to an instant, each change times the
/// nanoseconds after that: an integral is the last value times all of the time, less this. A change
/// costs an addition, and the integrals are as exact as if they had been advanced to each.
struct LaneMoments: BitwiseCopyable {
  var idle: Int64 = 0
  var inFlight: Int64 = 0
}

/// A message that reaches a lane, with what is physically true of the pod that it speaks of.
struct Delivery: BitwiseCopyable, Sendable {
  struct Origin: BitwiseCopyable, Sendable {
    var node = NodeID(0)
    var path = StartPath.pool
    /// The Dispatcher that knows the pod.
    var dispatcher: UInt16 = 0
    /// The worker process that it is in, of an isolate.
    var host: PodID?
  }

  var message: ControlMessage
  var part: UInt8
  var origin = Origin()
}

/// A request whose hops are events of their own.
struct HopCall: BitwiseCopyable {
  var answer: LaneEvent
  var service: Nanoseconds
}

/// Values in numbered slots that are used again.
struct Slots<Value: BitwiseCopyable & Sendable>: Sendable {
  private var values: [Value] = []
  private var free: [UInt32] = []

  init() {}

  /// Asks for the memory of so many now.
  mutating func reserve(_ room: Int) {
    values.reserveCapacity(room)
    free.reserveCapacity(room)
  }

  subscript(slot: UInt32) -> Value { values[Int(slot)] }

  /// All slots, those that are free among them.
  var slots: Range<UInt32> { 0..<UInt32(values.count) }

  mutating func put(_ value: Value) -> UInt32 {
    if let slot = free.popLast() {
      values[Int(slot)] = value
      return slot
    }
    values.append(value)
    return UInt32(values.count - 1)
  }

  mutating func update(_ slot: UInt32, _ change: (inout Value) -> Void) {
    change(&values[Int(slot)])
  }

  /// All slots, those that are free with their last values.
  func visitAll(_ body: (Value) -> Void) { values.forEach(body) }

  mutating func take(_ slot: UInt32) -> Value {
    free.append(slot)
    return values[Int(slot)]
  }
}
