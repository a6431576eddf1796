import Primitives

/// What a HostAgent needs beyond sending.
public protocol HostAgentEffects: MessageSink {
  /// Mounts the code and starts the runtime of a pod; the world answers with `initialised`.
  mutating func initialise(_ start: StartRequest, pod: PodID, code: CodeLevel)
  /// Wakes the agent at an instant of its own clock; an earlier wish is not withdrawn.
  mutating func wakeAgent(at instant: Instant)
}

/// The agent of a node: it brings a service's code to the node and starts pods with it.
///
/// Three levels: the node's own cache, the zone's, the object store. Starts that want code which is
/// on its way share one download. Code is kept least recently used. A pod serves the start that
/// claims it first; a repeated claim is answered, another one refused.
public struct HostAgent: Sendable {
  struct Waiting: Sendable {
    var start: StartRequest
    var pod: PodID
    /// The worker process that the pod is an isolate of.
    var host: PodID?
  }

  public let node: NodeID
  public let zone: ZoneID
  public private(set) var cache: ByteCache
  /// The start that each pod of this node was given to, as long as the pod lives.
  private var claims: [PodID: UInt64] = [:]
  /// Worker processes of this node, and the process of each isolate; asked only for keys.
  public internal(set) var processes: [PodID: HostProcess] = [:]
  private var hostOf: [PodID: PodID] = [:]
  /// Isolates by the starts that they were given to.
  private var isolateOf: [UInt64: PodID] = [:]
  private var startsByService: [ServiceID: [Waiting]] = [:]
  private var downloads: RetryLedger<ServiceID>
  private var reports: RetryLedger<PodID>
  /// Loads that have begun and not been reported as ended, in the order of beginning; asked for
  /// keys, and all of them by a restart.
  private var loads: [PodID: (ordinal: UInt64, waiting: Waiting)] = [:]
  private var loadsBegun: UInt64 = 0
  /// By service: the Dispatchers in rendezvous order; empty: nobody but the start's own.
  private let dispatchers: [[Int]]
  /// Hits of the node's own cache.
  public private(set) var hits: UInt64 = 0

  /// - Parameter dispatchers: by service, in rendezvous order: what one of them does not confirm
  ///   goes to the next.
  public init(
    node: NodeID, zone: ZoneID, cacheBytes: Int64, retry: RetryRules, dispatchers: [[Int]] = []
  ) {
    self.node = node
    self.zone = zone
    self.dispatchers = dispatchers
    cache = ByteCache(capacityBytes: cacheBytes)
    downloads = RetryLedger(retry)
    reports = RetryLedger(retry)
  }

  /// Brings code in before the run begins.
  public mutating func prefill(_ service: ServiceID, bytes: Int64) {
    cache.insert(service.raw, bytes: bytes)
  }

  /// The node is a new machine, without code.
  public mutating func renew() { cache = ByteCache(capacityBytes: cache.capacityBytes) }

  /// The agent begins anew after a crash: its cache, its downloads and what it had not brought to
  /// an end are gone. The node remembers which pods were given to what (an assumption: it is
  /// written at the pod), and these are loaded again. Worker processes live on by themselves.
  public mutating func restart(at now: Instant, into effects: inout some HostAgentEffects) {
    renew()
    downloads = RetryLedger(downloads.rules)
    reports = RetryLedger(reports.rules)
    startsByService = [:]
    let again = loads.values.sorted { $0.ordinal < $1.ordinal }  // order-free: sorted at once
    loads = [:]
    for (_, load) in again {
      if load.host.flatMap({ processes[$0]?.useModule(load.start.service) }) == true {
        note(load)
        effects.initialise(load.start, pod: load.pod, code: .module)
      } else {
        bring(load.start, load.pod, host: load.host, at: now, into: &effects)
      }
    }
    rearm(at: now, into: &effects)
  }

  private mutating func note(_ load: Waiting) {
    loads[load.pod] = (loadsBegun, load)
    loadsBegun += 1
  }

