import ControlPlane
import Policies
import Primitives
import SimulationKernel

/// AutoScale of a cluster: per service a policy that is told the concurrency of every second and
/// asked every tick how many pods it wants. Only services with something new to say are asked.
struct Autoscaler: Sendable {
  enum Order: Sendable {
    case up(StartRequest)
    case down(LaneID, count: Int)
  }

  private struct Scaled: Sendable {
    var policy: any ScalingPolicy
    /// By position of the lane in the service.
    var ready: [Int]
    var concurrencyMilli: [UInt64]
    var lastSecond: [UInt32]
    /// Ahead of requests: asked for and not seen ready yet, by lane, with the instant of asking.
    var orderedAt: [[Instant]]
    var unchangedUntil = Instant.origin
    var isAwake = false
  }

  /// Starts that AutoScale asked for have ordinals of their own, beyond those of gateways.
  private static let firstOrdinal: UInt32 = 1 << 31
  /// An order that has shown no instance for so long is taken for lost.
  private static let patience = Nanoseconds.seconds(60)

  private var services: [Scaled?]
  private var awake: [Int] = []
  private var nextOrdinal = Self.firstOrdinal
  private let lanes: [(service: Int, position: Int)]
  private(set) var decisions: UInt64 = 0

  init(_ configuration: ClusterConfiguration) {
    services = configuration.services.map { service in
      guard let scaling = service.scaling else { return nil }
      let count = service.zones.count
      return Scaled(
        policy: scaling.makePolicy(), ready: service.initialInstances,
        concurrencyMilli: Array(repeating: 0, count: count),
        lastSecond: Array(repeating: 0, count: count),
        orderedAt: Array(repeating: [], count: count))
    }
    lanes = configuration.services.enumerated().flatMap { index, service in
      service.zones.indices.map { (index, $0) }
    }
  }

  var isNeeded: Bool { services.contains { $0 != nil } }

  mutating func receive(_ message: ControlMessage) {
    guard case .sample(let lane, let milli, let ready, let second) = message else { return }
    let (service, position) = lanes[lane.index]
    guard services[service] != nil else { return }
    let before = services[service]!.ready[position]
    let arrived = max(0, Int(ready) - before)
    services[service]!.orderedAt[position].removeFirst(
      min(arrived, services[service]!.orderedAt[position].count))
    services[service]!.ready[position] = Int(ready)
    services[service]!.concurrencyMilli[position] = milli
    services[service]!.lastSecond[position] = second
    services[service]!.policy.observe(
      concurrency: Double(milli) / 1000, lane: position, at: .seconds(Int64(second)))
    if !services[service]!.isAwake {
      services[service]!.isAwake = true
      awake.append(service)
    }
  }

  /// Decides for all services that are awake, in their order.
  mutating func tick(at now: Instant, topology: Topology) -> [Order] {
    var orders: [Order] = []
    awake.sort()
    var stillAwake: [Int] = []
    for service in awake {
      decide(service, at: now, topology: topology, &orders)
      let isQuiet =
        services[service]!.ready.allSatisfy { $0 == 0 }
        && services[service]!.concurrencyMilli.allSatisfy { $0 == 0 }
      services[service]!.isAwake = !isQuiet
      if !isQuiet { stillAwake.append(service) }
    }
    awake = stillAwake
    return orders
  }

  private mutating func decide(
    _ service: Int, at now: Instant, topology: Topology, _ orders: inout [Order]
  ) {
    guard services[service] != nil else { return }
    decisions += 1
    for position in services[service]!.orderedAt.indices {
      services[service]!.orderedAt[position].removeAll { $0 + Self.patience <= now }
    }
    let ready = services[service]!.ready.reduce(0, +)
    let desired = services[service]!.policy.desiredPods(ready: ready, at: now)
    let ordered = services[service]!.orderedAt.reduce(0) { $0 + $1.count }
    if desired > ready + ordered {
      for _ in 0..<(desired - ready - ordered) { order(service, at: now, topology, &orders) }
    } else if desired < ready {
      shrink(service, by: ready - desired, topology, &orders)
    }
  }

  /// One more pod, in the zone that has the fewest.
  private mutating func order(
    _ service: Int, at now: Instant, _ topology: Topology, _ orders: inout [Order]
  ) {
    let scaled = services[service]!
    let position =
      scaled.ready.indices.min {
        scaled.ready[$0] + scaled.orderedAt[$0].count < scaled.ready[$1]
          + scaled.orderedAt[$1].count
      } ?? 0
    let lane = LaneID(topology.firstLane[service] + position)
    var start = StartRequest(
      service: ServiceID(service), lane: lane, part: 0, pool: topology.lanePool[lane.index],
      ordinal: nextOrdinal)
    start.isAhead = true
    nextOrdinal += 1
    services[service]!.orderedAt[position].append(now)
    orders.append(.up(start))
  }

  /// Fewer pods, from the zone that has the most.
  private mutating func shrink(
    _ service: Int, by count: Int, _ topology: Topology, _ orders: inout [Order]
  ) {
    var ready = services[service]!.ready
    var downs = [Int](repeating: 0, count: ready.count)
    for _ in 0..<count {
      guard let position = ready.indices.max(by: { ready[$0] < ready[$1] }), ready[position] > 0
      else { break }
      ready[position] -= 1
      downs[position] += 1
    }
    for position in downs.indices where downs[position] > 0 {
      orders.append(
        .down(LaneID(topology.firstLane[service] + position), count: downs[position]))
    }
    services[service]!.ready = ready
  }
}
