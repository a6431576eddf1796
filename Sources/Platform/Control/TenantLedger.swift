import ControlPlane
import Primitives

/// What tenants hold, and what they may: quotas over everything, reserves and shares on the
/// machines that they have in common.
struct TenantLedger: Sendable {
  let tenants: [TenantConfiguration]
  /// By table and tenant, the platform's warm pods last: milli-cores on its machines.
  private(set) var held: [[Int64]]
  /// By tenant: milli-cores in all, those of virtual nodes too.
  private(set) var total: [Int64]
  /// By tenant: milli-cores that wait for room, which count against the quota as in Kubernetes.
  private var waiting: [Int64]
  /// By tenant, the platform last.
  private(set) var tallies: [TenantTally]
  /// By tenant: whether the Worker Managers know that little of the quota is left.
  private(set) var isNearQuota: [Bool]
  /// By tenant: milli-cores of its reserve on shared machines of one zone.
  private let reserves: [Int64]
  private let allReserves: Int64
  let hasReserves: Bool
  /// Tables of shared machines, which are the first.
  private let sharedTables: Int

  init(_ tenants: [TenantConfiguration], tables: Int, zones: Int, domains: [Int]) {
    self.tenants = tenants
    held = Array(repeating: Array(repeating: 0, count: tenants.count + 1), count: tables)
    total = Array(repeating: 0, count: tenants.count + 1)
    waiting = total
    tallies = total.map { _ in TenantTally() }
    isNearQuota = tenants.map { _ in false }
    sharedTables = zones
    reserves = tenants.indices.map { index in
      // With machines of its own it has no need of others.
      guard domains[index] == 0, let quota = tenants[index].quotaCPUMilli else { return 0 }
      return Int64(tenants[index].reserve * Double(quota)) / Int64(max(1, zones))
    }
    allReserves = reserves.reduce(0, +)
    hasReserves = allReserves > 0
  }

  var platform: Int { tenants.count }

  /// - Parameter table: nil: on a virtual node.
  mutating func add(_ cpuMilli: Int64, tenant: Int, table: Int?, at now: Instant) {
    tallies[tenant].settle(total[tenant], at: now)
    total[tenant] += cpuMilli
    tallies[tenant].reach(total[tenant])
    if let table { held[table][tenant] += cpuMilli }
  }

  func isWithinQuota(_ tenant: Int, adding cpuMilli: Int64) -> Bool {
    guard tenant < tenants.count, let quota = tenants[tenant].quotaCPUMilli else { return true }
    return total[tenant] + waiting[tenant] + cpuMilli <= quota
  }

  /// A pod waits for room from now on.
  mutating func wait(_ cpuMilli: Int64, tenant: Int) { waiting[tenant] += cpuMilli }

  /// It has its room, or gives up.
  mutating func endWait(
    _ cpuMilli: Int64, tenant: Int, after length: Nanoseconds, isGivenUp: Bool
  ) {
    waiting[tenant] -= cpuMilli
    tallies[tenant].waited(length, isGivenUp: isGivenUp)
  }

  /// Another pod that waits is the one for what it was ordered for: the wish waits on, and is
  /// counted when that one has its room or gives up.
  mutating func takeOver(_ cpuMilli: Int64, tenant: Int) { waiting[tenant] -= cpuMilli }

  /// The quota had no room for a pod.
  mutating func refuse(_ tenant: Int) { tallies[tenant].refuse() }

  /// Counts begin afresh.
  mutating func restartCounts(at now: Instant) {
    for tenant in tallies.indices { tallies[tenant].restart(total[tenant], at: now) }
  }

  /// Whether a pod of the size is too much, where this has changed since it was asked last.
  mutating func nearsQuota(_ tenant: Int, adding cpuMilli: Int64) -> Bool? {
    guard tenant < tenants.count, tenants[tenant].quotaCPUMilli != nil else { return nil }
    let isNear = !isWithinQuota(tenant, adding: cpuMilli)
    guard isNear != isNearQuota[tenant] else { return nil }
    isNearQuota[tenant] = isNear
    return isNear
  }

  /// Whether free room of machines may be taken, or is what other tenants' reserves lack, which are
  /// on shared ones alone. O(tenants), and O(1) where there are no reserves.
  ///
  /// What is within a tenant's own reserve it may always have, and its first pod. Where all others
  /// take no more than that leaves, the room for it is there: Σ max(held, reserve) of all tenants
  /// then stays within the machines.
  ///
  /// - Parameters:
  ///   - free: room that nobody has, milli-cores.
  ///   - whole: what the machines have in all.
  ///   - given: of what the tenant holds, what it gives back for it.
  func leavesReserves(
    _ tenant: Int, taking cpuMilli: Int64, of free: Int64, whole: Int64, table: Int,
    insteadOf given: Int64 = 0
  ) -> Bool {
    guard hasReserves, table < sharedTables else { return true }
    if tenant < reserves.count, reserves[tenant] > 0 {
      let own = held[table][tenant] - given
      if own == 0 || own + cpuMilli <= reserve(of: tenant, whole: whole) { return true }
    }
    var kept: Int64 = 0
    for other in reserves.indices where other != tenant {
      kept += max(0, reserve(of: other, whole: whole) - held[table][other])
    }
    return free - cpuMilli >= kept
  }

  /// Of machines that are fewer than all reserves together each tenant has its share, or the
  /// reserves would keep everybody from room that is free.
  func reserve(of tenant: Int, whole: Int64) -> Int64 {
    guard allReserves > whole else { return reserves[tenant] }
    let product = reserves[tenant].multipliedFullWidth(by: max(0, whole))
    return allReserves.dividingFullWidth(product).quotient
  }

  /// Lines with pods that wait, in the order in which they get room: that of the tenant first which
  /// holds the least for its weight.
  func ranked(_ lines: [PendingPods.Line], table: Int) -> [Int] {
    lines.indices.filter { lines[$0].count > 0 }.sorted { a, b in
      let (one, other) = (
        share(lines[a].tenant, table: table), share(lines[b].tenant, table: table)
      )
      return (one, a) < (other, b)
    }
  }

  /// What a tenant holds of a table for its weight; the platform is after all others.
  func share(_ tenant: Int, table: Int) -> Double {
    tenant < tenants.count
      ? Double(held[table][tenant]) / max(tenants[tenant].weight, 1e-9) : .infinity
  }
}
