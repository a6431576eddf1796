import Primitives

/// What a zone's machines did in an interval.
public struct ZoneSeriesRow: StoredRow {
  public var run = 0
  public var time = Instant.origin
  public var zone = ""
  public var cpuUsedCores: Double = 0
  public var cpuAllocatedCores: Double = 0
  public var memoryAllocatedMiB: Double = 0
  public var pods = 0
  public var cpuCores = 0.0

  public init() {}

  public init(run: Int, time: Instant, zone: String) {
    self.run = run
    self.time = time
    self.zone = zone
  }

  public static let table = TableDescription(
    ZoneSeriesRow.self, name: "zone_series",
    identity: .key(["run", "zone", "t_ns"]),
    about: "what a zone's machines did in an interval")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("t_ns", &time, "start of the interval")
    columns.column("zone", &zone, "the zone")
    columns.column("cpu_used_cores", &cpuUsedCores, "cores at work, mean over the interval")
    columns.column(
      "cpu_allocated_cores", &cpuAllocatedCores,
      "cores that pods have asked for, at the interval's end")
    columns.column(
      "memory_allocated_mib", &memoryAllocatedMiB,
      "memory that pods have asked for, at the interval's end")
    columns.column("pods", &pods, "pods on the zone's nodes, at the interval's end")
    columns.column(
      "cpu_cores", &cpuCores, "cores of the machines that are there, at the interval's end")
  }
}
