import Primitives

/// What a Worker Manager is told of the hosts of a pool.
public struct HostRules: Sendable, Equatable {
  /// Hosts that there may be; more starts are refused. As many as the pool's target are there from
  /// the beginning.
  public var most: Int
  /// Whether a host is made when none has room; if not, the start is refused.
  public var mayGrow: Bool
  /// Memory that a host has for isolates.
  public var memoryBytes: Int64
  /// By service: memory of one isolate.
  public var isolateBytes: [Int64]

  public init(most: Int, mayGrow: Bool, memoryBytes: Int64, isolateBytes: [Int64]) {
    self.most = most
    self.mayGrow = mayGrow
    self.memoryBytes = memoryBytes
    self.isolateBytes = isolateBytes
  }
}

/// The worker processes of a pool as the pool's owner knows them: it gives out their memory, an
/// isolate at a time, and it comes back when isolates end.
///
/// What a host has told is absolute; starts that it has not answered yet are taken off. So a word
/// that is lost is made good by the next one. The fullest host that has room is taken, so that
/// others become empty. (An assumption.)
public struct IsolateHosts: Sendable {
  struct Host: Sendable {
    var pod: PodID
    var node: NodeID
    /// As it has told last.
    var toldBytes: Int64
    /// Of starts that it has not answered.
    var pendingBytes: Int64 = 0

    var freeBytes: Int64 { toldBytes - pendingBytes }
  }

  struct Waiting: Sendable {
    var start: StartRequest
    var bytes: Int64
  }

  public enum Take: Sendable, Equatable {
    case host(WarmPod)
    /// No host has room: it waits for another one, which is on order.
    case waits
    case refused
  }

  public let rules: HostRules
  /// In the order of numbers.
  private(set) var hosts: [Host] = []
  /// Starts that wait for a host, the oldest first.
  private(set) var waiting: [Waiting] = []

  public init(rules: HostRules) { self.rules = rules }

  public var count: Int { hosts.count }
  public var waitingCount: Int { waiting.count }
  /// Hosts that the starts which wait fill, and perhaps one more start.
  func hostsWanted(with more: Int64 = 0) -> Int {
    let bytes = waiting.reduce(more) { $0 + $1.bytes }
    return Int((bytes + rules.memoryBytes - 1) / max(1, rules.memoryBytes))
  }

  func bytes(of service: ServiceID) -> Int64 {
    service.index < rules.isolateBytes.count ? rules.isolateBytes[service.index] : 0
  }

  /// A start wants room. O(hosts of the pool).
  public mutating func take(for start: StartRequest) -> Take {
    let bytes = bytes(of: start.service)
    if let index = fullest(holding: bytes) {
      hosts[index].pendingBytes += bytes
      return .host(WarmPod(pod: hosts[index].pod, node: hosts[index].node))
    }
    guard bytes <= rules.memoryBytes, rules.mayGrow,
      hostsWanted(with: bytes) <= rules.most - hosts.count
    else { return .refused }
    waiting.append(Waiting(start: start, bytes: bytes))
    return .waits
  }

  private func fullest(holding bytes: Int64) -> Int? {
    var best: Int?
    for (index, host) in hosts.enumerated() where host.freeBytes >= bytes {
      if best.map({ host.freeBytes < hosts[$0].freeBytes }) ?? true { best = index }
    }
    return best
  }

  /// Starts that wait and that a host has room for, the oldest first; they are its own now.
  public mutating func serveWaiting(on host: PodID) -> [StartRequest] {
    var placed: [StartRequest] = []
    guard !waiting.isEmpty, let index = hosts.firstIndex(where: { $0.pod == host }) else {
      return placed
    }
    var free = hosts[index].freeBytes
    waiting.removeAll { waiting in
      guard free >= waiting.bytes else { return false }
      free -= waiting.bytes
      placed.append(waiting.start)
      return true
    }
    hosts[index].pendingBytes = hosts[index].toldBytes - free
    return placed
  }

  /// A host is there, with all of its memory free as far as is known.
  public mutating func adopt(_ host: WarmPod) {
    guard !hosts.contains(where: { $0.pod == host.pod }) else { return }
    let place = hosts.firstIndex { $0.pod > host.pod } ?? hosts.count
    hosts.insert(
      Host(pod: host.pod, node: host.node, toldBytes: rules.memoryBytes), at: place)
  }

  /// An isolate that was there before the run began.
  public mutating func adoptIsolate(of service: ServiceID, on host: PodID) {
    let bytes = bytes(of: service)
    update(host) { $0.toldBytes -= bytes }
  }

  /// A host has told how much it has free.
  public mutating func told(_ host: PodID, freeBytes: Int64) {
    update(host) { $0.toldBytes = freeBytes }
  }

  /// A start that a host was asked for has been answered, or is given up.
  public mutating func settled(_ start: StartRequest, on host: PodID) {
    let bytes = bytes(of: start.service)
    update(host) { $0.pendingBytes -= bytes }
  }

  /// A host went.
  public mutating func lose(_ host: PodID) { hosts.removeAll { $0.pod == host } }

  /// No host will come: whoever waits is refused.
  public mutating func giveUpWaiting() -> [StartRequest] {
    defer { waiting.removeAll() }
    return waiting.map(\.start)
  }

  /// The agent of a host.
  func node(of host: PodID) -> NodeID? { hosts.first { $0.pod == host }?.node }

  private mutating func update(_ host: PodID, _ body: (inout Host) -> Void) {
    guard let index = hosts.firstIndex(where: { $0.pod == host }) else { return }
    body(&hosts[index])
  }
}
