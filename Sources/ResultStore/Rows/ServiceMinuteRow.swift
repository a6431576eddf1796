import Primitives

/// A minute of a service in a zone, for the busiest services and those that an objective names.
public struct ServiceMinuteRow: StoredRow {
  public var run = 0
  public var service = 0
  public var time = Instant.origin
  public var zone = ""
  public var arrivals = 0
  public var completed = 0
  public var refused = 0
  public var failed = 0
  public var timedOut = 0
  public var coldStarts = 0
  public var inFlight = 0
  public var waiting = 0
  public var lag = 0
  public var readyInstances = 0
  public var latencyMean: Nanoseconds?
  public var latencyP50: Nanoseconds?
  public var latencyP99: Nanoseconds?
  public var latencyMax: Nanoseconds?

  public init() {}

  public init(run: Int, service: Int, time: Instant, zone: String) {
    self.run = run
    self.service = service
    self.time = time
    self.zone = zone
  }

  public static let table = TableDescription(
    ServiceMinuteRow.self, name: "service_minutes",
    identity: .key(["run", "service", "t_ns", "zone"]),
    about: """
      a minute of a service in a zone, for the busiest services and those that an \
      objective names
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("service", &service, "the service")
    columns.column("t_ns", &time, "start of the minute")
    columns.column("zone", &zone, "the zone")
    columns.column("arrivals", &arrivals, "invocations that came")
    columns.column("completed", &completed, "invocations that were answered")
    columns.column("refused", &refused, "turned away")
    columns.column(
      "failed", &failed, "neither answered nor refused, and there no more: timed out, or cut off")
    columns.column("timed_out", &timedOut, "those of the failed that the caller gave up")
    columns.column(
      "cold_starts", &coldStarts, "invocations that began to wait for an instance to be made")
    columns.column("in_flight", &inFlight, "being executed at the minute's end")
    columns.column("waiting", &waiting, "waiting at the minute's end")
    columns.column("lag", &lag, "messages not committed at the minute's end")
    columns.column("ready_instances", &readyInstances, "ready at the minute's end")
    columns.column("latency_mean_ns", &latencyMean, "mean latency of those answered in the minute")
    columns.column(
      "latency_p50_ns", &latencyP50, "its median; it and the 99th are known to half an octave only")
    columns.column("latency_p99_ns", &latencyP99, "its 99th percentile")
    columns.column("latency_max_ns", &latencyMax, "the longest")
  }
}
