import ControlPlane
import Platform
import Primitives
import Scenario
import SimulationKernel

// Which warm pools there are, and how large they are.
extension ScenarioMapping {
  /// One pool for each runtime, shape and zone in use, and beside it one of none for services whose
  /// pods are made when they are wanted; warm ones first, in a fixed order.
  func pools(
    for cluster: ClusterConfiguration, peaks: [PoolKey: Int]?
  ) -> [PoolConfiguration] {
    var estimates: [PoolKey: Double] = [:]
    var cold: Set<PoolKey> = []
    var warm: Set<PoolKey> = []
    for service in cluster.services {
      for (position, zone) in service.zones.enumerated() {
        let key = key(service, zone, cluster)
        estimates[key, default: 0] += Double(service.initialInstances[position])
        if service.usesPool { warm.insert(key) } else { cold.insert(key) }
      }
    }
    return warm.sorted().map { key in
      warmPool(key, peak: peaks.map { $0[key] ?? 0 } ?? Int(estimates[key] ?? 0))
    } + cold.sorted().map(noPool)
  }

  private func warmPool(_ key: PoolKey, peak: Int) -> PoolConfiguration {
    let size = size(ofPeak: peak)
    let rules = PoolRules(
      rule: PoolRule(rawValue: document.pools.rule) ?? .lost,
      refillParallelism: document.pools.refillParallelism ?? .max,
      alarmBelow: alarmLevel(ofSize: size))
    var pool = pool(key, size: size, rules)
    pool.refill = document.pools.refill.map(Distribution.init)
    if case .percent = document.pools.size { pool.sizedBy = peak }
    return pool
  }

  private func noPool(_ key: PoolKey) -> PoolConfiguration {
    // With `lost` an empty pool orders nothing and sends every start to the fallback.
    var pool = pool(key, size: 0, PoolRules(rule: .lost, refillParallelism: .max, alarmBelow: 0))
    pool.isWarm = false
    return pool
  }

  private func pool(_ key: PoolKey, size: Int, _ rules: PoolRules) -> PoolConfiguration {
    PoolConfiguration(
      runtime: runtimes[key.runtime] ?? 0, shape: shapes[key.shape] ?? 0,
      zone: ZoneID(zones[key.zone] ?? 0), target: size, rules: rules, refill: nil)
  }

  /// The level below which the alarm of a pool of this size is raised.
  func alarmLevel(ofSize size: Int) -> Int {
    Int((document.pools.alarmBelow * Double(size)).rounded(.up))
  }

  func key(
    _ service: ServiceConfiguration, _ zone: ZoneID, _ cluster: ClusterConfiguration
  ) -> PoolKey {
    PoolKey(
      runtime: cluster.runtimes[service.runtime].name, shape: cluster.shapes[service.shape].name,
      zone: cluster.zones[zone.index].name)
  }

  public func key(_ pool: PoolConfiguration) -> PoolKey {
    PoolKey(
      runtime: document.runtimes[pool.runtime].name, shape: document.shapes[pool.shape].name,
      zone: document.cluster.zones[pool.zone.index].name)
  }

  /// Whether pods of a service come from a warm pool: it wants them to, its runtime has pools, and
  /// the scenario has pools at all.
  func usesPool(_ section: ServiceSection) -> Bool {
    guard section.usesPool, document.pools.size != .none else { return false }
    return document.pools.only.map { $0.contains(section.runtime) } ?? true
  }

  private func size(ofPeak peak: Int) -> Int {
    switch document.pools.size {
    case .none: 0
    case .count(let count): count
    case .percent(let share): Self.pods(percentage: share, ofPeak: peak)
    }
  }
}
