/// The pods that a percentage means, pool by pool.
public struct SizePoolRow: StoredRow {
  public var study = 0
  public var percentage: Double = 0
  public var runtime = ""
  public var shape = ""
  public var zone = ""
  public var tenants = ""
  public var peakReady = 0
  public var pods = 0

  public init() {}

  public init(study: Int, percentage: Double, runtime: String, shape: String, zone: String) {
    self.study = study
    self.percentage = percentage
    self.runtime = runtime
    self.shape = shape
    self.zone = zone
  }

  public static let table = TableDescription(
    SizePoolRow.self, name: "size_pools",
    identity: .key(["study", "percentage", "runtime", "shape", "zone", "tenants"]),
    about: "the pods that a percentage means, pool by pool")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("study", &study, "the study", references: "studies")
    columns.column("percentage", &percentage, "warm-pool percentage")
    columns.column("runtime", &runtime, "the runtime")
    columns.column("shape", &shape, "size of the pods")
    columns.column("zone", &zone, "the zone")
    columns.column(
      "tenants", &tenants,
      "those whose own machines they are on, with commas between; empty: shared machines")
    columns.column("peak_ready", &peakReady, "the most ready pods at once, from the first pass")
    columns.column("pods", &pods, "the percentage of it, rounded half up")
  }
}
