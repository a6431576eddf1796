import ControlPlane
import Platform
import Policies
import Primitives
import Scenario
import SimulationKernel
import Workload

/// A pool by names, and the peak of ready pods that its size is a percentage of.
public struct PoolKey: Hashable, Sendable, Comparable {
  public var runtime: String
  public var shape: String
  public var zone: String
  /// Those whose own machines it is on, with commas between; empty: it is on shared ones.
  public var tenants = ""

  public static func < (a: PoolKey, b: PoolKey) -> Bool {
    (a.runtime, a.shape, a.zone, a.tenants) < (b.runtime, b.shape, b.zone, b.tenants)
  }
}

/// Turns a scenario into what the cluster simulation needs.
public struct ScenarioMapping: Sendable {
  public let document: ScenarioDocument
  let shapes: [String: Int]
  let runtimes: [String: Int]
  let zones: [String: Int]
  public let traces: TraceLibrary

  /// - Parameter traces: that the scenario names.
  public init(_ document: ScenarioDocument, traces: TraceLibrary = TraceLibrary()) {
    self.document = document
    self.traces = traces
    func positions(_ names: [String]) -> [String: Int] {
      Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }
    shapes = positions(document.shapes.map(\.name))
    runtimes = positions(document.runtimes.map(\.name))
    zones = positions(document.cluster.zones.map(\.name))
  }

  /// Rounded half up, as sizes are defined: pods = percentage x peak of ready pods.
  public static func pods(percentage: Double, ofPeak peak: Int) -> Int {
    Int((percentage * Double(peak) + 0.5).rounded(.down))
  }

  /// All clusters of a replication.
  ///
  /// - Parameters:
  ///   - replication: its number, from 0.
  ///   - peaks: of ready pods by pool, from a first pass; where nil, a percentage is taken of an
  ///     estimate.
  public func platform(replication: Int, peaks: [PoolKey: Int]?) -> PlatformConfiguration {
    let names = document.partNames
    let tables = SyntheticShelf()
    let clusters = zip(document.parts, names).map { part, name in
      var cluster = ScenarioMapping(part, traces: traces).configuration(
        replication: replication, peaks: peaks, tables)
      if !name.region.isEmpty { cluster.drawKey = XXH3.hash64("\(name.region)/\(name.cluster)") }
      if part.cluster.balancer?.phase == nil { cluster.drawBalancerPhase() }
      return cluster
    }
    return PlatformConfiguration(
      Self.joined(clusters, regions: names.map(\.region)), names: names)
  }

  /// Tells clusters of one another where their region deals services over several of them, and
  /// where all of them are asked for their health.
  private static func joined(
    _ clusters: [ClusterConfiguration], regions: [String]
  ) -> [ClusterConfiguration] {
    var clusters = clusters
    for (first, name) in regions.enumerated()
    where !name.isEmpty && regions.firstIndex(of: name) == first {
      let members = regions.indices.filter { regions[$0] == name }
      guard members.contains(where: { clusters[$0].services.contains { $0.spread != nil } }),
        members.allSatisfy({ clusters[$0].balancer != nil })
      else { continue }
      for (own, member) in members.enumerated() {
        clusters[member].region = RegionMembership(
          zoneCounts: members.map { clusters[$0].zones.count }, own: own)
      }
    }
    return clusters
  }

  /// The one cluster of a document without regions.
  private func configuration(
    replication: Int, peaks: [PoolKey: Int]?, _ tables: SyntheticShelf
  ) -> ClusterConfiguration {
    var cluster = ClusterConfiguration()
    cluster.seed = document.seed
    cluster.replication = UInt64(replication)
    cluster.duration = document.duration
    cluster.warmup = document.warmup
    cluster.start = document.start == "warm" ? .warm : .empty
    cluster.contention = document.contention == "exact" ? .exact : .epoch
    cluster.fidelity = Fidelity(rawValue: document.fidelity) ?? .request
    cluster.queue = document.queue == "heap" ? .heap : .ladder
    cluster.epoch = document.epoch
    cluster.longestFlowStep = document.longestFlowStep
    cluster.zoom = document.zoom.map { .origin + $0.lowerBound ..< .origin + $0.upperBound }
    cluster.seriesInterval = document.seriesInterval
    cluster.zones = document.cluster.zones.map {
      ZoneConfiguration(
        name: $0.name, nodeCount: $0.nodes, nodeCPUMilli: $0.cpuMilli,
        nodeMemoryMiB: $0.memoryBytes >> 20, pricePerHour: $0.pricePerHour)
    }
    mapElastic(&cluster)
    mapNetwork(&cluster)
    mapControlPlane(&cluster)
    mapStarts(&cluster)
    cluster.runtimes = document.runtimes.map {
      RuntimeConfiguration(name: $0.name, initialise: Distribution($0.initialise))
    }
    cluster.shapes = document.shapes.map {
      ShapeConfiguration(name: $0.name, cpuMilli: $0.cpuMilli, memoryMiB: $0.memoryBytes >> 20)
    }
    cluster.services = services(
      seed: document.seed, replication: UInt64(replication), tables)
    cluster.pools = pools(for: cluster, peaks: peaks)
    cluster.faults = document.faults.flatMap { faults($0, cluster.services) }
    cluster.changes = document.changes.flatMap { change($0, cluster) }
    return cluster
  }

