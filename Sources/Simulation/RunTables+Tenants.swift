import Platform
import Primitives
import ResultStore

// Tenants as rows.
extension RunTables {
  /// Those of the scenario's list; without one there are none.
  func tenants() -> [TenantRow] {
    outcome.tenantTotals.map { total in
      let settings = configuration.tenants[total.tenant]
      var row = TenantRow(run: run, tenant: settings.name)
      row.quotaCores = settings.quotaCPUMilli.map { Double($0) / 1000 }
      row.reserve = settings.reserve
      row.weight = settings.weight
      row.services = total.services
      row.arrivals = Int(total.counters.arrivals)
      row.completed = Int(total.counters.completed)
      row.refused = Int(total.counters.refused)
      row.failed = Int(total.counters.failed)
      row.heldCoreHours = total.summary.heldCoreHours
      row.meanHeldCores = total.summary.meanHeldCores
      row.peakHeldCores = total.summary.peakHeldCores
      row.podsRefused = total.summary.podsRefused
      row.podsWaited = total.summary.podsWaited
      row.waitMean = total.summary.meanWait
      row.waitMax = total.summary.longestWait
      row.podsGaveUp = total.summary.podsGaveUp
      return row
    }
  }
}

/// What a tenant's services and pods came to in a run, after its warm-up.
public struct TenantTotal: Sendable {
  /// Its position in the configuration.
  public var tenant: Int
  public var services = 0
  public var counters = LaneCounters()
  public var summary: TenantSummary
}

extension RunOutcome {
  /// By tenant of the configuration.
  public var tenantTotals: [TenantTotal] {
    var totals = control.tenants.enumerated().map { TenantTotal(tenant: $0, summary: $1) }
    guard !totals.isEmpty else { return [] }
    for service in configuration.services { totals[service.tenant].services += 1 }
    for (lane, counters) in collected.laneCounters.enumerated() {
      let service = configuration.services[collected.serviceOfLane[lane]]
      totals[service.tenant].counters.add(counters)
    }
    return totals
  }
}
