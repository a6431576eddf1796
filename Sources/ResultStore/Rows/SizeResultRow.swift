/// What a pool size led to.
public struct SizeResultRow: StoredRow {
  public var study = 0
  public var percentage: Double = 0
  public var runtime: String?
  public var measure = ""
  public var mean: Double = 0
  public var low: Double?
  public var high: Double?
  public var unit = ""
  public var seeds = 0

  public init() {}

  public init(study: Int, percentage: Double, measure: String, mean: Double, seeds: Int) {
    self.study = study
    self.percentage = percentage
    self.measure = measure
    self.mean = mean
    self.seeds = seeds
  }

  public static let table = TableDescription(
    SizeResultRow.self, name: "size_results",
    identity: .none(indexedBy: ["study", "percentage"]),
    about: "what a pool size led to")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("study", &study, "the study", references: "studies")
    columns.column("percentage", &percentage, "warm-pool percentage")
    columns.column("runtime", &runtime, "the runtime; NULL: all")
    columns.column(
      "measure", &measure,
      """
      cold_starts, cold_starts_pool, cold_starts_fallback, pool_takes, pool_misses, p99 start or \
      idle_pod_hours
      """)
    columns.column("mean", &mean, "mean over the replications")
    columns.column("low", &low, "lower end of the 95 % interval")
    columns.column("high", &high, "upper end of the 95 % interval")
    columns.column("unit", &unit, "unit of the three")
    columns.column("seeds", &seeds, "replications")
  }
}
