/// One command that simulated: a single run, or the many runs of size, compare, rehearse or sweep.
public struct StudyRow: StoredRow {
  public var id = 0
  public var command = ""
  public var arguments = ""
  public var programVersion = ""
  public var machine = ""
  public var startedAt: String?
  public var wallSeconds: Double?
  public var status = RunStatus.running
  public var verdict: Verdict?

  public init() {}

  public init(id: Int, command: String) {
    self.id = id
    self.command = command
  }

  public static let table = TableDescription(
    StudyRow.self, name: "studies",
    identity: .number,
    about: """
      one command that simulated: a single run, or the many runs of size, compare, \
      rehearse or sweep
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("id", &id, "number of the study in this file")
    columns.column("command", &command, "run, size, rehearse, compare, sweep or swarm")
    columns.column("arguments", &arguments, "arguments that reproduce the study (a JSON list)")
    columns.column("program_version", &programVersion, "version of Headroom")
    columns.column("machine", &machine, "processor, cores, memory and operating system (JSON)")
    columns.column("started_at", &startedAt, "wall-clock time of the start, ISO 8601 in UTC")
    columns.column("wall_seconds", &wallSeconds, "how long the command took")
    columns.column("status", &status, "whether it came to its end")
    columns.column("verdict", &verdict, "the answer, where the command gives one")
  }
}
