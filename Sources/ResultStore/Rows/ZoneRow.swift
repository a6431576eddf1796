/// A zone of the simulated world.
public struct ZoneRow: StoredRow {
  public var run = 0
  public var zone = ""
  public var cluster = ""
  public var nodes = 0
  public var cpuCores: Double = 0
  public var memoryMiB: Double = 0

  public init() {}

  public init(run: Int, zone: String, cluster: String) {
    self.run = run
    self.zone = zone
    self.cluster = cluster
  }

  public static let table = TableDescription(
    ZoneRow.self, name: "zones",
    identity: .key(["run", "zone"]),
    about: "a zone of the simulated world")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("zone", &zone, "name, unique in the run")
    columns.column("cluster", &cluster, "the cluster that it is part of")
    columns.column("nodes", &nodes, "machines at the start")
    columns.column("cpu_cores", &cpuCores, "their cores")
    columns.column("memory_mib", &memoryMiB, "their memory")
  }
}
