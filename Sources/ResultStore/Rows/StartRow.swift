import Primitives

/// How long the parts of cold starts took.
public struct StartRow: StoredRow {
  public var run = 0
  public var runtime = ""
  public var zone = ""
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
    StartRow.self, name: "starts",
    identity: .none(indexedBy: ["run"]),
    about: """
      how instances were made after the warm-up, and how long the parts of that took; many \
      requests may wait for one start, and AutoScale starts instances that none waits for
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("runtime", &runtime, "the runtime")
    columns.column("zone", &zone, "the zone")
    columns.column("path", &path, "how the instance was made")
    columns.column(
      "component", &component,
      """
      allocation, pod_creation, code, agent, initialisation, publication, messages (the way \
      between components, and waiting for a turn) or total, which is the sum of the others
      """)
    columns.column("count", &count, "instances")
    columns.column("mean_ns", &meanNs, "mean time, exact")
    columns.column(
      "p50_ns", &p50, "median; it and the percentiles are known to half an octave only")
    columns.column("p90_ns", &p90, "90th percentile")
    columns.column("p99_ns", &p99, "99th percentile")
    columns.column("max_ns", &max, "the longest")
  }
}