  private func mapNetwork(_ cluster: inout ClusterConfiguration) {
    cluster.network.sameNode = document.network.sameNode
    cluster.network.sameZone = document.network.sameZone
    cluster.network.crossZone = document.network.crossZone
    cluster.network.controlPlane = document.network.controlPlane
    cluster.network.loss = document.network.loss
  }

  private func balancer(_ section: BalancerSection) -> BalancerConfiguration {
    var balancer = BalancerConfiguration()
    balancer.health.interval = section.interval
    balancer.phase = section.phase ?? .zero
    balancer.health.timeout = section.timeout
    balancer.health.unhealthyThreshold = section.unhealthyAfter
    balancer.health.healthyThreshold = section.healthyAfter
    balancer.window = section.window
    return balancer
  }

  private func mapControlPlane(_ cluster: inout ClusterConfiguration) {
    let section = document.cluster
    cluster.kubernetes.nodeGrace = section.nodeGrace
    cluster.balancer = section.balancer.map(balancer)
    cluster.shedding = section.shedding.map(shedding)
    cluster.downstreams = document.downstreams.map(downstream)
    cluster.migration = migration(section.coordinator)
    cluster.gateways.perZone = section.gatewaysPerZone
    cluster.gateways.perLane = min(section.gatewaysPerLane ?? 1, section.gatewaysPerZone)
    cluster.gateways.callTimeout = section.callTimeout
    cluster.gateways.handling = section.gatewayHandling
    cluster.gateways.capacityPerSecond = section.gatewayCapacityPerSecond
    cluster.consumers.perZone = section.consumersPerZone
    cluster.consumers.perLane = min(section.consumersPerLane, section.consumersPerZone)
    cluster.consumers.capacityPerSecond = section.consumerCapacityPerSecond
    cluster.consumers.handling = section.consumerHandling
    cluster.brokers.perZone = section.brokersPerZone
    cluster.brokers.election = section.brokerElection
    cluster.dispatchers.count = section.dispatchers
    cluster.dispatchers.handling = section.dispatcherHandling
    cluster.dispatchers.rules = DispatcherRules(
      takeTimeout: section.dispatcherTimeout, takeAttempts: section.dispatcherRetries + 1)
    cluster.workerManagers.count = section.workerManagers
    cluster.workerManagers.shards = section.shards
    cluster.workerManagers.handling = section.workerManagerHandling
    cluster.workerManagers.rules = WorkerManagerRules(
      leaseTimeToLive: section.leaseTTL, clockMargin: section.clockMargin,
      retry: section.managerRetry, campaignStep: section.campaignStep)
    cluster.workerManagers.rules.sizingTick = document.pools.sizingTick
    cluster.etcd.handling = section.etcdHandling
    cluster.api.handling = section.api.handling
    cluster.api.rules.repeatAfter = section.api.repeatAfter
    cluster.api.askAgain = section.api.askAgain
    if let tick = section.autoscaleTick { cluster.autoscaleTick = tick }
  }

  private func mapStarts(_ cluster: inout ClusterConfiguration) {
    let section = document.cluster
    cluster.kubernetes.podsPerSecond = section.podsPerSecond
    cluster.kubernetes.burst = Double(section.podBurst)
    cluster.kubernetes.create = Distribution(section.podCreate)
    cluster.kubernetes.startDeadline = section.startDeadline
    cluster.kubernetes.placement =
      PlacementPolicy(rawValue: section.placement) ?? .leastAllocated
    cluster.kubernetes.eviction = EvictionRule(rawValue: section.evict) ?? .none
    cluster.code.nodeCacheBytes = document.code.nodeCacheBytes
    cluster.code.zoneCacheBytes = document.code.zoneCacheBytes
    cluster.code.node = Distribution(document.code.nodeHit)
    cluster.code.zone = Distribution(document.code.zoneHit)
    cluster.code.origin = Distribution(document.code.origin)
    cluster.startComponents.allocation = Distribution(document.startComponents.poolTake)
    cluster.startComponents.agent = Distribution(document.startComponents.agent)
    cluster.startComponents.publish = Distribution(document.startComponents.publish)
  }
}

extension ClusterConfiguration {
  /// When its balancer begins to ask, if it has one: at any moment within an interval, by seed,
  /// replication and cluster and nothing else, so that a calm twin has the same.
  fileprivate mutating func drawBalancerPhase() {
    guard let interval = balancer?.health.interval else { return }
    let key = StreamKey(seed: seed, replication: replication, name: "balancer phase")
    var draws = key.stream(drawKey)
    let span = UInt64(max(1, interval.count))
    balancer?.phase = Nanoseconds(Int64(draws.next().multipliedFullWidth(by: span).high))
  }
}
