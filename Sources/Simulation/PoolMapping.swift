import ControlPlane
import Platform
import Policies
import Primitives
import Scenario
import SimulationKernel

// Which warm pools there are, and how large they are.
extension ScenarioMapping {
  /// One pool for each runtime, shape and zone in use, apart for tenants with machines of their
  /// own, and beside it one of none for services whose pods are made when they are wanted; warm
  /// ones first, in a fixed order.
  func pools(
    for cluster: ClusterConfiguration, peaks: [PoolKey: Int]?
  ) -> [PoolConfiguration] {
    var estimates: [PoolKey: Double] = [:]
    var cold: Set<PoolKey> = []
    var warm: Set<PoolKey> = []
    var isolates: Set<PoolKey> = []
    for service in cluster.services {
      let owners = cluster.owners(with: service.tenant)
      for (position, zone) in service.zones.enumerated() {
        let key = key(service, zone, owners, cluster)
        estimates[key, default: 0] += Double(service.initialInstances[position])
        if service.isolateBytes != nil {
          isolates.insert(key)
        } else if service.usesPool {
          warm.insert(key)
        } else {
          cold.insert(key)
        }
      }
    }
    return warm.sorted().map { key in
      warmPool(key, peak: peaks.map { $0[key] ?? 0 } ?? Int(estimates[key] ?? 0))
    } + cold.sorted().map(noPool) + isolates.sorted().map { hosts($0, cluster) }
  }

  /// Worker processes, of which the pool has its size from the beginning.
  private func hosts(_ key: PoolKey, _ cluster: ClusterConfiguration) -> PoolConfiguration {
    let section = document.cluster.workerHosts
    var pool = pool(
      key, size: section.perZone,
      PoolRules(rule: .lost, refillParallelism: .max, alarmBelow: 0))
    pool.isWarm = false
    let memory = cluster.shapes[pool.shape].memoryMiB << 20
    var hosts = WorkerHostConfiguration(
      memoryBytes: memory - section.reservedBytes, moduleCacheBytes: section.moduleCacheBytes,
      most: section.most)
    hosts.mayGrow = section.mayGrow
    hosts.start = Distribution(section.start)
    pool.hosts = hosts
    return pool
  }

  private func warmPool(_ key: PoolKey, peak: Int) -> PoolConfiguration {
    let policy = document.pools.size(of: key.runtime)
    let size = size(policy, ofPeak: peak)
    let rules = PoolRules(
      rule: PoolRule(rawValue: document.pools.rule) ?? .lost,
      refillParallelism: document.pools.refillParallelism ?? .max,
      alarmBelow: alarmLevel(ofSize: size))
    var pool = pool(key, size: size, rules)
    pool.refill = document.pools.refill.map(Distribution.init)
    if policy.needsPeak { pool.sizedBy = peak }
    pool.makePlan = plan(policy, ofPeak: peak)
    return pool
  }

  private func noPool(_ key: PoolKey) -> PoolConfiguration {
    // With `lost` an empty pool orders nothing and sends every start to the fallback.
    var pool = pool(key, size: 0, PoolRules(rule: .lost, refillParallelism: .max, alarmBelow: 0))
    pool.isWarm = false
    return pool
  }

  private func pool(_ key: PoolKey, size: Int, _ rules: PoolRules) -> PoolConfiguration {
    var pool = PoolConfiguration(
      runtime: runtimes[key.runtime] ?? 0, shape: shapes[key.shape] ?? 0,
      zone: ZoneID(zones[key.zone] ?? 0), target: size, rules: rules, refill: nil)
    pool.tenants = key.tenants.split(separator: ",").compactMap { tenant(named: String($0)) }
    return pool
  }

  /// The level below which the alarm of a pool of this size is raised.
  func alarmLevel(ofSize size: Int) -> Int {
    Int((document.pools.alarmBelow * Double(size)).rounded(.up))
  }

  private func key(
    _ service: ServiceConfiguration, _ zone: ZoneID, _ owners: [Int],
    _ cluster: ClusterConfiguration
  ) -> PoolKey {
    var key = PoolKey(
      runtime: cluster.runtimes[service.runtime].name, shape: cluster.shapes[service.shape].name,
      zone: cluster.zones[zone.index].name)
    // Worker processes are everybody's, on shared machines.
    if service.isolateBytes == nil { key.tenants = names(owners) }
    return key
  }

  private func names(_ owners: [Int]) -> String {
    owners.map { document.tenants[$0].name }.joined(separator: ",")
  }

  public func key(_ pool: PoolConfiguration) -> PoolKey {
    PoolKey(
      runtime: document.runtimes[pool.runtime].name, shape: document.shapes[pool.shape].name,
      zone: document.cluster.zones[pool.zone.index].name, tenants: names(pool.tenants))
  }

  /// Whether pods of a service come from a warm pool: it wants them to, its runtime has pools, and
  /// the scenario has pools at all.
  func usesPool(_ section: ServiceSection) -> Bool {
    guard section.usesPool, section.worker == nil,
      document.pools.size(of: section.runtime) != .none
    else { return false }
    return document.pools.only.map { $0.contains(section.runtime) } ?? true
  }

  private func size(_ size: ScenarioDocument.Size, ofPeak peak: Int) -> Int {
    switch size {
    case .none: 0
    case .count(let count): count
    case .percent(let share): Self.pods(percentage: share, ofPeak: peak)
    case .following(let section):
      following(section).target(readyNow: peak, readyAtPeak: peak, at: .origin)
    case .baseStock(let section): Int(section["beginning"] ?? 0)
    case .hourly(let shares): Self.pods(percentage: shares[0], ofPeak: peak)
    }
  }

  // MARK: Sizes that change

  private func plan(
    _ size: ScenarioDocument.Size, ofPeak peak: Int
  ) -> (@Sendable (Nanoseconds) -> PoolPlan)? {
    let alarmShare = document.pools.alarmBelow
    func plan(
      _ rule: @escaping @Sendable (Nanoseconds) -> any PoolSizing
    ) -> @Sendable (Nanoseconds) -> PoolPlan {
      { PoolPlan(rule: rule($0), readyAtPeak: peak, alarmShare: alarmShare) }
    }
    switch size {
    case .none, .percent, .count: return nil
    case .following(let section):
      let rule = following(section)
      return plan { _ in rule }
    case .baseStock(let section):
      let rule = baseStock(section)
      return plan { _ in rule }
    case .hourly(let shares):
      let whole = shares.map(Self.share)
      // Second 0 is midnight, whatever an owner's clock shows then.
      return plan { HourlyPool(whole, originOfDay: .zero - $0) }
    }
  }

  private static func share(_ share: Double) -> PoolShare {
    PoolShare(milliPercent: Int64((share * 100_000).rounded()))
  }

  private func following(_ section: ScalingSection) -> FollowingPool {
    FollowingPool(
      Self.share(section["share"] ?? 0), least: Int(section["least"] ?? 0),
      most: Int(section["most"] ?? 1e6))
  }

  private func baseStock(_ section: ScalingSection) -> BaseStockPool {
    var settings = BaseStockPool.Settings(
      rule: PoolRule(rawValue: document.pools.rule) ?? .lost, missShare: section["miss"] ?? 0.001)
    if let window = section.duration("window") { settings.window = window }
    if let refill = section.duration("refill") { settings.refillTime = refill }
    settings.refillParallelism = document.pools.refillParallelism ?? .max
    settings.beginning = section["beginning"].map { Int($0) }
    settings.least = Int(section["least"] ?? 0)
    settings.most = Int(section["most"] ?? 100_000)
    return BaseStockPool(settings)
  }
}
