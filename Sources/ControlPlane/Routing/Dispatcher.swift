import Primitives

/// What a Dispatcher is told at its start.
public struct DispatcherRules: Sendable, Equatable {
  /// A Worker Manager that has not answered by then is asked no more.
  public var takeTimeout: Nanoseconds
  /// How many Worker Managers are asked before a start is given up.
  public var takeAttempts: Int

  public init(takeTimeout: Nanoseconds, takeAttempts: Int) {
    self.takeTimeout = takeTimeout
    self.takeAttempts = takeAttempts
  }
}

/// What a Dispatcher needs beyond sending: an alarm.
public protocol DispatcherEffects: MessageSink {
  mutating func wakeDispatcher(at instant: Instant)
}

/// Route discovery for the functions that rendezvous hashing gives it: the tables *function → pods*, and the cold
/// path's first step, which finds the Worker Manager that holds the token of the pool's shard.
///
/// A start that the owner does not answer in time, or that names no owner, goes to the next Worker Manager in the
/// pool's rendezvous order with leave to fall back: a manager without the token cannot touch the pool, but it
/// can have Kubernetes make a pod. (An assumption: the platform's talk names the fallback path, not this rule.)
public struct Dispatcher: Sendable {
  struct PendingTake: Sendable {
    var start: StartRequest
    var askedAt: Instant
    var attempt: Int
  }

  public let index: Int
  public let rules: DispatcherRules
  /// By service; grows to the highest service that was asked for.
  var tables: [RouteTable] = []
  var pending: [PendingTake] = []
  /// Holder of each shard's token as far as etcd's watch has told, nil when free.
  var holders: [Int?]
  /// Worker Managers of each shard in rendezvous order.
  let candidates: [[Int]]
  let shardOfPool: [Int]
  var isArmed = false

  /// - Parameters:
  ///   - candidates: per shard, all Worker Managers in rendezvous order.
  ///   - shardOfPool: per pool, its shard.
  public init(
    index: Int, rules: DispatcherRules, candidates: [[Int]], shardOfPool: [Int],
    holders: [Int?]
  ) {
    self.index = index
    self.rules = rules
    self.candidates = candidates
    self.shardOfPool = shardOfPool
    self.holders = holders
  }

  public mutating func handle(
    _ message: ControlMessage, at now: Instant, into effects: inout some DispatcherEffects
  ) {
    switch message {
    case .resolveRoute(let service, let lane, let part, let known):
      answer(service, lane, part, known: known, into: &effects)
    case .needInstance(var start), .scaleUp(var start):
      start.dispatcher = UInt16(index)
      begin(start, at: now, into: &effects)
    case .taken(let start, _):
      acknowledge(start)
    case .takeRefused(let start, let reason):
      refused(start, because: reason, at: now, into: &effects)
    case .loaded(let start, let pod):
      register(start, pod, into: &effects)
    case .instanceRetired(let service, let pod):
      _ = table(service) { $0.remove(pod) }
    case .tokenHeld(let shard, let holder):
      holders[Int(shard)] = Int(holder)
    case .tokenFree(let shard):
      holders[Int(shard)] = nil
    default:
      break
    }
  }

  /// Endpoints of a service that this Dispatcher knows.
  public func endpoints(of service: ServiceID) -> [RouteTable.Endpoint] {
    service.index < tables.count ? tables[service.index].endpoints : []
  }

  /// Enters a pod that was there before the run began.
  public mutating func adopt(_ pod: PodID, service: ServiceID, lane: LaneID, part: Int) {
    table(service) { $0.add(pod, lane: lane, part: UInt8(part)) }
  }

  private mutating func table<R>(_ service: ServiceID, _ body: (inout RouteTable) -> R) -> R {
    while tables.count <= service.index { tables.append(RouteTable()) }
    return body(&tables[service.index])
  }
}

// MARK: Routes

