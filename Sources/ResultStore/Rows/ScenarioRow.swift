/// A scenario as the user wrote it, and as it was after overrides and defaults.
public struct ScenarioRow: StoredRow {
  public var id = 0
  public var name = ""
  public var file = ""
  public var text = ""
  public var resolved = ""

  public init() {}

  public init(id: Int, name: String, file: String, text: String, resolved: String) {
    self.id = id
    self.name = name
    self.file = file
    self.text = text
    self.resolved = resolved
  }

  public static let table = TableDescription(
    ScenarioRow.self, name: "scenarios",
    identity: .number,
    about: "a scenario as the user wrote it, and as it was after overrides and defaults")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("id", &id, "number of the scenario in this file")
    columns.column("name", &name, "name given in the scenario")
    columns.column("file", &file, "the file it was read from, as named on the command line")
    columns.column("text", &text, "the scenario as written (YAML)")
    columns.column(
      "resolved", &resolved, "every field with its value after overrides and defaults (JSON)")
  }
}
