import Primitives

/// One simulated world, from its start to its end.
public struct RunRow: StoredRow {
  public var id = 0
  public var study = 0
  public var scenario = 0
  public var arm = ""
  public var seed = ""
  public var replication = 0
  public var fidelity = ""
  public var digest = ""
  public var status = RunStatus.running
  public var wallSeconds: Double?
  public var simulated = Nanoseconds.zero
  public var warmup = Nanoseconds.zero
  public var seriesStep = Nanoseconds.zero
  public var eventsExecuted = 0
  public var invocationsRepresented = 0
  public var verdict: Verdict?

  public init() {}

  public init(id: Int, study: Int, scenario: Int, seed: String) {
    self.id = id
    self.study = study
    self.scenario = scenario
    self.seed = seed
  }

  public static let table = TableDescription(
    RunRow.self, name: "runs",
    identity: .number,
    about: "one simulated world, from its start to its end")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("id", &id, "number of the run in this file")
    columns.column("study", &study, "the study that it belongs to", references: "studies")
    columns.column("scenario", &scenario, "the scenario that it simulates", references: "scenarios")
    columns.column(
      "arm", &arm,
      "what it is within its study: base, candidate, calm, fault, a pool size, or empty")
    columns.column("seed", &seed, "seed, in decimal; text because it may exceed a signed integer")
    columns.column("replication", &replication, "number of the replication, from 0")
    columns.column(
      "fidelity", &fidelity,
      "request, flow or auto; request also where flow has a form for no lane")
    columns.column(
      "digest", &digest,
      "digest of all recorded events, in hexadecimal; equal digests mean equal runs")
    columns.column("status", &status, "whether the run came to its end")
    columns.column("wall_seconds", &wallSeconds, "how long it took")
    columns.column("simulated_ns", &simulated, "simulated time, warm-up included")
    columns.column("warmup_ns", &warmup, "the time at the start that is simulated and not judged")
    columns.column(
      "series_step_ns", &seriesStep, "length of the interval that a row of the series covers")
    columns.column("events_executed", &eventsExecuted, "events that were simulated one by one")
    columns.column(
      "invocations_represented", &invocationsRepresented,
      "requests and messages that the run stands for, at either fidelity")
    columns.column("verdict", &verdict, "the verdict over all objectives")
  }
}
