import Primitives

/// How long the parts of cold starts took.
public struct ColdStartRow: StoredRow {
  public var run = 0
  public var service: Int?
  public var runtime: String?
  public var zone: String?
  public var path = ColdStartPath.pool
  public var component = ""
  public var count = 0
  public var meanNs: Double?
  public var p50: Nanoseconds?
  public var p90: Nanoseconds?
  public var p99: Nanoseconds?
  public var max: Nanoseconds?

  public init() {}

  public init(run: Int, path: ColdStartPath, component: String) {
    self.run = run
    self.path = path
    self.component = component
  }

  public static let table = TableDescription(
    ColdStartRow.self, name: "cold_starts",
    identity: .none(indexedBy: ["run"]),
    about: "how long the parts of cold starts took")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("service", &service, "the service; NULL: all")
    columns.column("runtime", &runtime, "the runtime; NULL: all")
    columns.column("zone", &zone, "the zone; NULL: all")
    columns.column("path", &path, "how the instance was made")
    columns.column(
      "component", &component,
      "allocation, pod_creation, code, agent, initialisation, publication, total")
    columns.column("count", &count, "cold starts")
    columns.column("mean_ns", &meanNs, "mean time")
    columns.column("p50_ns", &p50, "median")
    columns.column("p90_ns", &p90, "90th percentile")
    columns.column("p99_ns", &p99, "99th percentile")
    columns.column("max_ns", &max, "the longest")
  }
}
