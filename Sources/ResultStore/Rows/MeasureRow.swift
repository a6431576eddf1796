/// A single figure of a run.
public struct MeasureRow: StoredRow {
  public var run = 0
  public var name = ""
  public var scope = ""
  public var value: Double = 0

  public init() {}

  public init(run: Int, name: String, scope: String, value: Double) {
    self.run = run
    self.name = name
    self.scope = scope
    self.value = value
  }

  public static let table = TableDescription(
    MeasureRow.self, name: "measures",
    identity: .key(["run", "name", "scope"]),
    about: "a single figure of a run after the warm-up")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("name", &name, "the measure, its unit at the end")
    columns.column("scope", &scope, "all, or the part of the world")
    columns.column("value", &value, "the figure")
  }
}