  /// - Parameter codeBytes: size of the code of the service that the message is about.
  public mutating func handle(
    _ message: ControlMessage, codeBytes: Int64, at now: Instant,
    into effects: inout some HostAgentEffects
  ) {
    switch message {
    case .loadCode(let start, let pod, _, let manager):
      let sender = Address(.workerManager, Int(manager))
      load(start, pod, for: sender, at: now, into: &effects)
    case .fetching(let service):
      downloads.accept(service, at: now)
    case .codeFetched(let service, let level):
      fetched(service, level, bytes: codeBytes, into: &effects)
    case .registered(let pod):
      _ = reports.close(pod)
      loads[pod] = nil
    default:
      break
    }
    rearm(at: now, into: &effects)
  }

  /// A pod's runtime is up: its Dispatcher is told until it confirms, and the next in its place
  /// when it has not for as often as is tried.
  public mutating func initialised(
    _ start: StartRequest, pod: PodID, at now: Instant, into effects: inout some HostAgentEffects
  ) {
    report(start, pod, at: now, into: &effects)
    rearm(at: now, into: &effects)
  }

  private mutating func report(
    _ start: StartRequest, _ pod: PodID, at now: Instant, into effects: inout some HostAgentEffects
  ) {
    let message = ControlMessage.loaded(start, pod: pod, node: node)
    let dispatcher = Address(.dispatcher, Int(start.dispatcher))
    reports.open(pod, message, to: dispatcher, at: now)
    effects.send(message, to: dispatcher)
  }

  /// Who is told of a start that its Dispatcher does not confirm.
  private func turned(_ start: StartRequest) -> StartRequest {
    guard start.service.index < dispatchers.count else { return start }
    let order = dispatchers[start.service.index]
    guard let rank = order.firstIndex(of: Int(start.dispatcher)) else { return start }
    var start = start
    start.dispatcher = UInt16(order[(rank + 1) % order.count])
    return start
  }

  /// Whether a pod was given to a start.
  public func hasClaim(on pod: PodID) -> Bool { claims[pod] != nil }

  /// A pod of this node is no more.
  public mutating func forget(_ pod: PodID) {
    if let start = claims.removeValue(forKey: pod), hostOf[pod] != nil { isolateOf[start] = nil }
    _ = reports.close(pod)
    loads[pod] = nil
    processes[pod] = nil
    if let host = hostOf.removeValue(forKey: pod) { _ = processes[host]?.end(pod) }
  }

  /// The alarm: repeats what nobody has answered.
  public mutating func wake(at now: Instant, into effects: inout some HostAgentEffects) {
    downloads.repeatDue(at: now) { effects.send($0, to: $1) }
    var silent: [(start: StartRequest, pod: PodID)] = []
    reports.repeatDue(at: now) {
      effects.send($0, to: $1)
    } giveUp: { pod, message in
      if case .loaded(let start, _, _) = message { silent.append((start, pod)) }
    }
    for (start, pod) in silent { report(turned(start), pod, at: now, into: &effects) }
    rearm(at: now, into: &effects)
  }

  private mutating func rearm(at now: Instant, into effects: inout some HostAgentEffects) {
    let (first, second) = (downloads.nextDue(), reports.nextDue())
    let next = min(first ?? .distantFuture, second ?? .distantFuture)
    if next < .distantFuture { effects.wakeAgent(at: max(next, now)) }
  }
}

// MARK: Worker processes

extension HostAgent {
  /// A worker process is up.
  public mutating func addHost(_ pod: PodID, memoryBytes: Int64, moduleCacheBytes: Int64) {
    processes[pod] = HostProcess(memoryBytes: memoryBytes, moduleCacheBytes: moduleCacheBytes)
  }

  /// Brings a module into a process before the run begins.
  public mutating func prefill(_ service: ServiceID, bytes: Int64, host: PodID) {
    processes[host]?.keepModule(service, bytes: bytes)
  }

