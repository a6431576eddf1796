/// How many invocations had a cold start, by how the instance was made that they waited for.
public struct ColdStartRow: StoredRow {
  public var run = 0
  public var zone = ""
  public var serviceClass = ""
  public var runtime = ""
  public var path = ColdStartPath.pool
  public var count = 0

  public init() {}

  public init(run: Int, path: ColdStartPath) {
    self.run = run
    self.path = path
  }

  public static let table = TableDescription(
    ColdStartRow.self, name: "cold_starts",
    identity: .key(["run", "zone", "class", "runtime", "path"]),
    about: "invocations after the warm-up that waited for an instance to be made, by its path")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("zone", &zone, "the zone")
    columns.column("class", &serviceClass, "online, offline, timer or other")
    columns.column("runtime", &runtime, "the runtime")
    columns.column("path", &path, "how the instance was made")
    columns.column("count", &count, "invocations")
  }
}
