import ControlPlane
import Primitives
import SimulationKernel

/// The cluster's Kubernetes, as far as pods go: a rate at which they are created, placement on
/// nodes by the real filter and score, and the time that creation takes.
struct Kubernetes: Sendable {
  /// An order that waits for its turn, for room, for evictions, or for its pod to come up.
  struct Creation: Sendable {
    var order: PodOrder
    var askedAt: Instant
    /// The pod that is to go for it.
    var evicting: PodID?
    var evictingMiB: Int64 = 0
    /// Memory that evictions for this creation have freed.
    var freedMiB: Int64 = 0
    /// The pod once it has been placed.
    var pod: PodID?
  }

  let configuration: KubernetesConfiguration
  /// One table a zone; positions are offsets from the zone's first node.
  var nodeTables: [NodeTable]
  let firstNode: [Int]
  /// Orders under way, and the pods of those that are done, by number; asked only for keys.
  private(set) var creations: [UInt64: Creation] = [:]
  private(set) var born: [UInt64: PodID] = [:]
  /// Refills under way, by pool.
  private(set) var refills: [[UInt64]]
  /// By pool: the Worker Manager that is told of its refills.
  var watchers: [Int?]
  /// By zone: what placing has taken and deleting has given back.
  private(set) var moved: [NodeSummary]
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
    moved = zones.map { _ in NodeSummary() }
    nodeTables = zones.map { zone in
      NodeTable(
        nodes: (0..<zone.nodeCount).map { _ in
          NodeCapacity(cpuMilli: zone.nodeCPUMilli, memoryMiB: zone.nodeMemoryMiB)
        }, policy: configuration.placement)
    }
    warm = Array(repeating: [], count: poolCount)
    refills = warm.map { _ in [] }
    watchers = Array(repeating: nil, count: poolCount)
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

  mutating func begin(_ order: PodOrder, at now: Instant) {
    creations[order.id] = Creation(order: order, askedAt: now)
    if order.purpose == .refill { refills[order.pool.index].append(order.id) }
  }

  mutating func update(_ order: UInt64, _ body: (inout Creation) -> Void) {
    guard var creation = creations[order] else { return }
    body(&creation)
    creations[order] = creation
  }

  /// An order is over: its pod is there, or it has failed.
  mutating func end(_ order: PodOrder, pod: PodID?) {
    creations[order.id] = nil
    refills[order.pool.index].removeAll { $0 == order.id }
    if let pod { born[order.id] = pod } else { creationsFailed += 1 }
  }

  /// The pod of an order is no more.
  mutating func forget(order: UInt64) { born[order] = nil }

  mutating func place(_ shape: ShapeConfiguration, in zone: ZoneID) -> NodeID? {
    let placed = nodeTables[zone.index].place(
      cpuMilli: shape.cpuMilli, memoryMiB: shape.memoryMiB)
    if placed != nil {
      moved[zone.index].placed.cpuMilli += shape.cpuMilli
      moved[zone.index].placed.memoryMiB += shape.memoryMiB
    }
    return placed.map { NodeID(firstNode[zone.index] + $0) }
  }

  func allocated(_ node: NodeID, in zone: ZoneID) -> NodeCapacity {
    nodeTables[zone.index].allocated(node.index - firstNode[zone.index])
  }

  mutating func release(_ node: NodeID, _ shape: ShapeConfiguration, in zone: ZoneID) {
    moved[zone.index].released.cpuMilli += shape.cpuMilli
    moved[zone.index].released.memoryMiB += shape.memoryMiB
    nodeTables[zone.index].release(
      node.index - firstNode[zone.index], cpuMilli: shape.cpuMilli, memoryMiB: shape.memoryMiB)
  }

  mutating func label(_ pod: PodID, warmIn pool: PoolID) { warm[pool.index].append(pod) }

  mutating func unlabel(_ pod: PodID, from pool: PoolID) {
    guard let index = warm[pool.index].firstIndex(of: pod) else { return }
    warm[pool.index].remove(at: index)
  }
}
