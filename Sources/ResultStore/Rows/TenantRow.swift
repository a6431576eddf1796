import Primitives

/// What a tenant asked for, held and waited for.
public struct TenantRow: StoredRow {
  public var run = 0
  public var tenant = ""
  public var quotaCores: Double?
  public var reserve = 0.0
  public var weight = 0.0
  public var services = 0
  public var arrivals = 0
  public var completed = 0
  public var refused = 0
  public var failed = 0
  public var heldCoreHours = 0.0
  public var meanHeldCores = 0.0
  public var peakHeldCores = 0.0
  public var podsRefused = 0
  public var podsWaited = 0
  public var waitMean: Nanoseconds?
  public var waitMax: Nanoseconds?
  public var podsGaveUp = 0

  public init() {}

  public init(run: Int, tenant: String) {
    self.run = run
    self.tenant = tenant
  }

  public static let table = TableDescription(
    TenantRow.self, name: "tenants", identity: .key(["run", "tenant"]),
    about: "tenants of the scenario's list, after the warm-up")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("tenant", &tenant, "its name")
    columns.column("quota_cores", &quotaCores, "cores that it may hold; empty: without bound")
    columns.column(
      "reserve", &reserve, "share of its quota that shared machines keep free for it")
    columns.column("weight", &weight, "its share where room is short, against those of others")
    columns.column("services", &services, "its services")
    columns.column("arrivals", &arrivals, "invocations that came")
    columns.column("completed", &completed, "those that were answered")
    columns.column("refused", &refused, "those that were turned away")
    columns.column("failed", &failed, "neither answered nor refused, and there no more")
    columns.column(
      "held_core_hours", &heldCoreHours, "cores of its pods, virtual ones too, over time")
    columns.column("mean_held_cores", &meanHeldCores, "their mean")
    columns.column("peak_held_cores", &peakHeldCores, "the most at a time")
    columns.column("pods_refused", &podsRefused, "pods that its quota had no room for")
    columns.column(
      "pods_waited", &podsWaited, "pods that waited for room on a machine, and got it or gave up")
    columns.column("wait_mean_ns", &waitMean, "mean time that these waited")
    columns.column("wait_max_ns", &waitMax, "the longest")
    columns.column("pods_gave_up", &podsGaveUp, "those that got no room in time")
  }
}
