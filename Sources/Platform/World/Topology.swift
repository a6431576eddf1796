import ControlPlane
import Primitives
import SimulationKernel

/// Where everything is, and who owns what by rendezvous: computed once from the configuration.
struct Topology: Sendable {
  let zoneCount: Int
  let nodes: NodeLayout
  let nodeZones: [ZoneID]
  /// By node: where its processors are counted; those of virtual nodes are no zone's.
  let usageZones: [ZoneID]
  let nodeCores: [Double]
  /// By lane.
  let lanes: [(service: ServiceID, zone: ZoneID, position: Int)]
  /// First lane of each service.
  let firstLane: [Int]
  /// By service and zone: pool of its pods.
  let laneZone: [ZoneID]
  let lanePool: [PoolID]
  let shardOfPool: [Int]
  /// By shard: Worker Managers in rendezvous order.
  let shardCandidates: [[Int]]
  /// By service: Dispatchers in rendezvous order, the owner first.
  let dispatcherOrder: [[Int]]
  /// By lane: its gateways, as positions among all gateways.
  let laneGateways: [[Int]]
  private let serviceHashes: [UInt64]
  private let gatewayHashes: [UInt64]

  init(_ configuration: ClusterConfiguration) {
    zoneCount = configuration.zones.count
    nodes = NodeLayout(configuration)
    nodeZones = nodes.nodes.map(\.zone)
    usageZones = nodes.nodes.map { $0.table == nil ? ZoneID(configuration.zones.count) : $0.zone }
    nodeCores = nodes.nodes.map { Double($0.capacity.cpuMilli) / 1000 }
    var lanes: [(service: ServiceID, zone: ZoneID, position: Int)] = []
    var first: [Int] = []
    for (index, service) in configuration.services.enumerated() {
      first.append(lanes.count)
      for (position, zone) in service.zones.enumerated() {
        lanes.append((ServiceID(index), zone, position))
      }
    }
    self.lanes = lanes
    firstLane = first
    laneZone = lanes.map(\.zone)
    lanePool = lanes.map { lane in
      Self.pool(of: configuration.services[lane.service.index], zone: lane.zone, configuration)
    }
    let shards = configuration.workerManagers.shards
    shardOfPool = configuration.pools.indices.map { $0 % shards }
    let managerHashes = Self.memberHashes("worker-manager", configuration.workerManagers.count)
    shardCandidates = (0..<shards).map { shard in
      Self.order(XXH3.hash64("shard-\(shard)"), managerHashes)
    }
    let dispatcherHashes = Self.memberHashes("dispatcher", configuration.dispatchers.count)
    let serviceHashes = configuration.services.map { XXH3.hash64($0.name) }
    self.serviceHashes = serviceHashes
    gatewayHashes = Self.memberHashes("gateway", configuration.gateways.perZone)
    dispatcherOrder = serviceHashes.map { Self.order($0, dispatcherHashes) }
    laneGateways = lanes.map { lane in
      Self.entries(of: lane, configuration, serviceHashes[lane.service.index])
    }
  }

  /// Whoever calls the instances of a lane: gateways of its zone, or consumers, which come after
  /// all gateways.
  private static func entries(
    of lane: (service: ServiceID, zone: ZoneID, position: Int),
    _ configuration: ClusterConfiguration, _ key: UInt64
  ) -> [Int] {
    let service = configuration.services[lane.service.index]
    let (gateways, consumers) = (configuration.gateways, configuration.consumers)
    guard service.isConsumed else {
      let parts = service.parts(
        lane: lane.position, wanted: service.gatewaysPerLane ?? gateways.perLane)
      return order(key, memberHashes("gateway", gateways.perZone))
        .prefix(parts).map { lane.zone.index * gateways.perZone + $0 }
    }
    let first = configuration.zones.count * gateways.perZone
    let parts = service.parts(lane: lane.position, wanted: consumers.perLane)
    return order(key, memberHashes("consumer", consumers.perZone))
      .prefix(parts).map { first + lane.zone.index * consumers.perZone + $0 }
  }

  private static func memberHashes(_ name: String, _ count: Int) -> [UInt64] {
    (0..<count).map { XXH3.hash64("\(name)-\($0)") }
  }

