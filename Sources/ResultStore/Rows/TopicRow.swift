import Primitives

/// The topic that a service consumes.
public struct TopicRow: StoredRow {
  public var run = 0
  public var service = 0
  public var partitions = 0
  public var produced = 0
  public var completed = 0
  public var redelivered = 0
  public var repeated = 0
  public var expired = 0
  public var deadLettered = 0
  public var staleRouteFailures = 0
  public var lag = 0
  public var peakLag = 0
  public var peaked: Instant?
  public var caughtUp: Instant?
  public var delayMean: Nanoseconds?
  public var delayP50: Nanoseconds?
  public var delayP99: Nanoseconds?
  public var delayMax: Nanoseconds?

  public init() {}

  public init(run: Int, service: Int) {
    self.run = run
    self.service = service
  }

  public static let table = TableDescription(
    TopicRow.self, name: "topics", identity: .key(["run", "service"]),
    about: "the topic that a service consumes, all its zones together, after the warm-up")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("service", &service, "the service, whose consumers are the topic's group")
    columns.column("partitions", &partitions, "partitions of the topic")
    columns.column("produced", &produced, "messages that came")
    columns.column("completed", &completed, "messages that were answered")
    columns.column(
      "redelivered", &redelivered,
      "messages that were delivered again, after a failure or because their consumer had gone")
    columns.column("repeated", &repeated, "messages that were answered once more")
    columns.column(
      "expired", &expired, "messages that were deleted before they were answered")
    columns.column("dead_lettered", &deadLettered, "messages that had failed too often")
    columns.column(
      "stale_route_failures", &staleRouteFailures,
      "deliveries that were refused since a consumer's route named an instance that was gone")
    columns.column("lag", &lag, "messages not committed at the end of the run")
    columns.column("peak_lag", &peakLag, "the most of them at the end of an interval of the series")
    columns.column("peaked_ns", &peaked, "when that was; nothing: there were none")
    columns.column(
      "caught_up_ns", &caughtUp,
      """
      the first end of an interval after the peak with no more than may be under way at once; \
      nothing: not yet, or there never was more
      """)
    columns.column("delay_mean_ns", &delayMean, "mean time from production to answer, exact")
    columns.column("delay_p50_ns", &delayP50, "its median, known to half an octave")
    columns.column("delay_p99_ns", &delayP99, "its 99th percentile, likewise")
    columns.column("delay_max_ns", &delayMax, "the longest")
  }
}
