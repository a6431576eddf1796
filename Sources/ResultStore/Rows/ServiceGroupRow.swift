/// The services that one entry of the scenario describes, together.
public struct ServiceGroupRow: StoredRow {
  public var run = 0
  public var name = ""
  public var services = 0
  public var arrivals = 0
  public var coldStarts = 0
  public var publishedColumn: String?
  public var publishedInvocations: Int?
  public var publishedColdStarts: Int?
  public var fileInvocations: Int?
  public var fileColdStarts: Int?

  public init() {}

  public init(run: Int, name: String) {
    self.run = run
    self.name = name
  }

  public static let table = TableDescription(
    ServiceGroupRow.self, name: "service_groups",
    identity: .key(["run", "name"]),
    about: "the services that one entry of the scenario describes, after the warm-up")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("name", &name, "name of the entry")
    columns.column("services", &services, "how many services it describes")
    columns.column("arrivals", &arrivals, "invocations that came")
    columns.column("cold_starts", &coldStarts, "invocations that waited for an instance to be made")
    columns.column(
      "published_column", &publishedColumn,
      "the column of the trace with the publishers' own cold starts")
    columns.column(
      "published_invocations", &publishedInvocations,
      "invocations of what the run replays, where that is whole blocks of the trace")
    columns.column(
      "published_cold_starts", &publishedColdStarts, "the publishers' cold starts among them")
    columns.column("file_invocations", &fileInvocations, "invocations of the whole trace")
    columns.column(
      "file_cold_starts", &fileColdStarts, "the publishers' cold starts among these")
  }
}
