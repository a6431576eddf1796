/// A warm pool and what became of it after the warm-up.
public struct PoolRow: StoredRow {
  public var run = 0
  public var pool = 0
  public var runtime = ""
  public var shape = ""
  public var zone = ""
  public var tenants = ""
  public var peakReady = 0
  public var size = 0
  public var firstPassPeak: Int?
  public var rule = ""
  public var takes = 0
  public var hits = 0
  public var misses = 0
  public var refills = 0
  public var idlePodSeconds: Double = 0
  public var leastLevel = 0
  public var firstLevel = 0
  public var lastLevel = 0

  public init() {}

  public init(run: Int, pool: Int, runtime: String, shape: String, zone: String) {
    self.run = run
    self.pool = pool
    self.runtime = runtime
    self.shape = shape
    self.zone = zone
  }

  public static let table = TableDescription(
    PoolRow.self, name: "pools",
    identity: .key(["run", "pool"]),
    about: "a warm pool and what became of it after the warm-up")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("pool", &pool, "number of the pool in the run, from 0")
    columns.column("runtime", &runtime, "runtime of its pods")
    columns.column("shape", &shape, "their size")
    columns.column("zone", &zone, "where they are")
    columns.column(
      "tenants", &tenants,
      "those whose own machines they are on, with commas between; empty: shared machines")
    columns.column(
      "peak_ready", &peakReady,
      "the most ready pods of the same runtime, shape and zone at once, at the end of any epoch")
    columns.column("size", &size, "pods that the pool is meant to hold")
    columns.column(
      "first_pass_peak", &firstPassPeak,
      "the peak that the size is a percentage of, from a first pass; NULL: it is no percentage")
    columns.column(
      "rule", &rule, "lost or backorder: what a take from an empty pool does to the refill")
    columns.column("takes", &takes, "pods asked for")
    columns.column("hits", &hits, "pods given")
    columns.column("misses", &misses, "takes that found the pool empty")
    columns.column(
      "refills", &refills,
      """
      pods that were added; with the rule lost, first_level + refills - hits - last_level is 0 but \
      for pods on their way out of the pool at either end
      """)
    columns.column("idle_pod_seconds", &idlePodSeconds, "time that pods waited in the pool")
    columns.column("least_level", &leastLevel, "the fewest pods that the pool held at any time")
    columns.column("first_level", &firstLevel, "pods at the end of the warm-up")
    columns.column("last_level", &lastLevel, "pods at the end of the run")
  }
}