  /// Whether a start would be given an isolate that it does not have yet.
  public func wouldBegin(_ start: StartRequest, on host: PodID, bytes: Int64) -> Bool {
    isolateOf[start.identity] == nil && (processes[host]?.freeBytes ?? -1) >= bytes
  }

  /// An isolate that was there before the run began; false when there is no room.
  public mutating func adoptIsolate(_ isolate: PodID, on host: PodID, bytes: Int64) -> Bool {
    guard processes[host]?.begin(isolate, bytes: bytes) == true else { return false }
    hostOf[isolate] = host
    return true
  }

  /// A start wants an isolate: it begins, had begun before, or is refused.
  ///
  /// - Parameters:
  ///   - isolate: the number that it gets where it begins now.
  ///   - bytes: memory of the isolate.
  public mutating func startIsolate(
    _ start: StartRequest, as isolate: PodID?, on host: PodID, bytes: Int64,
    for manager: Address, at now: Instant, into effects: inout some HostAgentEffects
  ) {
    defer { rearm(at: now, into: &effects) }
    if isolateOf[start.identity] == nil {
      guard let isolate, adoptIsolate(isolate, on: host, bytes: bytes) else {
        let free = processes[host]?.freeBytes ?? 0
        return effects.send(.isolateRefused(start, host: host, freeBytes: free), to: manager)
      }
      isolateOf[start.identity] = isolate
      claims[isolate] = start.identity
      if processes[host]?.useModule(start.service) == true {
        note(Waiting(start: start, pod: isolate, host: host))
        effects.initialise(start, pod: isolate, code: .module)
      } else {
        bring(start, isolate, host: host, at: now, into: &effects)
      }
    }
    let free = processes[host]?.freeBytes ?? 0
    effects.send(.isolateStarting(start, host: host, freeBytes: free), to: manager)
  }
}

// MARK: Loading

extension HostAgent {
  private mutating func load(
    _ start: StartRequest, _ pod: PodID, for manager: Address, at now: Instant,
    into effects: inout some HostAgentEffects
  ) {
    if let claim = claims[pod] {
      return effects.send(
        claim == start.identity ? .loading(pod: pod) : .loadRefused(start, pod: pod), to: manager)
    }
    claims[pod] = start.identity
    effects.send(.loading(pod: pod), to: manager)
    effects.send(.claimed(pod: pod), to: .kubernetes)
    bring(start, pod, host: nil, at: now, into: &effects)
  }

  /// Brings a start's code to the node, and goes on when it is there.
  private mutating func bring(
    _ start: StartRequest, _ pod: PodID, host: PodID?, at now: Instant,
    into effects: inout some HostAgentEffects
  ) {
    note(Waiting(start: start, pod: pod, host: host))
    if cache.use(start.service.raw) {
      hits += 1
      if let host {
        processes[host]?.keepModule(start.service, bytes: cache.bytes(of: start.service.raw))
      }
      return effects.initialise(start, pod: pod, code: .node)
    }
    startsByService[start.service, default: []].append(
      Waiting(start: start, pod: pod, host: host))
    guard !downloads.contains(start.service) else { return }
    let message = ControlMessage.fetchCode(
      service: start.service, node: node, start: start.identity)
    let address = Address(.zoneCache, zone.index)
    downloads.open(start.service, message, to: address, at: now)
    effects.send(message, to: address)
  }

  private mutating func fetched(
    _ service: ServiceID, _ level: CodeLevel, bytes: Int64,
    into effects: inout some HostAgentEffects
  ) {
    guard downloads.close(service) else { return }
    cache.insert(service.raw, bytes: bytes)
    let released = startsByService.removeValue(forKey: service) ?? []
    for waiting in released {
      // Its pod may have been deleted meanwhile.
      guard claims[waiting.pod] == waiting.start.identity else { continue }
      if let host = waiting.host { processes[host]?.keepModule(service, bytes: bytes) }
      effects.initialise(waiting.start, pod: waiting.pod, code: level)
    }
  }
}
