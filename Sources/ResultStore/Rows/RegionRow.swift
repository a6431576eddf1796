/// A region of the simulated world, which shares nothing with the others.
public struct RegionRow: StoredRow {
  public var run = 0
  public var region = ""
  public var digest = ""

  public init() {}

  public init(run: Int, region: String, digest: String) {
    self.run = run
    self.region = region
    self.digest = digest
  }

  public static let table = TableDescription(
    RegionRow.self, name: "regions",
    identity: .key(["run", "region"]),
    about: "a region of the simulated world; none where the scenario has one cluster")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("region", &region, "its name")
    columns.column(
      "digest", &digest,
      "digest of all events of its clusters, in hexadecimal; equal where nothing happened to it")
  }
}
