import Primitives
import Testing

@testable import Scenario

/// Objectives against the table of measures.
@Suite struct ObjectiveTests {
  private static func reads(_ text: String) -> Bool { (try? ObjectiveParser.parse(text)) != nil }

  private static func limit(_ unit: Objective.Measure.Unit) -> String {
    switch unit {
    case .time: "400ms"
    case .number: "100"
    case .share: "60%"
    }
  }

  private static let statistics: [(text: String?, statistic: Objective.Statistic?)] = [
    (nil, nil), ("mean", .mean), ("max", .maximum), ("p50", .quantile(0.5)),
    ("p90", .quantile(0.9)), ("p99", .quantile(0.99)),
  ]

  /// No scope, each, and each two.
  private static var scopes: [[Objective.Scope]] {
    let all = Objective.Scope.allCases
    return [[]] + all.map { [$0] }
      + all.flatMap { first in all.filter { $0 != first }.map { [first, $0] } }
  }

  /// Every combination of statistic, scopes and `for` is read when the table has it, and refused
  /// when not.
  @Test(arguments: Objective.Measure.allCases)
  func theTableIsWhatIsRead(_ measure: Objective.Measure) {
    let definition = measure.definition
    var read = 0
    for (text, statistic) in Self.statistics {
      for scopes in Self.scopes {
        for isOverTime in [false, true] {
          let objective =
            Self.term(measure, text, scopes) + " < \(Self.limit(definition.unit))"
            + (isOverTime ? " for 10m" : "")
          let isExpected = Self.expects(definition, statistic, scopes, isOverTime)
          #expect(Self.reads(objective) == isExpected, "\(objective)")
          if isExpected { read += 1 }
        }
      }
    }
    #expect(read > 0)
  }

  private static func term(
    _ measure: Objective.Measure, _ statistic: String?, _ scopes: [Objective.Scope]
  ) -> String {
    let scopes = scopes.map { "\($0.rawValue)=x" }
    if let statistic {
      return "\(statistic)(" + ([measure.rawValue] + scopes).joined(separator: ", ") + ")"
    }
    return measure.rawValue + (scopes.isEmpty ? "" : "(" + scopes.joined(separator: ", ") + ")")
  }

  /// The table, read by itself.
  private static func expects(
    _ definition: Objective.Measure.Definition, _ statistic: Objective.Statistic?,
    _ scopes: [Objective.Scope], _ isOverTime: Bool
  ) -> Bool {
    let isStatistic =
      switch definition.kind {
      case .distribution: statistic != nil
      case .total: statistic == nil
      case .level: true
      }
    let isScoped = scopes.allSatisfy(definition.scopes.contains)
    let isKept = !isOverTime || definition.kind != .level || (statistic ?? .mean) == .mean
    return isStatistic && isScoped && isKept
  }

  @Test func whatIsReadIsWhatIsMeant() throws {
    let objective = try ObjectiveParser.parse(
      "p99.9( start_latency , runtime = python,zone=zone-a )<=1.5s")
    #expect(objective.numerator.statistic == .quantile(0.999))
    #expect(objective.numerator.measure == .startLatency)
    #expect(objective.numerator.scope == ["runtime": "python", "zone": "zone-a"])
    #expect(objective.comparison == .lessOrEqual)
    #expect(objective.limit == 1.5)
    #expect(objective.denominator == nil && objective.duration == nil)

    let ratio = try ObjectiveParser.parse("pool_misses(runtime=go) / cold_starts < 0.1%")
    #expect(ratio.numerator.statistic == .total)
    #expect(ratio.denominator?.measure == .coldStarts)
    #expect(abs(ratio.limit - 0.001) < 1e-12)

    let level = try ObjectiveParser.parse("ready_pods(class=online) >= 1M for 1h30m")
    #expect(level.numerator.statistic == .mean)
    #expect(level.limit == 1e6)
    #expect(level.duration == .seconds(5400))
  }