extension Dispatcher {
  private mutating func answer(
    _ service: ServiceID, _ lane: LaneID, _ part: UInt8, known: UInt32,
    into effects: inout some DispatcherEffects
  ) {
    let table = table(service) { $0 }
    let gateway = Address.gateway(lane, part: Int(part))
    func isNews(_ endpoint: RouteTable.Endpoint) -> Bool {
      endpoint.version > known && endpoint.lane == lane && endpoint.part == part
    }
    for endpoint in table.endpoints where isNews(endpoint) {
      effects.send(.endpointAdded(pod: endpoint.pod, version: endpoint.version), to: gateway)
    }
    for endpoint in table.removals where isNews(endpoint) {
      effects.send(.endpointRemoved(pod: endpoint.pod, version: endpoint.version), to: gateway)
    }
    let isNegative = table.isEmpty(lane: lane, part: part)
    effects.send(.route(version: table.version, isNegative: isNegative), to: gateway)
  }

  private mutating func register(
    _ start: StartRequest, _ pod: PodID, into effects: inout some DispatcherEffects
  ) {
    pending.removeAll { $0.start.identity == start.identity }
    let version = table(start.service) { table in
      table.add(pod, lane: start.lane, part: start.part)
      return table.version
    }
    effects.send(
      .instanceReady(start, pod: pod, version: version),
      to: .gateway(start.lane, part: Int(start.part)))
  }
}

// MARK: Starts

extension Dispatcher {
  private mutating func begin(
    _ start: StartRequest, at now: Instant, into effects: inout some DispatcherEffects
  ) {
    guard !pending.contains(where: { $0.start.identity == start.identity }) else { return }
    pending.append(PendingTake(start: start, askedAt: now, attempt: 0))
    ask(pending.count - 1, at: now, into: &effects)
  }

  /// The first question goes to the token's holder, each later one to the next candidate.
  private mutating func ask(
    _ index: Int, at now: Instant, into effects: inout some DispatcherEffects
  ) {
    let take = pending[index]
    let shard = shardOfPool[take.start.pool.index]
    let order = candidates[shard]
    let holder = holders[shard]
    let target: Int
    if let holder, take.attempt == 0 {
      target = holder
    } else {
      let others = order.filter { $0 != holder }
      target = others.isEmpty ? order[0] : others[take.attempt % others.count]
    }
    pending[index].askedAt = now
    effects.send(
      .take(take.start, mayFallBack: take.attempt > 0 || holder == nil),
      to: Address(.workerManager, target))
    if !isArmed {
      isArmed = true
      effects.wakeDispatcher(at: now + rules.takeTimeout)
    }
  }

  private mutating func acknowledge(_ start: StartRequest) {
    pending.removeAll { $0.start.identity == start.identity }
  }

  private mutating func refused(
    _ start: StartRequest, because reason: StartFailure, at now: Instant,
    into effects: inout some DispatcherEffects
  ) {
    let found = pending.firstIndex { $0.start.identity == start.identity }
    guard reason == .notOwner, let index = found, pending[index].attempt + 1 < rules.takeAttempts
    else {
      if let index = found { pending.remove(at: index) }
      return giveUp(start, because: reason, into: &effects)
    }
    pending[index].attempt += 1
    ask(index, at: now, into: &effects)
  }

  private func giveUp(
    _ start: StartRequest, because reason: StartFailure,
    into effects: inout some DispatcherEffects
  ) {
    effects.send(
      .startFailed(start, reason), to: .gateway(start.lane, part: Int(start.part)))
  }

  /// The alarm: takes that nobody acknowledged go to the next Worker Manager.
  public mutating func wake(at now: Instant, into effects: inout some DispatcherEffects) {
    isArmed = false
    let overdue = pending.indices.filter { pending[$0].askedAt + rules.takeTimeout <= now }
    for index in overdue {
      pending[index].attempt += 1
      if pending[index].attempt < rules.takeAttempts { ask(index, at: now, into: &effects) }
    }
    let lost = pending.filter { $0.attempt >= rules.takeAttempts }
    pending.removeAll { $0.attempt >= rules.takeAttempts }
    for take in lost { giveUp(take.start, because: .timedOut, into: &effects) }
    guard !isArmed, let next = pending.map(\.askedAt).min() else { return }
    isArmed = true
    effects.wakeDispatcher(at: next + rules.takeTimeout)
  }
}
