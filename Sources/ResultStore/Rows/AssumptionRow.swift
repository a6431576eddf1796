/// A value that the answer rests on, and where it comes from.
public struct AssumptionRow: StoredRow {
  public var scenario = 0
  public var path = ""
  public var value = ""
  public var origin = Origin.assumed
  public var source = ""

  public init() {}

  public init(scenario: Int, path: String, value: String, origin: Origin, source: String) {
    self.scenario = scenario
    self.path = path
    self.value = value
    self.origin = origin
    self.source = source
  }

  public static let table = TableDescription(
    AssumptionRow.self, name: "assumptions",
    identity: .key(["scenario", "path"]),
    about: "a value that the answer rests on, and where it comes from")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("scenario", &scenario, "the scenario", references: "scenarios")
    columns.column("path", &path, "the field")
    columns.column("value", &value, "its value")
    columns.column("origin", &origin, "published, measured, assumed, or written in the scenario")
    columns.column("source", &source, "the publication or measurement; empty for an assumption")
  }
}
