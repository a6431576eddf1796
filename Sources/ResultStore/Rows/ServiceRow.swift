import Primitives

/// A service and its totals after the warm-up.
public struct ServiceRow: StoredRow {
  public var run = 0
  public var service = 0
  public var name = ""
  public var kind = ""
  public var trigger = ""
  public var `protocol` = ""
  public var serviceClass = ""
  public var tenant = ""
  public var importance = 0
  public var runtime = ""
  public var shape = ""
  public var zones = ""
  public var arrivals = 0
  public var completed = 0
  public var refused = 0
  public var limitedRate = 0
  public var limitedConcurrency = 0
  public var shed = 0
  public var downstreamCalls = 0
  public var downstreamRefused = 0
  public var failed = 0
  public var timedOut = 0
  public var retries = 0
  public var left = 0
  public var late = 0
  public var givenUp = 0
  public var redelivered = 0
  public var repeated = 0
  public var coldStarts = 0
  public var coldStartsPool = 0
  public var coldStartsFallback = 0
  public var coldStartsVirtual = 0
  public var coldStartsIsolate = 0
  public var keyReads = 0
  public var keyHits = 0
  public var staleReads = 0
  public var latencyMean: Nanoseconds?
  public var latencyP50: Nanoseconds?
  public var latencyP99: Nanoseconds?
  public var latencyMax: Nanoseconds?
  public var startMean: Nanoseconds?
  public var startP50: Nanoseconds?
  public var startP99: Nanoseconds?
  public var startMax: Nanoseconds?
  public var instanceSeconds: Double = 0
  public var idleInstanceSeconds: Double = 0
  public var peakReadyInstances = 0

  public init() {}

  public init(run: Int, service: Int, name: String) {
    self.run = run
    self.service = service
    self.name = name
  }

  public static let table = TableDescription(
    ServiceRow.self, name: "services",
    identity: .key(["run", "service"]),
    about: "a service and its totals after the warm-up")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("service", &service, "number of the service in the run, from 0")
    columns.column("name", &name, "name of the service")
    columns.column("kind", &kind, "function, native or worker")
    columns.column(
      "trigger", &trigger,
      "what calls a function: api_gateway, object_storage, queue, timer; empty: nothing is said")
    columns.column("protocol", &`protocol`, "of a native service: http, thrift or grpc")
    columns.column("class", &serviceClass, "online, offline, timer or other")
    columns.column("tenant", &tenant, "who owns it")
    columns.column("importance", &importance, "from 0, the most important, to 7")
    columns.column("runtime", &runtime, "runtime of its code")
    columns.column("shape", &shape, "size of its pods")
    columns.column("zones", &zones, "names of its zones, separated by commas")
    columns.column("arrivals", &arrivals, "invocations that came")
    columns.column("completed", &completed, "invocations that were answered")
    columns.column(
      "refused", &refused, "turned away by a limit, a full queue or for want of an instance")
    columns.column(
      "limited_rate", &limitedRate, "those of the refused that came faster than its limit allows")
    columns.column(
      "limited_concurrency", &limitedConcurrency,
      "those that found as many under way as its limit allows")
    columns.column("shed", &shed, "those whose gateway had too much to do")
    columns.column(
      "downstream_calls", &downstreamCalls, "calls of its instances to its downstream")
    columns.column(
      "downstream_refused", &downstreamRefused, "those that this refused, since they were too many")
    columns.column(
      "failed", &failed, "neither answered nor refused, and there no more: timed out, or cut off")
    columns.column("timed_out", &timedOut, "those of the failed that the caller gave up")
    columns.column("retries", &retries, "attempts of clients beyond the first of each request")
    columns.column("left", &left, "attempts that their clients left before an answer")
    columns.column("late", &late, "attempts that were answered after that")
    columns.column("given_up", &givenUp, "requests whose clients tried no more")
    columns.column(
      "redelivered", &redelivered,
      "messages delivered again, and invocations made again, after an attempt that failed")
    columns.column(
      "repeated", &repeated, "messages and events answered once more, beyond the first time")
    columns.column("cold_starts", &coldStarts, "invocations that waited for an instance to be made")
    columns.column("cold_starts_pool", &coldStartsPool, "those that waited for a warm pod's")
    columns.column(
      "cold_starts_fallback", &coldStartsFallback, "those that waited for a pod to be created")
    columns.column(
      "cold_starts_virtual", &coldStartsVirtual, "those that waited for a pod on a virtual node")
    columns.column(
      "cold_starts_isolate", &coldStartsIsolate,
      "those that waited for an isolate in a worker process that was there")
    columns.column("key_reads", &keyReads, "reads of keys, of a worker")
    columns.column("key_hits", &keyHits, "those that the cache of the host served")
    columns.column("stale_reads", &staleReads, "those of a version that was old")
    columns.column("latency_mean_ns", &latencyMean, "mean time from arrival to answer, exact")
    columns.column(
      "latency_p50_ns", &latencyP50,
      "its median; medians and percentiles of services are known to half an octave only")
    columns.column("latency_p99_ns", &latencyP99, "its 99th percentile")
    columns.column("latency_max_ns", &latencyMax, "the longest")
    columns.column("start_mean_ns", &startMean, "mean time that a cold start took")
    columns.column("start_p50_ns", &startP50, "its median")
    columns.column("start_p99_ns", &startP99, "its 99th percentile")
    columns.column("start_max_ns", &startMax, "the longest")
    columns.column(
      "instance_seconds", &instanceSeconds, "time that instances existed, ready or draining")
    columns.column("idle_instance_seconds", &idleInstanceSeconds, "the part of it without work")
    columns.column(
      "peak_ready_instances", &peakReadyInstances,
      "the most instances that were ready at once, at the end of any epoch")
  }
}
