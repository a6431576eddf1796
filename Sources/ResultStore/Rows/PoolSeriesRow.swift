import Primitives

/// The level of a pool at the end of an interval; intervals without change have no row.
public struct PoolSeriesRow: StoredRow {
  public var run = 0
  public var time = Instant.origin
  public var pool = 0
  public var level = 0
  public var target = 0
  public var outstanding = 0
  public var takes = 0
  public var misses = 0

  public init() {}

  public init(run: Int, time: Instant, pool: Int) {
    self.run = run
    self.time = time
    self.pool = pool
  }

  public static let table = TableDescription(
    PoolSeriesRow.self, name: "pool_series",
    identity: .key(["run", "pool", "t_ns"]),
    about: "the level of a pool at the end of an interval; intervals without change have no row")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("t_ns", &time, "start of the interval")
    columns.column("pool", &pool, "the pool")
    columns.column("level", &level, "pods in the pool")
    columns.column("target", &target, "pods that it should hold")
    columns.column("outstanding", &outstanding, "refills under way")
    columns.column("takes", &takes, "pods asked for in the interval")
    columns.column("misses", &misses, "takes that found the pool empty")
  }
}