  @Test(
    arguments: [
      ("p99(latency) < 1", "`1` is no duration", "give a unit, for example `400ms`"),
      ("p99(latency) < 5%", "`5%` is no duration", "give a unit, for example `400ms`"),
      ("requests < 5ms", "`5ms` is no number", "for example `100`, `1M` or `0.5`"),
      (
        "cold_starts < 5%", "`5%` is no number",
        "a percentage is of a ratio, as in `cold_starts / requests < 5%`"
      ),
      ("failed / requests < 5ms", "`5ms` is no number", "for example `0.1%` or `0.5`"),
      (
        "p99(latency) / requests < 1", "a time is compared with a number",
        "divide times by times and numbers by numbers"
      ),
      ("latency < 1s", "`latency` needs a statistic", "for example `p99(latency)`"),
      ("latency(zone=a) < 1s", "`latency` needs a statistic", "for example `p99(latency)`"),
      ("p99(requests) < 1", "`requests` is a total and has no `p99`", "write `requests`"),
      ("p10(latency) < 1s", "there is no `p10`", "one of `mean`, `max`, `p50` to `p99.99`"),
      ("p100(latency) < 1s", "there is no `p100`", "one of `mean`, `max`, `p50` to `p99.99`"),
      ("p9.9.9(latency) < 1s", "there is no `p9.9.9`", "one of `mean`, `max`, `p50` to `p99.99`"),
      ("p99(latncy) < 1s", "`latncy` is no measure", "did you mean `latency`?"),
      ("request(zone=a) < 1", "`request` is no measure", "did you mean `requests`?"),
      (
        "avg(latency) < 1s", "`avg` is no statistic and no measure",
        "a statistic is one of `mean`, `max`, `p50` to `p99.99`"
      ),
      ("p99(latency, zon=a) < 1s", "`zon` is no scope", "did you mean `zone`?"),
      ("p99(latency, zone) < 1s", "`=` is missing after `zone`", nil),
      ("p99(latency, zone=a, zone=b) < 1s", "`zone` is given twice", "keep one of them"),
      ("p99(latency < 1s", "`)` or `,` is missing", nil),
      (
        "max(ready_pods) < 9 for 1m", "`ready_pods` has no `max` interval by interval",
        "with `for` write `ready_pods`"
      ),
      (
        "pool_level(class=online) > 1", "`pool_level` is not known by class",
        "it can be asked for by runtime, zone, cluster, region"
      ),
      ("requests = 1", "a comparison is missing", "write `<`, `<=`, `>` or `>=` and a limit"),
      ("requests < 1 for 0s", "`0s` is no duration", "for example `for 10m`"),
      ("requests < 1 for ever", "`ever` is no duration", "for example `for 10m`"),
      ("requests < 1 please", "`please` is not understood here", nil),
    ] as [(String, String, String?)])
  func refusals(_ text: String, _ message: String, _ help: String?) {
    do throws(ObjectiveParser.Failure) {
      _ = try ObjectiveParser.parse(text)
      Issue.record("`\(text)` is read")
    } catch {
      #expect(error.message == message)
      #expect(error.help == help)
    }
  }

  // MARK: Names

  /// A name in a scope must be one of the scenario.
  @Test(
    arguments: [
      ("requests(runtime=pyton) > 0", "unknown runtime `pyton`", "did you mean `python`?"),
      ("requests(zone=zone-q) > 0", "unknown zone `zone-q`", "did you mean `zone-a`?"),
      ("requests(class=onlin) > 0", "unknown class `onlin`", "did you mean `online`?"),
      ("requests(service=apo) > 0", "unknown service `apo`", "did you mean `api`?"),
      ("requests(service=api-0) > 0", "unknown service `api-0`", "one of `api`, `jobs`"),
      ("failed / requests(class=slow) < 1%", "unknown class `slow`", nil),
    ] as [(String, String, String?)])
  func namesMustBeThere(_ objective: String, _ message: String, _ help: String?) throws {
    let (text, place) = try #require(
      Samples.changed("\"failed / requests < 0.1%\"", to: "▲\"\(objective)\""))
    let result = Samples.read(text)
    let diagnostic = try #require(result.errors.first, "\(result.rendered)")
    #expect(result.errors.count == 1)
    #expect(diagnostic.kind == .unknownName)
    #expect(diagnostic.message == "`\(objective)`: \(message)")
    #expect(Mark(line: diagnostic.line, column: diagnostic.column) == place)
    if let help { #expect(diagnostic.help == help) }
    #expect(diagnostic.help != nil)
  }

  @Test(arguments: [
    ("api", true), ("api-0", true), ("api-2", true), ("api-3", false), ("api-x", false),
    ("traced", true), ("traced/function", true), ("traces/function", false),
  ])
  func servicesOfGroupsAndTracesHaveNames(_ name: String, isThere: Bool) {
    let text = Samples.valid
      .replacing("- name: api\n", with: "- name: api\n    count: 3\n")
      .replacing("- name: jobs\n", with: "- name: traced\n")
      .replacing(
        "{process: diurnal, peak: 2k/m, curve: offline}", with: "{process: trace, file: a}"
      )
      .replacing("p99(latency, service=api) < 400ms", with: "requests(service=\(name)) > 0")
    let result = Samples.read(text)
    #expect(result.errors.map(\.kind) == (isThere ? [] : [.unknownName]), "\(result.rendered)")
  }
}
