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

/// Route discovery for the functions that rendezvous hashing gives it: the tables *function →
/// pods*, and the cold path's first step, which finds the Worker Manager that holds the token of
/// the pool's shard.
///
/// A start that the owner does not answer in time, or that names no owner, goes to the next Worker
/// Manager in the pool's rendezvous order with leave to fall back: a manager without the token
/// cannot touch the pool, but it can have Kubernetes make a pod. (An assumption: the platform's
/// talk names the fallback path, not this rule.)
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
  /// Takes that nobody has acknowledged, by the start's identity; asked only for keys.
  var pending: [UInt64: PendingTake] = [:]
  /// Questions in the order of asking, which is that of their time-outs; answered ones are passed
  /// over.
  var asked = DeadlineRing()
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
    pending[start.identity] = nil
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
    guard pending[start.identity] == nil else { return }
    ask(PendingTake(start: start, askedAt: now, attempt: 0), at: now, into: &effects)
  }

  /// The first question goes to the token's holder, each later one to the next candidate.
  private mutating func ask(
    _ take: PendingTake, at now: Instant, into effects: inout some DispatcherEffects
  ) {
    var take = take
    take.askedAt = now
    pending[take.start.identity] = take
    asked.append(take.start.identity, at: now)
    let shard = shardOfPool[take.start.pool.index]
    let holder = holders[shard]
    effects.send(
      .take(take.start, mayFallBack: take.attempt > 0 || holder == nil),
      to: Address(.workerManager, target(shard, holder: holder, attempt: take.attempt)))
    arm(at: now + rules.takeTimeout, into: &effects)
  }

  private func target(_ shard: Int, holder: Int?, attempt: Int) -> Int {
    let order = candidates[shard]
    if let holder, attempt == 0 { return holder }
    let others = order.filter { $0 != holder }
    return others.isEmpty ? order[0] : others[attempt % others.count]
  }

  private mutating func arm(at instant: Instant, into effects: inout some DispatcherEffects) {
    guard !isArmed else { return }
    isArmed = true
    effects.wakeDispatcher(at: instant)
  }

  private mutating func acknowledge(_ start: StartRequest) { pending[start.identity] = nil }

  private mutating func refused(
    _ start: StartRequest, because reason: StartFailure, at now: Instant,
    into effects: inout some DispatcherEffects
  ) {
    let take = pending.removeValue(forKey: start.identity)
    guard reason == .notOwner, var take, take.attempt + 1 < rules.takeAttempts else {
      return giveUp(start, because: reason, into: &effects)
    }
    take.attempt += 1
    ask(take, at: now, into: &effects)
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
    while let (identity, askedAt) = asked.first {
      guard let take = pending[identity], take.askedAt == askedAt else {
        asked.removeFirst()
        continue
      }
      guard askedAt + rules.takeTimeout <= now else {
        return arm(at: askedAt + rules.takeTimeout, into: &effects)
      }
      asked.removeFirst()
      pending[identity] = nil
      if take.attempt + 1 < rules.takeAttempts {
        var again = take
        again.attempt += 1
        ask(again, at: now, into: &effects)
      } else {
        giveUp(take.start, because: .timedOut, into: &effects)
      }
    }
  }
}

/// Questions with one fixed time-out, oldest first: a ring, since they run out in the order of
/// asking.
struct DeadlineRing: Sendable {
  private var entries: [(identity: UInt64, askedAt: Instant)] = []
  private var head = 0

  var first: (identity: UInt64, askedAt: Instant)? {
    head < entries.count ? entries[head] : nil
  }

  mutating func append(_ identity: UInt64, at now: Instant) { entries.append((identity, now)) }

  mutating func removeFirst() {
    head += 1
    if head > 64 && head * 2 > entries.count {
      entries.removeFirst(head)
      head = 0
    }
  }
}