  private static func order(_ key: UInt64, _ members: [UInt64]) -> [Int] {
    RendezvousOrder.all(key: key, members: members)
  }

  private static func pool(
    of service: ServiceConfiguration, zone: ZoneID, _ configuration: ClusterConfiguration
  ) -> PoolID {
    let owners = configuration.owners(with: service.tenant)
    let index = configuration.pools.firstIndex {
      $0.runtime == service.runtime && $0.shape == service.shape && $0.zone == zone
        && $0.isWarm == service.usesPool && ($0.hosts != nil) == (service.isolateBytes != nil)
        && ($0.tenants == owners || service.isolateBytes != nil)
    }
    precondition(index != nil, "every (runtime, shape, zone) in use has a pool, perhaps of none")
    return PoolID(index ?? 0)
  }

  /// All gateways of a lane's zone in the order in which they have a part of it: its own, those
  /// that have none, the others.
  func gatewayOrder(lane: Int, part: Int) -> [Int] {
    let all = Self.order(serviceHashes[lanes[lane].service.index], gatewayHashes)
      .map { lanes[lane].zone.index * gatewayHashes.count + $0 }
    let own = laneGateways[lane]
    return [own[part]] + all.dropFirst(own.count) + own[(part + 1)...] + own[..<part]
  }

  func place(of address: Address) -> Place {
    let index = Int(address.index)
    switch address.kind {
    case .gateway: return Place(laneZone[index])
    case .dispatcher, .workerManager: return Place(ZoneID(index % zoneCount))
    case .hostAgent, .node: return Place(nodeZones[index])
    case .zoneCache, .zoneEntry: return Place(ZoneID(index))
    case .kubernetes, .etcd, .autoscaler, .nodeAutoscaler, .machineSupply, .balancer,
      .coordinator, .downstream:
      return .controlPlane
    }
  }

  func makeServers(_ count: Int, handling: Nanoseconds, key: StreamKey) -> [Server] {
    makeClocks(count, key: key).map { Server(clock: $0, handling: handling) }
  }

  /// A machine has been up for some time when the run begins; up to about twelve days.
  func makeClocks(_ count: Int, key: StreamKey) -> [LocalClock] {
    (0..<count).map { index in
      var bits = key.stream(UInt64(index))
      return LocalClock(offset: Nanoseconds(Int64(bits.next() >> 14)))
    }
  }

  func makeDispatchers(_ configuration: ClusterConfiguration) -> [Dispatcher] {
    (0..<configuration.dispatchers.count).map { makeDispatcher($0, life: 0, configuration) }
  }

  /// A Dispatcher without memory, in the life of that number.
  func makeDispatcher(
    _ index: Int, life: UInt32, _ configuration: ClusterConfiguration
  ) -> Dispatcher {
    Dispatcher(
      index: index, life: life, rules: configuration.dispatchers.rules,
      candidates: shardCandidates, shardOfPool: shardOfPool)
  }

  private func hostRules(
    _ pool: PoolConfiguration, _ configuration: ClusterConfiguration
  ) -> HostRules? {
    pool.hosts.map { hosts in
      HostRules(
        most: hosts.most, mayGrow: hosts.mayGrow, memoryBytes: hosts.memoryBytes,
        isolateBytes: configuration.services.map { $0.isolateBytes ?? 0 })
    }
  }

  /// A Worker Manager without memory, in the life of that number.
  func makeManager(
    _ index: Int, life: UInt32, clock: LocalClock, at now: Instant,
    _ configuration: ClusterConfiguration
  ) -> WorkerManager {
    var manager = WorkerManager(
      index: index, life: life, rules: configuration.workerManagers.rules,
      ranks: shardCandidates.map { $0.firstIndex(of: index) ?? 0 }, shardOfPool: shardOfPool,
      pools: configuration.pools.map { ($0.target, $0.rules) },
      plans: configuration.pools.map { $0.makePlan?(clock.offset) }, at: clock.local(now))
    if configuration.pools.contains(where: { $0.hosts != nil }) {
      manager.setHosts(configuration.pools.map { hostRules($0, configuration) })
    }
    if !configuration.tenants.isEmpty {
      manager.tenants = configuration.services.map { UInt16($0.tenant) }
    }
    return manager
  }
}
