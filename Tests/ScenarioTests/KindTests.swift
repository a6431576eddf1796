import Primitives
import Testing

@testable import Scenario

/// Kinds of service and triggers: what each needs, and what contradicts it.
@Suite struct KindTests {
  private static let jobs = "service_time: constant(50ms)"
  private static let arrivals = "{process: diurnal, peak: 2k/m, curve: offline}"

  @Test(arguments: triggers + timers + natives + workers)
  func isToldWithItsPlace(_ bad: BadInput) throws {
    let (text, place) = try #require(Samples.changed(bad.old, to: bad.new))
    let result = Samples.read(text)
    #expect((result.document == nil) == !bad.kind.isWarning)
    #expect(result.diagnostics.map(\.kind) == [bad.kind], "\(result.rendered)")
    let found = try #require(result.diagnostics.first)
    #expect(found.message == bad.message)
    if let help = bad.help { #expect(found.help == help) }
    #expect(place.line > 0)
    #expect(Mark(line: found.line, column: found.column) == place, "\(result.rendered)")
  }

  private static let triggers = [
    BadInput(
      jobs, "\(jobs)\n    trigger: {kind: ▲queue}", .inconsistent,
      "service `jobs`: a queue calls it, and it has no topic",
      help: "add `topic: {partitions: …}`"),
    BadInput(
      jobs, "\(jobs)\n    trigger: {kind: ▲api_gateway}\n    topic: {partitions: 4}",
      .inconsistent, "service `jobs`: it consumes a topic, and `api_gateway` calls it"),
    BadInput(
      jobs, "\(jobs)\n    trigger: {kind: ▲timer}", .inconsistent,
      "service `jobs`: the clock calls it, and its arrivals are of another process"),
    BadInput(
      jobs,
      "\(jobs)\n    kind: native\n    instances: {min: 2}\n    trigger: ▲{kind: api_gateway}",
      .inconsistent, "service `jobs`: a trigger calls a function, and this is a native"),
    BadInput(
      jobs, "\(jobs)\n    trigger: {kind: ▲api_getaway}", .unknownName,
      "`api_getaway` is no value of `services[1].trigger.kind`",
      help: "did you mean `api_gateway`?"),
    BadInput(
      jobs, "\(jobs)\n    trigger: {kind: api_gateway, ▲retries: 3}", .unknownKey,
      "unknown key `retries` in `services[1].trigger`"),
    BadInput(
      jobs, "\(jobs)\n    trigger: {kind: object_storage, backoff: ▲0s}", .outOfRange,
      "`services[1].trigger.backoff` is `0s`"),
  ]

  private static let timers = [
    BadInput(
      arrivals, "▲{process: timer}", .missingKey, "`services[1].arrivals.schedule` is missing"),
    BadInput(
      arrivals, "{process: timer, schedule: ▲'0 0 31 2 *'}", .outOfRange,
      "`0 0 31 2 *` never comes", help: "no such day is in the next five years"),
    BadInput(
      arrivals, "{process: timer, schedule: ▲'61 * * * *'}", .badQuantity,
      "`61 * * * *` is no schedule"),
    BadInput(
      arrivals, "{process: timer, schedule: ▲'0 12 * * *'}", .neverHappens,
      "service `jobs`: its timer does not fire before the run ends"),
    BadInput(
      arrivals, "{process: timer, every: ▲1m, schedule: '0 * * * *'}", .inconsistent,
      "`services[1].arrivals` has a `schedule` and an interval"),
    BadInput(
      arrivals, "{process: timer, every: 1m, jitter: 20s, spread: ▲50s}", .inconsistent,
      "service `jobs`: a firing reaches into the next one"),
    BadInput(
      arrivals + "\n    " + jobs,
      "{process: timer, every: 1m}\n    \(jobs)\n    trigger: {kind: ▲object_storage}",
      .inconsistent,
      "service `jobs`: its arrivals are of the clock, and `object_storage` calls it"),
  ]

  private static let natives = [
    BadInput(
      jobs, "\(jobs)\n    kind: native\n    instances: {min: ▲0}", .inconsistent,
      "service `jobs`: a native service never goes to zero: 0 instances at least over 2 zones",
      help: "set `instances.min` to 2 or more, or use `kind: function`"),
    BadInput(
      jobs, "\(jobs)\n    kind: native\n    instances: {min: 2, initial: ▲1}", .inconsistent,
      "service `jobs`: a native service has its least number of instances from the beginning: 1 at "
        + "first, 2 at least"),
    BadInput(
      jobs, "\(jobs)\n    kind: native\n    concurrency: ▲1\n    instances: {min: 2}",
      .implausible, "service `jobs`: an instance of a native service takes one call at a time"),
    BadInput(
      jobs, "\(jobs)\n    protocol: ▲grpc", .inconsistent,
      "service `jobs`: a protocol belongs to a native service, and this is a function"),
    BadInput(
      jobs,
      "\(jobs)\n    kind: native\n    instances: {min: 2}\n    protocol: ▲soap", .unknownName,
      "`soap` is no value of `services[1].protocol`"),
  ]

  private static let workers = [
    BadInput(
      jobs, "\(jobs)\n    kind: worker\n    worker: ▲{}", .missingKey,
      "`services[1].worker.isolate_memory` is missing"),
    BadInput(
      jobs, "\(jobs)\n    kind: worker\n    worker: {isolate_memory: ▲0B}", .outOfRange,
      "an isolate has no memory"),
    BadInput(
      jobs, "\(jobs)\n    kind: worker\n    worker: {isolate_memory: ▲250MiB}", .inconsistent,
      "service `jobs`: an isolate has more memory than a worker process of shape `small` has for "
        + "them"),
    BadInput(
      jobs, "\(jobs)\n    worker: ▲{isolate_memory: 8MiB}", .inconsistent,
      "service `jobs`: isolates belong to a worker, and this is a function"),
    BadInput(
      jobs,
      "\(jobs)\n    kind: worker\n    worker: {isolate_memory: 8MiB}\n    trigger: ▲{kind: timer}",
      .inconsistent, "service `jobs`: a trigger calls a function, and this is a worker"),
    BadInput(
      jobs,
      "\(jobs)\n    kind: worker\n    worker: {isolate_memory: 8MiB, ingress: ▲middle}",
      .unknownName, "`middle` is no value of `services[1].worker.ingress`"),
    BadInput(
      jobs,
      "\(jobs)\n    kind: worker\n    worker: {isolate_memory: 8MiB}\n    topic: ▲{partitions: 4}",
      .inconsistent, "service `jobs`: a worker answers requests, and this one consumes a topic"),
    BadInput(
      jobs, "\(jobs)\n    kind: worker\n    worker: {isolate_memory: 8MiB, kv: ▲{keys: 5}}",
      .missingKey, "`services[1].worker.kv.writes` is missing"),
    BadInput(
      jobs,
      "\(jobs)\n    kind: worker\n    worker: {isolate_memory: 8MiB, kv: {writes: 1/s, keys: ▲0}}",
      .outOfRange, "`services[1].worker.kv.keys` is `0`"),
  ]

  @Test func defaultsFollowTheKind() throws {
    let text = Samples.valid.replacing(
      Self.jobs, with: "\(Self.jobs)\n    kind: native\n    instances: {min: 2}")
    let result = Samples.read(text)
    let document = try #require(result.document, "\(result.rendered)")
    #expect(document.services[0].concurrency == 1 && document.services[0].protocolName == nil)
    #expect(document.services[1].concurrency == 100 && document.services[1].protocolName == "http")
    let processor = try #require(result.values.first { $0.path == "protocols.http.cpu" })
    #expect(processor.origin == .published && !processor.source.isEmpty)
    #expect(result.values.contains { $0.path == "services[1].concurrency" && $0.value == "100" })
  }

  @Test func whatTheClockStartsIsOfItsClass() throws {
    func read(_ more: String) throws -> ServiceSection {
      let text = Samples.valid.replacing(Self.arrivals, with: more)
      return try #require(Samples.read(text).document?.services[1])
    }
    let timed = try read("{process: timer, schedule: '*/2 * * * *', requests: 7}")
    #expect(timed.trafficClass == "timer" && timed.arrivals.timer?.requests == 7)
    let firings = timed.arrivals.timer?.firings(within: .seconds(600))
    #expect(firings == [0, 120, 240, 360, 480].map { $0 * 1_000_000_000 })
    let regular = try read("{process: timer, every: 90s}\n    class: offline")
    #expect(regular.trafficClass == "offline")
    let every = regular.arrivals.timer?.firings(within: .seconds(271))
    #expect(every == [0, 90, 180, 270].map { $0 * 1_000_000_000 })
  }

  /// Second 0 is midnight of a Monday: at eight on the second day.
  @Test func schedulesBeginOnAMonday() throws {
    var timer = TimerSection()
    timer.schedule = try CronSchedule("0 8 * * 2")
    let hour: Int64 = 3_600_000_000_000
    #expect(timer.firings(within: .seconds(8 * 86_400)) == [32 * hour])
    timer.schedule = try CronSchedule("0 0 * * 1")
    #expect(timer.firings(within: .seconds(8 * 86_400)) == [0, 168 * hour])
  }
}
