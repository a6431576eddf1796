/// Where code was found when an instance loaded it.
public struct CacheRow: StoredRow {
  public var run = 0
  public var zone = ""
  public var level = ""
  public var hits = 0
  public var bytes = 0

  public init() {}

  public init(run: Int, zone: String, level: String) {
    self.run = run
    self.zone = zone
    self.level = level
  }

  public static let table = TableDescription(
    CacheRow.self, name: "caches",
    identity: .key(["run", "zone", "level"]),
    about: "where code was found when an instance was made, after the warm-up")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("zone", &zone, "the zone")
    columns.column(
      "level", &level,
      "module, node, zone or origin: the worker process, the node's cache, the zone's, the store")
    columns.column("hits", &hits, "loads that were served here")
    columns.column("bytes", &bytes, "bytes that these loads took")
  }
}
