import ControlPlane
import Primitives

/// Something that happens in the shared part of the cluster.
enum ControlEvent: BitwiseCopyable {
  /// A message reaches a component.
  case message(ControlMessage, from: Address, to: Address)
  case dispatcherAlarm(Int32)
  /// `incarnation` counts the restarts of a Worker Manager; an older one's alarm is void.
  case managerAlarm(Int32, incarnation: UInt32)
  case agentAlarm(Int32)
  /// Kubernetes may admit the creation of that number now.
  case admitCreation(UInt64)
  /// The pod of an order has come up.
  case podBorn(UInt64)
  /// A pod that was claimed should be ready by now.
  case startDeadline(PodID)
  /// A pod that is to go for an order should have answered by now.
  case evictionDeadline(PodID, order: UInt64)
  /// A zone's cache has received code from the store.
  case codeStored(ServiceID, zone: ZoneID)
  /// Code is loaded and the runtime has initialised; void in a later life of the node's agent.
  case initialised(StartRequest, pod: PodID, life: UInt32)
  /// An order has waited for room long enough.
  case pendingDeadline(UInt64)
  /// The Cluster Autoscaler looks at what waits.
  case nodePoolScan
  /// What it was told may lack something.
  case nodePoolRetry(UInt32)
  /// A machine of a node pool in a zone has come up.
  case machineArrives(Int32)
  /// A machine that is emptied is looked at again.
  case drainStep(Int32)
  case etcdScan
  case autoscaleTick
  case tellReadyPods
  case fault(Int32)
  case restart(Int32)
  case nodeWorkEnds(Int32, generation: UInt32)
  /// Kubernetes' patience with the nodes of a fault ends.
  case nodesNoticed(Int32)
  /// Kubernetes' patience with the nodes of a zone ends; `loss` counts its losses.
  case zoneNoticed(ZoneID, loss: UInt32)
  /// Those who have to do with what a fault befell find out; others have what it had.
  case faultNoticed(Int32)
  case faultShifted(Int32)
  case balancerAlarm
  case coordinatorAlarm
  /// A downstream tells the Coordinator what it bears.
  case downstreamReports(Int32)
  /// The oldest order of AutoScale should have been acknowledged by now.
  case orderTimeout
}

/// What machines of the control plane wanted in one step, in order.
struct ControlEffects: Sendable {
  enum Effect: Sendable {
    case send(ControlMessage, Address)
    case wakeDispatcher(Instant)
    case wakeManager(Instant)
    case wakeAgent(Instant)
    case alarm(PoolID, isRaised: Bool, level: Int, target: Int)
    case took(PoolID, StartRequest, isHit: Bool)
    case resized(PoolID, to: Int, alarmBelow: Int)
    case serves(shard: Int, Bool)
    case initialise(StartRequest, PodID, CodeLevel)
  }

  var effects: [Effect] = []
}

extension ControlEffects: DispatcherEffects, WorkerManagerEffects, HostAgentEffects {
  mutating func send(_ message: ControlMessage, to address: Address) {
    effects.append(.send(message, address))
  }
  mutating func wakeDispatcher(at instant: Instant) { effects.append(.wakeDispatcher(instant)) }
  mutating func wakeManager(at instant: Instant) { effects.append(.wakeManager(instant)) }
  mutating func wakeAgent(at instant: Instant) { effects.append(.wakeAgent(instant)) }
  mutating func alarm(_ pool: PoolID, isRaised: Bool, level: Int, target: Int) {
    effects.append(.alarm(pool, isRaised: isRaised, level: level, target: target))
  }
  mutating func took(_ pool: PoolID, _ start: StartRequest, isHit: Bool) {
    effects.append(.took(pool, start, isHit: isHit))
  }
  mutating func resized(_ pool: PoolID, to target: Int, alarmBelow: Int) {
    effects.append(.resized(pool, to: target, alarmBelow: alarmBelow))
  }
  mutating func serves(shard: Int, _ isServing: Bool) {
    effects.append(.serves(shard: shard, isServing))
  }
  mutating func initialise(_ start: StartRequest, pod: PodID, code: CodeLevel) {
    effects.append(.initialise(start, pod, code))
  }
}

/// A component's own monotonic clock. The control plane never sees simulated time.
struct LocalClock: Sendable {
  /// What the clock showed when the run began.
  let offset: Nanoseconds
  /// How much it has been wrong by at an instant, and how fast it runs since.
  private var error = Nanoseconds.zero
  private var since = Instant.origin
  private(set) var rate = 1.0

  init(offset: Nanoseconds) { self.offset = offset }

  /// It jumps, and runs so many times as fast, from now on.
  mutating func set(jump: Nanoseconds, rate: Double, at now: Instant) {
    error = error + drift(until: now) + jump
    since = now
    self.rate = rate
  }

  private func drift(until now: Instant) -> Nanoseconds {
    rate == 1 ? .zero : Nanoseconds(seconds: (now - since).seconds * (rate - 1))
  }

  func local(_ instant: Instant) -> Instant { instant + offset + error + drift(until: instant) }

  /// The earliest instant, to a few nanoseconds, at which it shows that or more.
  func world(_ local: Instant) -> Instant {
    let straight = local - offset - error
    guard rate != 1, local < .distantFuture else { return straight }
    var instant = since + Nanoseconds(seconds: (straight - since).seconds / rate)
    while self.local(instant) < local { instant = instant + Nanoseconds(1) }
    return instant
  }
}

/// One component that handles a message at a time, in order of arrival.
struct Server: Sendable {
  var clock: LocalClock
  let handling: Nanoseconds
  private(set) var busyUntil = Instant.origin
  private(set) var messagesIn: UInt64 = 0
  private(set) var messagesOut: UInt64 = 0
  private(set) var busy = Nanoseconds.zero

  init(clock: LocalClock, handling: Nanoseconds) {
    self.clock = clock
    self.handling = handling
  }

  /// Takes a message that arrives now; returns when its effects leave.
  mutating func accept(at now: Instant) -> Instant {
    messagesIn += 1
    busyUntil = max(now, busyUntil) + handling
    busy = busy + handling
    return busyUntil
  }

  /// The number of the next message out, for the network's draws.
  mutating func nextOrdinal() -> UInt64 {
    messagesOut += 1
    return messagesOut - 1
  }
}
