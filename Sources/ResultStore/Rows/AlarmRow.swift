import Primitives

/// A time during which an alarm on a pool's level stood.
public struct AlarmRow: StoredRow {
  public var run = 0
  public var pool = 0
  public var raised = Instant.origin
  public var cleared: Instant?
  public var level = 0
  public var threshold = 0

  public init() {}

  public init(run: Int, pool: Int, raised: Instant) {
    self.run = run
    self.pool = pool
    self.raised = raised
  }

  public static let table = TableDescription(
    AlarmRow.self, name: "alarms",
    identity: .none(indexedBy: ["run"]),
    about: """
      a time during which an alarm on a pool's level stood: until the pool was full, or had no \
      owner any more; a run keeps the first 10,000
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("pool", &pool, "the pool")
    columns.column("raised_ns", &raised, "when it was raised")
    columns.column("cleared_ns", &cleared, "when it was cleared; NULL: it stood at the end")
    columns.column("level", &level, "the pool's level when it was raised")
    columns.column("threshold", &threshold, "the level below which it is raised")
  }
}
