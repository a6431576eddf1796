import Testing

@testable import Scenario

/// What is wrong with breaking, the Coordinator, and instances that go bad.
@Suite struct BadBreakingTests {
  private static func breaking(
    _ fields: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil
  ) -> BadInput {
    BadInput(
      "service_time: constant(50ms)", "service_time: constant(50ms)\n    breaking: {\(fields)}",
      kind, message, help: help)
  }

  private static func fault(
    _ fields: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil
  ) -> BadInput {
    BadInput(
      "crash: worker-manager-0, restart_after: 1m", fields, kind, message, help: help)
  }

  private static let path = "services[1].breaking"

  static let bad = [
    breaking(
      "consecutive_errors: ▲0", .outOfRange, "`\(path).consecutive_errors` is `0`",
      help: "between 1 and 10000"),
    breaking(
      "base_ejection: ▲10m", .inconsistent, "the first ejection is longer than the longest",
      help: "raise `max_ejection`"),
    breaking(
      "max_ejection_percent: ▲101", .outOfRange, "`\(path).max_ejection_percent` is `101`",
      help: "between 0 and 100"),
    breaking(
      "max_ejection_percent: ▲0", .inconsistent, "no instance may ever be broken",
      help: "raise it, set `always_eject_one: true`, or remove `breaking`"),
    breaking(
      "slowness: ▲0.5", .outOfRange, "`\(path).slowness` is `0.5`",
      help: "between 1.0 and 1000.0"),
    breaking(
      "interval: ▲1ms", .outOfRange, "`\(path).interval` is `1ms`", help: "at least 100ms"),
    fault(
      "spoil: ▲jbos, errors: 80%", .unknownName, "there is no service `jbos`",
      help: "did you mean `jobs`?"),
    fault(
      "spoil: ▲jobs", .inconsistent, "instances that neither err nor are slow are not bad",
      help: "give `errors`, as in `errors: 80%`, or `factor`, as in `factor: 5`"),
    fault(
      "spoil: jobs, errors: ▲180%", .outOfRange, "`faults[0].errors` is `180%`",
      help: "a share is between 0 % and 100 %"),
    fault(
      "spoil: jobs, factor: ▲0.5", .outOfRange, "`faults[0].factor` is `0.5`",
      help: "between 1.0 and 1000.0"),
    fault(
      "spoil: jobs, errors: 1, from: ▲1s", .inconsistent, "`from` says nothing of `spoil`",
      help: "it belongs to `cut`"),
    fault(
      "stop: ▲coordinator", .inconsistent,
      "nobody needs the Coordinator: no service has `breaking`, and no downstream a "
        + "`central_limit`",
      help: "add `breaking: {}` to a service, or remove the fault"),
    BadInput(
      "gateways: {per_zone: 2}", "gateways: {per_zone: 2}\n  coordinator: {long_break_callers: ▲0}",
      .outOfRange, "`cluster.coordinator.long_break_callers` is `0`", help: "between 1 and 1000"),
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

  /// Absent: nobody breaks. Empty: Envoy's defaults, and a fault that has no end of its own.
  @Test func defaultsArePublished() throws {
    #expect(Samples.read(Samples.valid).document?.services[1].breaking == nil)
    let text = Samples.valid
      .replacing(
        "service_time: constant(50ms)", with: "service_time: constant(50ms)\n    breaking: {}"
      )
      .replacing(
        "crash: worker-manager-0, restart_after: 1m", with: "spoil: jobs, errors: 80%")
    let result = Samples.read(text)
    let document = try #require(result.document)
    let breaking = try #require(document.services[1].breaking)
    #expect(breaking.consecutiveErrors == 5 && breaking.consecutiveGatewayErrors == nil)
    #expect(breaking.interval == .seconds(10) && breaking.baseEjection == .seconds(30))
    #expect(breaking.maxEjection == .seconds(300) && breaking.maxEjectionPercent == 10)
    #expect(breaking.judgesSuccessRates && breaking.slowness == nil)
    #expect(document.faults[0].restartAfter == nil)
    #expect(document.faults[0].effect == .spoil("jobs", share: 0, errors: 0.8, factor: 1))
  }
}
