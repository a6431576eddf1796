import Primitives

/// What a HostAgent needs beyond sending.
public protocol HostAgentEffects: MessageSink {
  /// Mounts the code and starts the runtime of a pod; the world answers with `initialised`.
  mutating func initialise(_ start: StartRequest, pod: PodID, code: CodeLevel)
}

/// The agent of a node: it brings a service's code to the node and starts pods with it.
///
/// Three levels: the node's own cache, the zone's, the object store. Starts that want code which is
/// on its way share one download. Code is kept least recently used.
public struct HostAgent: Sendable {
  struct Waiting: Sendable {
    var start: StartRequest
    var pod: PodID
  }

  public let node: NodeID
  public let zone: ZoneID
  public private(set) var cache: ByteCache
  private var downloading: [(service: ServiceID, waiting: [Waiting])] = []
  /// Hits of the node's own cache, and downloads begun.
  public private(set) var hits: UInt64 = 0
  public private(set) var downloads: UInt64 = 0

  public init(node: NodeID, zone: ZoneID, cacheBytes: Int64) {
    self.node = node
    self.zone = zone
    cache = ByteCache(capacityBytes: cacheBytes)
  }

  /// Brings code in before the run begins.
  public mutating func prefill(_ service: ServiceID, bytes: Int64) {
    cache.insert(service.raw, bytes: bytes)
  }

  /// - Parameter codeBytes: size of the code of the service that the message is about.
  public mutating func handle(
    _ message: ControlMessage, codeBytes: Int64, into effects: inout some HostAgentEffects
  ) {
    switch message {
    case .loadCode(let start, let pod, _):
      load(start, pod, into: &effects)
    case .codeFetched(let service, let level):
      fetched(service, level, bytes: codeBytes, into: &effects)
    default:
      break
    }
  }

  private mutating func load(
    _ start: StartRequest, _ pod: PodID, into effects: inout some HostAgentEffects
  ) {
    if cache.use(start.service.raw) {
      hits += 1
      return effects.initialise(start, pod: pod, code: .node)
    }
    let waiting = Waiting(start: start, pod: pod)
    if let index = downloading.firstIndex(where: { $0.service == start.service }) {
      downloading[index].waiting.append(waiting)
      return
    }
    downloads += 1
    downloading.append((start.service, [waiting]))
    effects.send(
      .fetchCode(service: start.service, node: node), to: Address(.zoneCache, zone.index))
  }

  private mutating func fetched(
    _ service: ServiceID, _ level: CodeLevel, bytes: Int64,
    into effects: inout some HostAgentEffects
  ) {
    cache.insert(service.raw, bytes: bytes)
    guard let index = downloading.firstIndex(where: { $0.service == service }) else { return }
    for waiting in downloading.remove(at: index).waiting {
      effects.initialise(waiting.start, pod: waiting.pod, code: level)
    }
  }
}

/// The code cache of a zone, between the nodes and the object store. Downloads of the same code
/// that are under way from the store are not shared between nodes (an assumption).
public struct ZoneCodeCache: Sendable {
  public private(set) var cache: ByteCache
  public private(set) var hits: UInt64 = 0
  public private(set) var misses: UInt64 = 0

  public init(cacheBytes: Int64) { cache = ByteCache(capacityBytes: cacheBytes) }

  public mutating func prefill(_ service: ServiceID, bytes: Int64) {
    cache.insert(service.raw, bytes: bytes)
  }

  /// The level that has the code; what came from the store is kept.
  public mutating func fetch(_ service: ServiceID, bytes: Int64) -> CodeLevel {
    if cache.use(service.raw) {
      hits += 1
      return .zone
    }
    misses += 1
    cache.insert(service.raw, bytes: bytes)
    return .origin
  }
}
