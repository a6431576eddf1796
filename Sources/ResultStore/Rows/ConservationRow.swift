/// The terms of a balance that must close: what came equals what left plus what is still there.
public struct ConservationRow: StoredRow {
  public var run = 0
  public var scope = ""
  public var quantity = ""
  public var term = ""
  public var side = 0
  public var count = 0

  public init() {}

  public init(run: Int, scope: String, quantity: String, term: String, side: Int, count: Int) {
    self.run = run
    self.scope = scope
    self.quantity = quantity
    self.term = term
    self.side = side
    self.count = count
  }

  public static let table = TableDescription(
    ConservationRow.self, name: "conservation",
    identity: .key(["run", "scope", "quantity", "term"]),
    about: """
      the terms of a balance that must close: what came equals what left plus what is \
      still there, warm-up included; each term has a counter of its own
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column(
      "scope", &scope, "all, a zone, or service@zone for a lane; one without requests has no rows")
    columns.column(
      "quantity", &quantity,
      "requests, pods, tokens of shards, node_cpu_milli, node_memory_mib, host_memory_bytes")
    columns.column(
      "term", &term,
      """
      for requests: arrivals, completed, refused, failed, expired, dead letters, waiting, in \
      flight; a lane's terms that are 0 have no row
      """)
    columns.column(
      "side", &side,
      "+1 for what came, -1 for what became of it: the sum over terms of side times count is 0")
    columns.column("count", &count, "how many")
  }
}
