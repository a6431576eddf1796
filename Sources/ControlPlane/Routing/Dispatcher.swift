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
    /// Questions so far.
    var attempt: Int
    /// The holder that was asked already, and who was asked last.
    var askedHolder: Int?
    var lastTarget: Int?
  }

  public let index: Int
  public let rules: DispatcherRules
  /// By service; grows to the highest service that was asked for.
  var tables: [RouteTable] = []
  /// Takes that nobody has acknowledged, by the start's identity; asked only for keys.
  var pending: [UInt64: PendingTake] = [:]
  /// Questions in the order of asking, which is that of their time-outs; answered ones are passed
  /// over.
  var asked = DeadlineRing<UInt64>()
  /// Who holds the shards' tokens, as far as etcd's watch has told.
  var watch: TokenWatch
  /// Worker Managers of each shard in rendezvous order.
  let candidates: [[Int]]
  let shardOfPool: [Int]
  /// Counts its lives: one that begins anew has lost its tables.
  let life: UInt32
  /// The list of endpoints that it waits for.
  var listing = EndpointListing()
  /// The earliest alarm that is set.
  var armedFor = Instant.distantFuture

  /// - Parameters:
  ///   - candidates: per shard, all Worker Managers in rendezvous order.
  ///   - shardOfPool: per pool, its shard.
  public init(
    index: Int, life: UInt32 = 0, rules: DispatcherRules, candidates: [[Int]], shardOfPool: [Int]
  ) {
    self.index = index
    self.life = life
    self.rules = rules
    self.candidates = candidates
    self.shardOfPool = shardOfPool
    watch = TokenWatch(shards: candidates.count)
  }

  public mutating func handle(
    _ message: ControlMessage, at now: Instant, into effects: inout some DispatcherEffects
  ) {
    switch message {
    case .resolveRoute(let service, let lane, let part, let known):
      answer(service, lane, part, known: known, into: &effects)
    case .needInstance(var start), .scaleUp(var start):
      if start.isAhead { effects.send(.scaleAccepted(start), to: .autoscaler) }
      start.dispatcher = UInt16(index)
      begin(start, at: now, into: &effects)
    case .taken(let start, _):
      pending[start.identity] = nil
    case .takeRefused(let start, let reason):
      refused(start, because: reason, at: now, into: &effects)
    case .loaded(let start, let pod, let node):
      register(start, pod, on: node, into: &effects)
    case .instanceRetired(let service, let pod, let lane, let part):
      _ = table(service) { $0.remove(pod) }
      effects.send(
        .deletePod(pod, replyTo: .gateway(lane, part: Int(part))), to: .kubernetes)
    case .podEnded(let service, let pod):
      _ = table(service) { $0.remove(pod) }
    case .listedEndpoint(listing.number, let service, let pod, let lane, let part):
      listing.received += 1
      table(service) { if !$0.contains(pod) { $0.add(pod, lane: lane, part: part) } }
    case .listedEndpoints(listing.number, let count):
      if listing.received == count { listing.askedAt = nil }
    case .token(let state):
      _ = watch.learn(state)
      readTokens(at: now, into: &effects)
    case .tokenRead(let state, let remaining, let revision):
      _ = watch.read(state, remaining: remaining, revision: revision)
    default:
      break
    }
  }

  /// Learns before the run begins who holds a token.
  public mutating func adopt(_ state: TokenState) { _ = watch.learn(state) }

  /// Reads all tokens where one was missed.
  mutating func readTokens(at now: Instant, into effects: inout some DispatcherEffects) {
    if watch.beginsReading(at: now, interval: rules.takeTimeout) {
      effects.send(.readTokens, to: .etcd)
    }
  }

  /// Endpoints of a service that this Dispatcher knows.
  public func endpoints(of service: ServiceID) -> [RouteTable.Endpoint] {
    service.index < tables.count ? tables[service.index].endpoints : []
  }

  /// How often the endpoints of a service have changed here.
  public func version(of service: ServiceID) -> UInt32 {
    service.index < tables.count ? tables[service.index].version : 0
  }

  /// Enters a pod that was there before the run began.
  public mutating func adopt(_ pod: PodID, service: ServiceID, lane: LaneID, part: Int) {
    table(service) { $0.add(pod, lane: lane, part: UInt8(part)) }
  }

  private mutating func table<R>(_ service: ServiceID, _ body: (inout RouteTable) -> R) -> R {
    while tables.count <= service.index { tables.append(RouteTable(version: life << 24)) }
    return body(&tables[service.index])
  }
}

// MARK: Routes

extension Dispatcher {
  private mutating func answer(
    _ service: ServiceID, _ lane: LaneID, _ part: UInt8, known: UInt32,
    into effects: inout some DispatcherEffects
  ) {
    while tables.count <= service.index { tables.append(RouteTable(version: life << 24)) }
    let gateway = Address.gateway(lane, part: Int(part))
    var news: UInt16 = 0
    for endpoint in tables[service.index].additions(after: known)
    where endpoint.isLive && endpoint.lane == lane && endpoint.part == part {
      effects.send(.endpointAdded(pod: endpoint.pod, version: endpoint.version), to: gateway)
      news &+= 1
    }
    for endpoint in tables[service.index].removals(after: known)
    where endpoint.lane == lane && endpoint.part == part {
      effects.send(.endpointRemoved(pod: endpoint.pod, version: endpoint.version), to: gateway)
      news &+= 1
    }
    effects.send(
      .route(
        version: tables[service.index].version,
        isNegative: tables[service.index].isEmpty(lane: lane, part: part), news: news,
        dispatcher: UInt16(index)), to: gateway)
  }

  private mutating func register(
    _ start: StartRequest, _ pod: PodID, on node: NodeID,
    into effects: inout some DispatcherEffects
  ) {
    pending[start.identity] = nil
    let version = table(start.service) { table in
      if !table.contains(pod) {
        table.add(pod, lane: start.lane, part: start.part, start: start.identity)
      }
      return table.version
    }
    effects.send(.registered(pod: pod), to: Address(.hostAgent, node.index))
    announce(start, pod, version, into: &effects)
  }

  func announce(
    _ start: StartRequest, _ pod: PodID, _ version: UInt32,
    into effects: inout some DispatcherEffects
  ) {
    effects.send(
      .instanceReady(start, pod: pod, version: version),
      to: .gateway(start.lane, part: Int(start.part)))
  }
}
