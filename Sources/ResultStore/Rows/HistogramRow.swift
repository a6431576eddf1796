import Primitives

/// The distribution of a measure after the warm-up, over the part of the world that the scope
/// names.
public struct HistogramRow: StoredRow {
  public var run = 0
  public var scope = ""
  public var measure = ""
  public var zone: String?
  public var serviceClass: String?
  public var runtime: String?
  public var service: Int?
  public var tenant: String?
  public var count = 0
  public var meanNs: Double?
  public var min: Nanoseconds?
  public var max: Nanoseconds?
  public var p50: Nanoseconds?
  public var p90: Nanoseconds?
  public var p99: Nanoseconds?
  public var p999: Nanoseconds?
  public var data: [UInt8] = []

  public init() {}

  public init(run: Int, scope: String, measure: String) {
    self.run = run
    self.scope = scope
    self.measure = measure
  }

  public static let table = TableDescription(
    HistogramRow.self, name: "histograms",
    identity: .none(indexedBy: ["run", "measure"]),
    about: """
      the distribution of a measure after the warm-up, over the part of the world that the \
      scope names
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column(
      "scope", &scope,
      """
      all, group (one zone, class and runtime), lane (a service in a zone: half octaves only), or \
      objective (the requests that a term of an objective is about)
      """)
    columns.column(
      "measure", &measure, "latency, start_latency, wait, or another measure in nanoseconds")
    columns.column("zone", &zone, "the zone; NULL: all")
    columns.column("class", &serviceClass, "the class; NULL: all")
    columns.column("runtime", &runtime, "the runtime; NULL: all")
    columns.column("service", &service, "the service; NULL: all")
    columns.column("tenant", &tenant, "the tenant of an objective; NULL: all")
    columns.column("count", &count, "values recorded")
    columns.column("mean_ns", &meanNs, "their exact mean")
    columns.column("min_ns", &min, "the least")
    columns.column("max_ns", &max, "the greatest")
    columns.column("p50_ns", &p50, "median")
    columns.column("p90_ns", &p90, "90th percentile")
    columns.column("p99_ns", &p99, "99th percentile")
    columns.column("p99_9_ns", &p999, "99.9th percentile")
    columns.column("data", &data, "the buckets, in the layout described below")
  }
}
