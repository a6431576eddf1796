import Primitives

/// A loss of a failure domain that a matrix or a search has tried, over all its replications.
public struct LossRow: StoredRow {
  public var study = 0
  public var id = 0
  public var domain = ""
  public var name = ""
  public var strike = Instant.origin
  public var outage = Nanoseconds.zero
  public var judgedFrom = Instant.origin
  public var judgedUntil = Instant.origin
  public var searched = false
  public var verdict: Verdict?
  public var margin: Double?
  public var leastMargin: Double?
  public var replications = 0

  public init() {}

  public init(study: Int, id: Int, domain: String, name: String) {
    self.study = study
    self.id = id
    self.domain = domain
    self.name = name
  }

  /// What the rows of `objectives` that judge it have as their arm.
  public static func arm(_ id: Int) -> String { "loss \(id)" }

  public static let table = TableDescription(
    LossRow.self, name: "losses",
    identity: .key(["study", "id"]),
    about: """
      a loss of a zone, cluster or region that rehearse tried with --matrix or --find-worst; its \
      verdicts are the objectives whose arm is `loss` and its number
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("study", &study, "the study", references: "studies")
    columns.column("id", &id, "number of the loss, from 1, in the order of the report")
    columns.column("domain", &domain, "zone, cluster or region")
    columns.column("name", &name, "which one")
    columns.column("strike_ns", &strike, "when it was lost")
    columns.column("outage_ns", &outage, "for how long")
    columns.column("judged_from_ns", &judgedFrom, "where the time begins that is judged")
    columns.column("judged_until_ns", &judgedUntil, "where it ends")
    columns.column(
      "searched", &searched,
      "1: tried while the worst was looked for, in one replication at the search's fidelity")
    columns.column("verdict", &verdict, "met, missed or undecided; NULL: nothing is judged")
    columns.column(
      "margin", &margin,
      "of the objective nearest to its limit, over all replications; NULL: none tells anything")
    columns.column("least_margin", &leastMargin, "the least of any replication by itself")
    columns.column("replications", &replications, "in how many it was tried")
  }
}
