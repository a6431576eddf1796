import Primitives

/// Something that a person would want to know.
public struct EventRow: StoredRow {
  public var run = 0
  public var time = Instant.origin
  public var until: Instant?
  public var count = 1
  public var severity = Severity.info
  public var kind = ""
  public var subject = ""
  public var text = ""

  public init() {}

  public init(
    run: Int, time: Instant, severity: Severity, kind: String, subject: String, text: String
  ) {
    self.run = run
    self.time = time
    self.severity = severity
    self.kind = kind
    self.subject = subject
    self.text = text
  }

  public static let table = TableDescription(
    EventRow.self, name: "events",
    identity: .none(indexedBy: ["run", "t_ns"]),
    about: """
      something that a person would want to know; a run keeps the first 2,000, and says how many \
      it has left out
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("t_ns", &time, "when")
    columns.column(
      "until_ns", &until, "the last of many that are told as one; NULL: there was one")
    columns.column("count", &count, "how many this row tells of")
    columns.column("severity", &severity, "how much it matters")
    columns.column("kind", &kind, "a word for the sort of event, as in pool_alarm_raised")
    columns.column("subject", &subject, "the component, service, pool or zone that it is about")
    columns.column("text", &text, "one sentence")
  }
}
