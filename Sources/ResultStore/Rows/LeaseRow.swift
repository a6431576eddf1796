import Primitives

/// A pool shard changed hands.
public struct LeaseRow: StoredRow {
  public var run = 0
  public var time = Instant.origin
  public var shard = 0
  public var fromHolder: String?
  public var toHolder: String?
  public var reason = ""
  public var gap: Nanoseconds?

  public init() {}

  public init(run: Int, time: Instant, shard: Int) {
    self.run = run
    self.time = time
    self.shard = shard
  }

  public static let table = TableDescription(
    LeaseRow.self, name: "leases",
    identity: .none(indexedBy: ["run"]),
    about: "a pool shard changed hands")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column(
      "t_ns", &time, "when the new holder took the token, or when it was lost without one")
    columns.column("shard", &shard, "the shard")
    columns.column("from_holder", &fromHolder, "the Worker Manager that held it; NULL: none")
    columns.column("to_holder", &toHolder, "the one that holds it now; NULL: none")
    columns.column("reason", &reason, "start (held when the run began), acquired, or expired")
    columns.column("gap_ns", &gap, "how long nobody held it")
  }
}
