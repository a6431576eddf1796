import Primitives

/// What happened in one interval, per zone, class and runtime; intervals without anything have no
/// row.
public struct SeriesRow: StoredRow {
  public var run = 0
  public var time = Instant.origin
  public var zone = ""
  public var serviceClass = ""
  public var runtime = ""
  public var arrivals = 0
  public var completed = 0
  public var refused = 0
  public var limited = 0
  public var shed = 0
  public var downstreamRefused = 0
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

  public init(run: Int, time: Instant, zone: String, class serviceClass: String, runtime: String) {
    self.run = run
    self.time = time
    self.zone = zone
    self.serviceClass = serviceClass
    self.runtime = runtime
  }

  public static let table = TableDescription(
    SeriesRow.self, name: "series",
    identity: .key(["run", "t_ns", "zone", "class", "runtime"]),
    about: """
      what happened in one interval, per zone, class and runtime; intervals without \
      anything have no row
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("t_ns", &time, "start of the interval")
    columns.column("zone", &zone, "the zone")
    columns.column("class", &serviceClass, "online, offline, timer or other")
    columns.column("runtime", &runtime, "the runtime")
    columns.column("arrivals", &arrivals, "invocations that came")
    columns.column("completed", &completed, "invocations that were answered")
    columns.column("refused", &refused, "turned away")
    columns.column("limited", &limited, "those that a limit of their service turned away")
    columns.column("shed", &shed, "those whose gateway had too much to do")
    columns.column(
      "downstream_refused", &downstreamRefused, "calls that a downstream refused")
    columns.column(
      "failed", &failed, "neither answered nor refused, and there no more: timed out, or cut off")
    columns.column("timed_out", &timedOut, "those of the failed that the caller gave up")
    columns.column(
      "cold_starts", &coldStarts, "invocations that began to wait for an instance to be made")
    columns.column("in_flight", &inFlight, "being executed at the interval's end")
    columns.column("waiting", &waiting, "waiting at the interval's end")
    columns.column("lag", &lag, "messages not committed at the interval's end")
    columns.column("ready_instances", &readyInstances, "ready at the interval's end")
    columns.column(
      "latency_mean_ns", &latencyMean, "mean latency of those answered in the interval")
    columns.column("latency_p50_ns", &latencyP50, "its median")
    columns.column("latency_p99_ns", &latencyP99, "its 99th percentile")
    columns.column("latency_max_ns", &latencyMax, "the longest")
  }
}
