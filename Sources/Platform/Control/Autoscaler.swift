import ControlPlane
import Policies
import Primitives
import SimulationKernel

/// AutoScale of a cluster: a policy for each service that wants one, which is told the concurrency
/// of every second and asked at a tick how many pods it wants.
///
/// A tick costs what may have changed: a service is asked when a sample has told something new,
/// when an order of its is under way, or when its policy has said that the answer may change by
/// itself.
struct Autoscaler: ~Copyable {
  enum Order: Sendable {
    case up(StartRequest)
    /// Keep no more usable instances than `to`.
    case down(LaneID, part: Int, to: Int)
    /// So many of the orders are wanted no more.
    case withdraw(LaneID, part: Int, count: Int)
    /// How many of them are under way?
    case count(LaneID, part: Int, question: UInt32)
  }

  /// Starts that AutoScale asked for have ordinals of their own, beyond those of gateways.
  private static let firstOrdinal: UInt32 = 1 << 31
  private static let atOnce: UInt64 = 0

  private var services: [ScaledService] = []
  private struct Lane: Sendable {
    var scaled: Int
    var position: Int
  }

  /// By lane: its service among those scaled, nil where AutoScale has no part in it.
  private var lanes: [Lane?] = []
  /// By scaled service: the instant from which a tick asks it.
  private var due: WinnerTree
  private var nextOrdinal = Self.firstOrdinal
  /// How often a policy was asked.
  private(set) var decisions: UInt64 = 0

  init(_ configuration: ClusterConfiguration, _ topology: Topology) {
    for (index, service) in configuration.services.enumerated() {
      guard let scaling = service.scaling else {
        for _ in service.zones { lanes.append(nil) }
        continue
      }
      for position in service.zones.indices {
        lanes.append(Lane(scaled: services.count, position: position))
      }
      services.append(
        ScaledService(
          index, service, scaling: scaling,
          startDeadline: configuration.kubernetes.startDeadline, topology: topology
        ) { pool in
          let pool = configuration.pools[pool.index]
          return pool.hosts == nil && pool.rules.rule != .backorder
        })
    }
    due = WinnerTree(capacity: services.count)
    // The least number of instances is wanted whether or not anything is ever heard.
    for scaled in services.indices { due.set(scaled, to: Self.atOnce) }
  }

  private init(cloning other: borrowing Autoscaler) {
    services = other.services.map { $0.clone() }
    lanes = other.lanes
    due = other.due.clone()
    nextOrdinal = other.nextOrdinal
    decisions = other.decisions
  }

  borrowing func clone() -> Autoscaler { Autoscaler(cloning: self) }

  var isNeeded: Bool { !services.isEmpty }

  /// An instance is there when the run begins.
  mutating func adopt(lane: LaneID, part: Int) {
    guard let known = lanes[lane.index] else { return }
    services[known.scaled].adopt(position: known.position, part: part)
  }

  mutating func receive(_ message: ControlMessage) {
    switch message {
    case .sample(let lane, let part, let sample):
      guard let known = lanes[lane.index] else { return }
      if services[known.scaled].observe(sample, position: known.position, part: Int(part)) {
        due.set(known.scaled, to: Self.atOnce)
      }
    case .offsets(let lane, let partition, let committed, let logEnd):
      guard let known = lanes[lane.index] else { return }
      let offsets = PartitionOffsets(committed: committed, logEnd: logEnd)
      if services[known.scaled].observe(
        offsets, partition: Int(partition), position: known.position)
      {
        due.set(known.scaled, to: Self.atOnce)
      }
    case .ordersWithdrawn(let lane, let part, let count):
      guard let known = lanes[lane.index] else { return }
      services[known.scaled].withdrawn(
        Int(count), position: known.position, part: Int(part))
      due.set(known.scaled, to: Self.atOnce)
    case .ordersCounted(let lane, let part, let question, let count):
      guard let known = lanes[lane.index] else { return }
      if services[known.scaled].counted(
        Int(count), question: question, position: known.position, part: Int(part))
      {
        due.set(known.scaled, to: Self.atOnce)
      }
    case .zoneLost(let zone): setClosed(true, in: zone)
    case .zoneReady(let zone): setClosed(false, in: zone)
    default: break
    }
  }

  /// From now on a service may have so many instances in all. O(lanes).
  mutating func setMost(_ most: Int, of service: ServiceID) {
    guard let scaled = services.firstIndex(where: { $0.service == service }) else { return }
    services[scaled].setMost(most)
    due.set(scaled, to: Self.atOnce)
  }

  /// The parts of a lane have other limits, and so has its service.
  mutating func limit(_ lane: LaneID, _ rules: [RouterRules], within bounds: ClosedRange<Int>) {
    guard let known = lanes[lane.index] else { return }
    services[known.scaled].limit(position: known.position, rules, within: bounds)
    due.set(known.scaled, to: Self.atOnce)
  }

  /// A zone is gone, or there again. O(lanes).
  private mutating func setClosed(_ isClosed: Bool, in zone: ZoneID) {
    for known in lanes.compactMap(\.self)
    where services[known.scaled].setClosed(isClosed, in: zone, position: known.position) {
      due.set(known.scaled, to: Self.atOnce)
    }
  }

  /// Decides for all services that are due, in their order.
  mutating func tick(at now: Instant, into orders: inout [Order]) {
    var asked: [Int] = []
    while due.minimum <= UInt64(now.nanoseconds) {
      let scaled = due.minimumIndex()
      due.set(scaled, to: WinnerTree.absent)
      asked.append(scaled)
    }
    asked.sort()
    for scaled in asked {
      decisions += 1
      let again = services[scaled].decide(at: now, nextOrdinal: &nextOrdinal, into: &orders)
      due.set(scaled, to: UInt64(max(0, again.nanoseconds)))
    }
  }
}
