import Primitives
import Testing

@testable import Scenario

/// What samples are means of, how late they are, and what policies can make of that.
@Suite struct SignalRulesTests {
  /// The sample with signals of its cluster and policies of its first service; `▲` marks a place.
  private static func text(
    _ autoscale: String = "{}", scaling: String = "knative", more: String = ""
  ) -> String {
    Samples.valid.replacing(
      "  gateways: {per_zone: 2}",
      with: "  gateways: {per_zone: 2}\n  autoscale: \(autoscale)"
    ).replacing(
      "scaling: knative(target: 10, window: 60s)",
      with: "scaling: \(scaling)\n    cpu_fraction: 0.5\n    topic: {partitions: 4}\(more)")
  }

  // MARK: Periods

  /// Each policy is told means over what its own source of metrics has; of several the shortest.
  @Test(arguments: [
    ("knative", Int64(1)), ("\"hpa(cpu: 60%)\"", 15), ("\"hpa(lag: 10)\"", 1), ("cpu", 15),
    ("keda", 1), ("past_days", 1), ("holt_winters", 1), ("[cpu, \"hpa(memory: 60%)\"]", 15),
    ("[cpu, knative]", 1),
  ])
  func periodsAreThoseOfPolicies(scaling: String, seconds: Int64) throws {
    for (autoscale, expected) in [
      ("{}", seconds), ("{signal_period: by_policy}", seconds), ("{signal_period: 30s}", 30),
    ] {
      let result = Samples.read(Self.text(autoscale, scaling: scaling))
      let document = try #require(result.document, "\(result.rendered)")
      #expect(result.rendered == "")
      let period = document.services[0].signalPeriod(in: document.cluster)
      #expect(period == .seconds(expected), "\(scaling) with \(autoscale)")
    }
  }

  /// Every policy says what it is told, and where that comes from.
  @Test func everyPolicyHasAPeriod() {
    for table in PolicyTable.scaling {
      #expect((table.signalNanoseconds ?? 0) >= 1_000_000_000, "\(table.name)")
      #expect((table.signalNanoseconds ?? 1) % 1_000_000_000 == 0, "\(table.name)")
    }
  }

  // MARK: What cannot be, and what comes to nothing

