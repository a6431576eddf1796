import ControlPlane
import Primitives
import SimulationKernel

/// The cluster's Kubernetes, as far as pods go: a rate at which they are created, placement on
/// nodes by the real filter and score, and the time that creation takes.
struct Kubernetes: Sendable {
  /// A creation that waits for its turn, for room, or for evictions.
  struct Creation: Sendable {
    var pool: PoolID
    var purpose: CreationPurpose
    var start: StartRequest?
    /// The Worker Manager that asked, and which life of it.
    var manager: Int
    /// Evictions asked for and not answered.
    var evicting = 0
    /// Memory that evictions for this creation have freed.
    var freedMiB: Int64 = 0
    var isDone = false
  }

  let configuration: KubernetesConfiguration
  /// One table a zone; positions are offsets from the zone's first node.
  var nodeTables: [NodeTable]
  let firstNode: [Int]
  var creations: [Creation] = []
  var freeCreations: [UInt32] = []
  private var nextAdmission = Instant.origin
  private let spacing: Nanoseconds
  private let tolerance: Nanoseconds
  /// Warm pods by pool, in the order of creation, for a Worker Manager that takes over.
  private(set) var warm: [[PodID]]
  private(set) var creationsAsked: UInt64 = 0
  private(set) var creationsFailed: UInt64 = 0

  init(_ configuration: KubernetesConfiguration, zones: [ZoneConfiguration], poolCount: Int) {
    self.configuration = configuration
    var first = 0
    var starts: [Int] = []
    for zone in zones {
      starts.append(first)
      first += zone.nodeCount
    }
    firstNode = starts
    nodeTables = zones.map { zone in
      NodeTable(
        nodes: (0..<zone.nodeCount).map { _ in
          NodeCapacity(cpuMilli: zone.nodeCPUMilli, memoryMiB: zone.nodeMemoryMiB)
        }, policy: configuration.placement)
    }
    warm = Array(repeating: [], count: poolCount)
    if let rate = configuration.podsPerSecond {
      spacing = Nanoseconds(seconds: 1 / rate)
      tolerance = spacing * Int64(max(0, configuration.burst - 1))
    } else {
      spacing = .zero
      tolerance = .zero
    }
  }

  /// When a creation that is asked for now may begin (a token bucket as the generic cell rate
  /// algorithm).
  mutating func admission(at now: Instant) -> Instant {
    creationsAsked += 1
    guard spacing.count > 0 else { return now }
    let begin = max(now, nextAdmission - tolerance)
    nextAdmission = max(nextAdmission, begin) + spacing
    return begin
  }

  mutating func put(_ creation: Creation) -> UInt32 {
    if let slot = freeCreations.popLast() {
      creations[Int(slot)] = creation
      return slot
    }
    creations.append(creation)
    return UInt32(creations.count - 1)
  }

  mutating func finish(_ slot: UInt32, failed: Bool) {
    creations[Int(slot)].isDone = true
    freeCreations.append(slot)
    if failed { creationsFailed += 1 }
  }

  mutating func place(_ shape: ShapeConfiguration, in zone: ZoneID) -> NodeID? {
    let placed = nodeTables[zone.index].place(
      cpuMilli: shape.cpuMilli, memoryMiB: shape.memoryMiB)
    return placed.map { NodeID(firstNode[zone.index] + $0) }
  }

  mutating func release(_ node: NodeID, _ shape: ShapeConfiguration, in zone: ZoneID) {
    nodeTables[zone.index].release(
      node.index - firstNode[zone.index], cpuMilli: shape.cpuMilli, memoryMiB: shape.memoryMiB)
  }

  mutating func label(_ pod: PodID, warmIn pool: PoolID) { warm[pool.index].append(pod) }

  mutating func unlabel(_ pod: PodID, from pool: PoolID) {
    guard let index = warm[pool.index].firstIndex(of: pod) else { return }
    warm[pool.index].remove(at: index)
  }
}
