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
      still there
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("scope", &scope, "all, or the part of the world")
    columns.column("quantity", &quantity, "requests, messages, pods, leases and so on")
    columns.column(
      "term", &term, "for requests: arrivals, completed, refused, failed, waiting, in flight")
    columns.column(
      "side", &side,
      "+1 for what came, -1 for what became of it: the sum over terms of side times count is 0")
    columns.column("count", &count, "how many")
  }
}
