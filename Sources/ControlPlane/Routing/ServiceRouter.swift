import Primitives

/// What a gateway may do for one service.
public struct RouterRules: Sendable, BitwiseCopyable {
  /// When a request that finds no free slot asks for another instance.
  public enum StartRule: UInt8, Sendable, BitwiseCopyable {
    /// As soon as more requests wait than instances are being started for.
    case onDemand
    /// Only while there is no usable instance at all: AutoScale does the rest.
    case fromZero
    /// Never.
    case never
  }

  public var choice: InstanceChoice
  public var concurrencyLimit: Int
  public var startRule: StartRule
  /// Waiting requests that no start is under way for; more are refused.
  public var queueLimit: Int
  /// Instances present, draining ones among them, and starting. One that comes beyond them is given
  /// up at once.
  public var maximumInstances: Int
  /// Usable instances are not given up below this number, whether idle or on AutoScale's wish.
  public var minimumInstances: Int
  /// An instance idle for this long is given up; `.max` for never.
  public var keepAlive: Nanoseconds
  public var routeLifetimes: RouteLifetimes
  /// A request that has waited for so long fails.
  public var waitLimit: Nanoseconds
  /// An unanswered question to a Dispatcher is repeated after this.
  public var askTimeout: Nanoseconds
  /// An unanswered wish for an instance is repeated after this, `startAttempts` times in all.
  public var startTimeout: Nanoseconds
  public var startAttempts: Int
  /// After a failed start the next is tried so much later.
  public var startBackoff: Nanoseconds

  /// Starts that are asked of another Dispatcher at once when that one answers in place of a silent
  /// one (assumed).
  public static let mostAskedAgain = 4

  public init(
    choice: InstanceChoice, concurrencyLimit: Int, startRule: StartRule, queueLimit: Int,
    maximumInstances: Int, minimumInstances: Int, keepAlive: Nanoseconds,
    routeLifetimes: RouteLifetimes, waitLimit: Nanoseconds, askTimeout: Nanoseconds,
    startTimeout: Nanoseconds, startAttempts: Int, startBackoff: Nanoseconds
  ) {
    self.choice = choice
    self.concurrencyLimit = concurrencyLimit
    self.startRule = startRule
    self.queueLimit = queueLimit
    self.maximumInstances = maximumInstances
    self.minimumInstances = minimumInstances
    self.keepAlive = keepAlive
    self.routeLifetimes = routeLifetimes
    self.waitLimit = waitLimit
    self.askTimeout = askTimeout
    self.startTimeout = startTimeout
    self.startAttempts = startAttempts
    self.startBackoff = startBackoff
  }
}

/// Why a gateway turned a request away.
public enum Refusal: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// More requests wait than the service's limit allows.
  case queueFull
  /// No instance could be made, and the queue may not hold the request.
  case noCapacity
  /// The request waited as long as it may.
  case waitedTooLong
  /// More requests come, or are under way, than the service's limits allow.
  case rateLimit, concurrencyLimit
  /// The gateway has too much to do, and others are more important.
  case shed
}

/// The alarms of a router; each has at most one set at a time.
public enum RouterTimer: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  case idleExpiry, waitLimit, askTimeout, startTimeout, startBackoff, keepAlive
}

/// How an instance came to serve a request.
public struct Assignment: Sendable, BitwiseCopyable {
  public var slot: InstanceSlot
  public var pod: PodID
  /// The first request of an instance that was made on demand.
  public var isFirst: Bool
  /// The request waited in the gateway's queue, perhaps for no time at all.
  public var waited: Bool
  /// The request waited for an instance to be made, and begins on it as it joins.
  public var isCold: Bool
  @inlinable public init(
    slot: InstanceSlot, pod: PodID, isFirst: Bool, waited: Bool, isCold: Bool
  ) {
    self.slot = slot
    self.pod = pod
    self.isFirst = isFirst
    self.waited = waited
    self.isCold = isCold
  }
}

/// What a router wants to happen.
public protocol RouterEffects<Ticket>: ~Copyable {
  associatedtype Ticket: BitwiseCopyable
  /// Calls an instance for a request.
  mutating func call(_ ticket: Ticket, _ assignment: Assignment, at now: Instant)
  mutating func refuse(_ ticket: Ticket, because reason: Refusal, at now: Instant)
  /// Asks the Dispatcher for the route.
  mutating func askRoute(knownVersion: UInt32, attempt: Int, at now: Instant)
  /// Asks the Dispatcher that answers for another instance.
  mutating func askInstance(ordinal: UInt32, attempt: Int, at now: Instant)
  /// An instance has joined the router's table; nothing was called on it yet.
  mutating func joined(_ pod: PodID, _ slot: InstanceSlot, at now: Instant)
  /// Gives up an idle instance.
  mutating func retire(_ pod: PodID, _ slot: InstanceSlot, at now: Instant)
  /// Wakes the router at an instant.
  mutating func wake(_ timer: RouterTimer, at instant: Instant)
}

