import Primitives
import Testing

@testable import Scenario

/// What is wrong with limits, downstreams, importance and shedding.
@Suite struct BadLimitTests {
  private static func service(
    _ field: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil
  ) -> BadInput {
    BadInput(
      "service_time: constant(50ms)", "service_time: constant(50ms)\n    \(field)", kind, message,
      help: help)
  }

  private static func limits(
    _ fields: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil
  ) -> BadInput {
    service("limits: {\(fields)}", kind, message, help: help)
  }

  /// A downstream that `jobs` calls; without a topic there.
  private static func downstream(
    _ fields: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil
  ) -> BadInput {
    BadInput(
      "services:\n", "downstreams:\n  - {name: db, \(fields)}\nservices:\n  \(other)", kind,
      message, help: help)
  }

  private static let other = """
    - {name: more, runtime: go, shape: small, downstream: db, service_time: 1ms, \
    topic: {partitions: 4}, arrivals: {process: poisson, rate: 1/s}}

    """

  private static func fault(
    _ fields: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil
  ) -> BadInput {
    BadInput(
      "crash: worker-manager-0, restart_after: 1m", fields, kind, message, help: help)
  }

  private static func gateways(
    _ fields: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil
  ) -> BadInput {
    BadInput(
      "gateways: {per_zone: 2}", "gateways: {per_zone: 2, \(fields)}", kind, message, help: help)
  }

  private static let path = "services[1].limits"

  static let bad = [
    limits(
      "qps: ▲0/s", .outOfRange, "a limit that lets nothing through",
      help: "give a rate above 0, as in `100/s`"),
    limits(
      "qps: ▲-5/s", .outOfRange, "`\(path).qps` is `-5/s`",
      help: "a rate is between 0 and 1e12 a second"),
    limits(
      "concurrency: ▲0", .outOfRange, "`\(path).concurrency` is `0`",
      help: "between 1 and 1000000000"),
    limits(
      "concurrency: ▲-1", .outOfRange, "`\(path).concurrency` is `-1`",
      help: "between 1 and 1000000000"),
    limits(
      "concurrency: ▲1", .inconsistent,
      "1 under way over 2 zones, of which each lets one in at least",
      help: "raise it to 2, or name fewer `zones`"),
    limits(
      "burst: ▲5, concurrency: 5", .inconsistent, "a burst without a rate",
      help: "give `qps`, or remove `burst`"),
    limits(
      "qps: 5/s, backpressure: ▲on", .inconsistent,
      "back-pressure is for consumers, and the service has no `topic`",
      help: "remove it, or use `concurrency: gradient`"),
    limits(
      "qps: 5/s, latency_target: ▲1s", .inconsistent, "nobody looks at the latency",
      help: "set `backpressure: on`, or remove it"),
    service(
      "limits: ▲{}", .inconsistent, "limits that limit nothing",
      help: "give `qps`, `concurrency` or `backpressure: on`, or remove `limits`"),
    service(
      "importance: ▲8", .outOfRange, "`services[1].importance` is `8`", help: "between 0 and 7"),
    service(
      "importance: ▲-1", .outOfRange, "`services[1].importance` is `-1`",
      help: "between 0 and 7"),
    service(
      "downstream: ▲bd", .unknownName, "unknown downstream `bd`", help: "add it to `downstreams`"),
    downstream(
      "capacity: ▲0/s", .outOfRange, "a downstream that bears nothing",
      help: "give a rate above 0, as in `100/s`"),
    downstream(
      "capacity: 5/s, central_limit: ▲0/s", .outOfRange,
      "a central limit that lets nothing through",
      help: "give a rate above 0, as in `100/s`"),
    downstream(
      "capacity: 5/s, central_limit: ▲6/s", .implausible,
      "the central limit is above what the downstream bears", help: "lower it, or raise `capacity`"
    ),
    downstream(
      "capacity: 5/s, refresh: ▲30s", .inconsistent,
      "a lease runs out before it is asked for again", help: "lower `refresh` or raise `lease`"),
    BadInput(
      "services:\n",
      "downstreams:\n  - {name: db, capacity: 5/s, central_limit: ▲5/s}\nservices:\n  "
        + other.replacing("topic: {partitions: 4}, ", with: ""), .inconsistent,
      "a central limit is for consumers, and no service with a `topic` calls `db`",
      help: "give `limits.qps` to the services that call it, or remove `central_limit`"),
    BadInput(
      "services:\n", "downstreams:\n  - {name: ▲db, capacity: 5/s}\nservices:\n", .unusedName,
      "no service calls downstream `db`",
      help: "remove it, or check the services' `downstream`"),
    fault(
      "limit: ▲db, share: 50%", .unknownName, "there is no downstream `db`",
      help: "add it to `downstreams`"),
    fault(
      "slow: ▲downstream db, factor: 2", .unknownName, "there is no downstream `db`",
      help: "add it to `downstreams`"),
    fault(
      "crash: ▲coordinator", .inconsistent,
      "nobody needs the Coordinator: no service has `breaking`, and no downstream a "
        + "`central_limit`", help: "add `breaking: {}` to a service, or remove the fault"),
    gateways(
      "shedding: ▲{}", .inconsistent, "gateways without a `capacity` never have too much to do",
      help: "give `cluster.gateways.capacity`, or remove `shedding`"),
    gateways(
      "capacity: 5/s, shedding: {shares: [90%, ▲95%]}", .inconsistent,
      "the less important would have more room than the more important", help: "let shares fall"),
    gateways(
      "capacity: 5/s, shedding: {shares: [▲half]}", .badQuantity, "`half` is no share",
      help: "for example `90%`"),
    BadInput(
      "\"failed / requests < 0.1%\"", "▲\"shed(importance=9) < 1\"", .unknownName,
      "`shed(importance=9) < 1`: unknown importance `9`",
      help: "one of `0`, `1`, `2`, `3`, `4`, `5`, `6`, `7`"),
  ]

  @Test(arguments: bad) func eachChangeHasItsError(_ bad: BadInput) throws {
    let (text, place) = try #require(Samples.changed(bad.old, to: bad.new))
    let result = Samples.read(text)
    let found = result.diagnostics.filter { $0.kind == bad.kind }
    #expect(found.count == 1 && result.diagnostics.count == 1, "\(result.rendered)")
    let diagnostic = try #require(found.first)
    if place.line > 0 {
      #expect(Mark(line: diagnostic.line, column: diagnostic.column) == place)
    }
    #expect(diagnostic.message == bad.message)
    #expect(diagnostic.help == bad.help)
  }

  @Test func defaultsHaveOrigins() throws {
    #expect(Samples.read(Samples.valid).document?.services[1].limits == nil)
    let text = Samples.valid
      .replacing(
        "service_time: constant(50ms)",
        with: "service_time: constant(50ms)\n    limits: {qps: 100/s}"
      )
      .replacing(
        "services:\n",
        with: "downstreams:\n  - {name: db, capacity: 5/s, central_limit: 4/s}\nservices:\n  "
          + Self.other)
    let result = Samples.read(text)
    let document = try #require(result.document)
    let limits = try #require(document.services[2].limits)
    #expect(limits.ratePerSecond == 100 && limits.burst == nil && limits.concurrency == .unlimited)
    #expect(!limits.followsTraffic && !limits.hasBackpressure)
    let downstream = document.downstreams[0]
    #expect(downstream.lease == .seconds(20) && downstream.refresh == .seconds(5))
    #expect(downstream.learning == nil && downstream.safePerSecond == nil)
    let lease = result.values.first { $0.path == "downstreams[0].lease" }
    #expect(lease?.origin == .published)
  }
}