  static let bad: [(text: String, kind: Diagnostic.Kind, message: String)] = [
    (
      text("{signal_period: ▲1999ms}"), .outOfRange,
      "`cluster.autoscale.signal_period` is no whole number of seconds"
    ),
    (
      text("{signal_period: ▲999ms}"), .outOfRange,
      "`cluster.autoscale.signal_period` is `999ms`"
    ),
    (
      text("{signal_delay: ▲60s}"), .implausible,
      "service `api` is scaled by a window of 60 s, all of which has passed when a sample is "
        + "there: samples are 60 s late"
    ),
    (
      text("{signal_delay: ▲10s}", scaling: "\"knative(window: 6s)\""), .implausible,
      "service `api` is scaled by a window of 6 s, all of which has passed when a sample is "
        + "there: samples are 10 s late"
    ),
    (
      text("{signal_period: ▲15s}", scaling: "\"knative(window: 6s)\""), .implausible,
      "service `api` is scaled by a window of 6 s, and a sample is the mean of 15 s"
    ),
    (
      text("{signal_delay: ▲10m}", scaling: "cpu"), .neverHappens,
      "no sample of a service is known before the run ends"
    ),
    (
      text("{signal_period: ▲10m}", scaling: "cpu"), .neverHappens,
      "no sample of a service is known before the run ends"
    ),
    (
      text(scaling: "▲\"past_days(slot: 7s)\""), .inconsistent,
      "service `api`: a day is no whole number of slots of 7 s"
    ),
    (
      text(scaling: "▲\"holt_winters(slot: 1500ms)\""), .inconsistent,
      "service `api`: a slot of 1.5 s is no whole number of seconds"
    ),
    (
      text("{signal_period: 45s}", scaling: "[cpu, ▲\"past_days(slot: 60s)\"]"), .inconsistent,
      "service `api`: a slot of 60 s holds no whole number of samples, each of which is the mean "
        + "of 45 s"
    ),
    (
      text(scaling: "[knative, cpu, ▲knative()]"), .implausible,
      "service `api`: `knative` is there twice with the same parameters, and wants no more for it"
    ),
    (
      text(scaling: "▲cpu").replacing("cpu_fraction: 0.5", with: "cpu_fraction: 0"), .implausible,
      "service `api` is scaled on CPU, of which its requests use none: `cpu_fraction` is 0"
    ),
    (
      text(scaling: "[knative, ▲\"hpa(cpu: 60%)\"]").replacing("    cpu_fraction: 0.5\n", with: ""),
      .implausible,
      "service `api` is scaled on CPU, of which its requests use none: `cpu_fraction` is 0"
    ),
    (
      text(scaling: "▲cpu").replacing("warmup: 1m", with: "warmup: 1m\ncontention: exact")
        .replacing("faults:", with: "").replacing(
          "  - {name: dies, at: 5m, crash: worker-manager-0, restart_after: 1m}", with: ""),
      .implausible,
      "service `api` is scaled on CPU, which nobody measures with `contention: exact`"
    ),
    (
      text(scaling: "▲\"cpu(target: 95%)\""), .implausible,
      "service `api` is never scaled up on CPU: an instance with all the requests that it takes "
        + "uses 100 % of its CPU, and the target is 95 % with a tolerance of 10 % of that"
    ),
    (
      text(scaling: "▲\"hpa(cpu: 60%)\"").replacing("cpu_fraction: 0.5", with: "cpu_fraction: 0.3"),
      .implausible,
      "service `api` is never scaled up on CPU: an instance with all the requests that it takes "
        + "uses 60 % of its CPU, and the target is 60 % with a tolerance of 10 % of that"
    ),
    (
      text().replacing("partitions: 4", with: "partitions: 4, paused: [▲{from: 10m, to: 12m}]"),
      .neverHappens, "service `api`: its consumers pause after the end of the run"
    ),
    (
      text().replacing(
        "partitions: 4",
        with: "partitions: 4, paused: [{from: 1m, to: 3m}, {from: 4m, to: 5m}, "
          + "▲{from: 2m, to: 4m}]"),
      .implausible,
      "service `api`: the pause overlaps with `topic.paused[0]`, and the two are one"
    ),
    (
      text().replacing("crash: worker-manager-0", with: "crash: ▲consumer-0 of zone-b"),
      .neverHappens,
      "consumers of zone-b hold nothing: no service there has a topic that consumers read"
    ),
    (
      text().replacing("partitions: 4", with: "partitions: 4, via: gateways").replacing(
        "crash: worker-manager-0", with: "crash: ▲consumer-0 of zone-a"),
      .neverHappens,
      "consumers of zone-a hold nothing: no service there has a topic that consumers read"
    ),
  ]

  @Test(arguments: bad.indices)
  func eachIsToldAtItsPlace(index: Int) throws {
    let (marked, kind, message) = Self.bad[index]
    let (text, place) = Samples.placed(marked)
    let result = Samples.read(text)
    #expect((result.document == nil) == !kind.isWarning, "\(result.rendered)")
    #expect(result.diagnostics.map(\.kind) == [kind], "\(result.rendered)")
    let found = try #require(result.diagnostics.first, "\(message)")
    #expect(found.message == message)
    #expect((found.line, found.column) == (place.line, place.column), "\(result.rendered)")
  }

  /// What is near to those and means something.
  @Test(arguments: [
    text("{signal_delay: 59s}"), text("{signal_period: 60s, signal_delay: 30s}"),
    text("{signal_period: 15s}", scaling: "\"past_days(slot: 60s)\""),
    text("{signal_delay: 9m}", scaling: "cpu"), text(scaling: "[knative, \"knative(target: 2)\"]"),
    text().replacing(
      "partitions: 4", with: "partitions: 4, paused: [{from: 1m, to: 3m}, {from: 3m, to: 4m}]"),
    text().replacing("crash: worker-manager-0", with: "crash: consumer-0 of zone-a"),
  ])
  func whatIsFineIsNotToldOf(text: String) {
    let result = Samples.read(text)
    #expect(result.rendered == "" && result.document != nil)
  }
}