/// One service at one gateway: its route, its share of the instances, and the requests that wait.
///
/// The warm path is `arrive` and `finished`: a comparison for the route's age, the choice, two
/// counters; it allocates nothing. All else (questions, starts, limits, keep-alive) is off that
/// path. An instance that becomes free serves the oldest waiting request first, whether or not
/// another instance is on its way.
public struct ServiceRouter<Ticket: BitwiseCopyable>: ~Copyable {
  public var rules: RouterRules
  /// Readable for reports and tests; only the router's own methods change what follows.
  public var route = RouteEntry()
  public var instances: InstanceTable
  public var waiting = WaitingQueue<Ticket>()
  @usableFromInline var starts = StartLedger()
  @usableFromInline var bits: Xoshiro256PlusPlus
  @usableFromInline var armed: UInt8 = 0
  /// The instance that is joining just now.
  @usableFromInline var joining: InstanceSlot?
  @usableFromInline var askedAt = Instant.origin
  @usableFromInline var askAttempt = 0
  /// Endpoints that a Dispatcher has told since the latest question.
  @usableFromInline var newsReceived: UInt16 = 0
  /// Where a policy decides on keep-alive; nil: the rules do.
  @usableFromInline var watch: KeepAliveWatch?
  /// The same as a bit, for the warm path.
  @usableFromInline let isWatched: Bool
  /// When the earliest alarm of the policy rings; others are void.
  @usableFromInline var watchAlarm = Instant.distantFuture

  /// Requests that were served by a stale route.
  public var staleUses: UInt64 = 0

  /// - Parameters:
  ///   - keepAlive: decides on idle instances in the place of `rules.keepAlive`.
  ///   - expectsTraffic: has memory for those that wait before the first does, which is 2.5 KB: not
  ///     for the many services that hardly anybody calls.
  public init(
    rules: RouterRules, choiceSeed: UInt64, keepAlive: (any KeepAlivePolicy)? = nil,
    expectsTraffic: Bool = true
  ) {
    self.rules = rules
    watch = keepAlive.map(KeepAliveWatch.init)
    isWatched = keepAlive != nil
    instances = InstanceTable(choice: rules.choice, concurrencyLimit: rules.concurrencyLimit)
    bits = Xoshiro256PlusPlus(seed: choiceSeed)
    if expectsTraffic { waiting.reserve() }
  }

  /// Goes on with choices that are drawn anew.
  public mutating func reseed(choiceSeed: UInt64) {
    bits = Xoshiro256PlusPlus(seed: choiceSeed)
  }

  /// Instances asked for and not there yet.
  public var starting: Int { starts.count }

  /// Whether a request waits although the route is known and an instance has a free slot. O(slots).
  public borrowing func isIdleWhileWaiting(at now: Instant) -> Bool {
    guard !waiting.isEmpty, route.age(at: now) != .absent else { return false }
    var isFree = false
    instances.visit { _, instance in
      isFree = isFree || (!instance.isDraining && instance.inFlight < instance.limit)
    }
    return isFree
  }

  @inlinable public var counts: InstanceCounts {
    InstanceCounts(
      usable: instances.usable, draining: instances.draining, starting: starts.count)
  }

  private init(cloning rules: RouterRules, _ watch: KeepAliveWatch?) {
    self.rules = rules
    self.watch = watch
    isWatched = watch != nil
    instances = InstanceTable(choice: rules.choice, concurrencyLimit: rules.concurrencyLimit)
    bits = Xoshiro256PlusPlus(seed: 0)
    waiting.reserve()
  }

  public borrowing func clone() -> Self {
    var copy = Self(cloning: rules, watch?.clone())
    copy.watchAlarm = watchAlarm
    copy.route = route
    copy.instances = instances.clone()
    copy.waiting = waiting.clone()
    copy.starts = starts
    copy.bits = bits
    copy.armed = armed
    copy.askedAt = askedAt
    copy.askAttempt = askAttempt
    copy.staleUses = staleUses
    copy.newsReceived = newsReceived
    return copy
  }
}

/// The starts that a router waits for, in the order in which they were asked.
@usableFromInline struct StartLedger: Sendable {
  @usableFromInline struct Entry: Sendable {
    @usableFromInline var ordinal: UInt32
    @usableFromInline var askedAt: Instant
    @usableFromInline var attempt: Int
    /// Ahead of the request that is expected, and not for one that waits.
    @usableFromInline var isAhead = false
  }

  @usableFromInline var entries: [Entry] = []
  @usableFromInline var nextOrdinal: UInt32 = 0

  @usableFromInline init() {}
  @usableFromInline var count: Int { entries.count }

  @usableFromInline mutating func open(at now: Instant, isAhead: Bool = false) -> UInt32 {
    let ordinal = nextOrdinal
    nextOrdinal &+= 1
    entries.append(Entry(ordinal: ordinal, askedAt: now, attempt: 0, isAhead: isAhead))
    return ordinal
  }

  /// Whether a start that is waited for was asked ahead of a request.
  @usableFromInline func isAhead(_ ordinal: UInt32) -> Bool {
    entries.contains { $0.ordinal == ordinal && $0.isAhead }
  }

  /// Forgets a start; false when it is not waited for (a second answer, or one that came too late).
  @usableFromInline mutating func close(_ ordinal: UInt32) -> Bool {
    guard let index = entries.firstIndex(where: { $0.ordinal == ordinal }) else { return false }
    entries.remove(at: index)
    return true
  }
}
