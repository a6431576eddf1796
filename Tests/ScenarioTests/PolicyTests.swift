import Primitives
import Testing

@testable import Scenario

/// Policies against their tables.
@Suite struct PolicyTests {
  private static func read(_ policy: String) -> ScenarioReader.Result {
    Samples.read(
      Samples.valid.replacing(
        "scaling: knative(target: 10, window: 60s)",
        with: "scaling: \(policy)\n    topic: {partitions: 2}"))
  }

  private static func scaling(_ policy: String) throws -> ScalingSection {
    let result = read(policy)
    return try #require(result.document?.services[0].scaling.first, "\(result.rendered)")
  }

  @Test func defaultsAreThoseOfTheTable() throws {
    let section = try Self.scaling("knative")
    #expect(section == (try Self.scaling("knative()")))
    #expect(section["target"] == nil)
    #expect(section["utilisation"] == 0.7)
    #expect(section.duration("window") == .seconds(60))
    #expect(section["panic_window"] == 0.1)
    #expect(section["panic_threshold"] == 2)
    #expect(section["max_up_rate"] == 1000)
    #expect(section["max_down_rate"] == 2)
    #expect(section.duration("scale_down_delay") == .zero)
    #expect(section.duration("grace_to_zero") == .seconds(30))
    #expect(section["weighted"] == 0)
  }

  /// Each parameter of each policy is read into a place of its own.
  @Test(arguments: PolicyTable.scaling.map(\.name))
  func everyParameterCounts(policy: String) throws {
    // Kubernetes' rule needs a metric, whatever else is given.
    let beside = policy == "hpa" ? "concurrency: 7" : ""
    var sections = [try Self.scaling("\(policy)(\(beside))")]
    for parameter in PolicyTable.named(policy)?.parameters ?? [] {
      let value =
        switch parameter.value {
        case .number, .count: "5"
        case .ratio: "3"
        case .share: "0.35"
        case .duration: "50s"
        case .flag: "true"
        case .word(let words): words.last ?? ""
        }
      let given = beside.isEmpty || parameter.name == "concurrency" ? "" : "\(beside), "
      let section = try Self.scaling("\(policy)(\(given)\(parameter.name): \(value))")
      #expect(!sections.contains(section), "\(parameter.name)")
      sections.append(section)
    }
  }

  /// A default is noted as such, with its source; what is given is not.
  @Test func defaultsAreNoted() throws {
    let values = Self.read("knative(window: 2m)").values.filter {
      $0.path.hasPrefix("services[0].scaling.")
    }
    #expect(values.count == PolicyParameter.knative.count - 2)
    #expect(values.allSatisfy { $0.origin == .published && !$0.source.isEmpty })
    #expect(!values.contains { $0.path.hasSuffix("window") && !$0.path.hasSuffix("panic_window") })
  }

  @Test(arguments: [
    ("knative(windw: 60s)", "unknown parameter `windw`", "did you mean `window`?"),
    ("knative(window: 1s)", "`window` is `1s`", "write 6s to 1h"),
    ("knative(utilisation: 70)", "`utilisation` is `70`", "write 0.01 to 1"),
    ("knative(weighted: yes)", "`weighted` is `yes`", "write `true` or `false`"),
    ("knative(target: 1, target: 2)", "`target` is given twice", "keep one of them"),
    ("keda(lag: 10.7)", "`lag` is `10.7`", "write 1 to 1000000000000, a whole number"),
    ("hpa(cpu: 60%, lag: 1.5)", "`lag` is `1.5`", "write 1 to 1000000000000, a whole number"),
    ("keda(activation: 0.5)", "`activation` is `0.5`", "write 0 to 1000000000000, a whole number"),
    ("past_days(days: 2.5)", "`days` is `2.5`", "write 1 to 30, a whole number"),
    ("knative(10)", "`10` has no name", "for example `knative(target: 10)`"),
    ("knativ(target: 1)", "no scaling policy", "did you mean `knative`?"),
    (
      "hpa(cpu: 60%, up_select: most)", "`up_select` is `most`",
      "write `max`, `min`, `disabled`"
    ),
    (
      "hpa(cpu: 60%, down_percent: 0)",
      "neither `down_percent` nor `down_pods` bounds anything",
      "give one of them, or `down_select: disabled`"
    ),
    (
      "keda(lagging_partitions: true, even_partitions: true)",
      "`lagging_partitions` and `even_partitions` contradict each other", "keep one of them"
    ),
  ])
  func refusals(_ policy: String, _ message: String, _ help: String) throws {
    let result = Self.read(policy)
    let diagnostic = try #require(result.errors.first)
    #expect(result.errors.count == 1)
    #expect(diagnostic.kind == .badPolicy)
    #expect(diagnostic.message == "`\(policy)`: \(message)")
    #expect(diagnostic.help == help)
  }

  @Test func noPolicyIsWrittenOut() throws {
    let text = Samples.valid.replacing(
      "scaling: knative(target: 10, window: 60s)", with: "scaling: ▲[]")
    let (changed, place) = Samples.placed(text)
    let result = Samples.read(changed)
    let found = try #require(result.errors.first)
    #expect(result.errors.count == 1 && found.message == "`services[0].scaling` names no policy")
    #expect((found.line, found.column) == (place.line, place.column))
  }

  /// Where KEDA waits for lag before the first instance, no message makes it; who wants that all
  /// the same is told.
  @Test func activationLeavesTheFirstInstanceToKeda() throws {
    func read(_ scaling: String, _ more: String = "") throws -> (String?, [Diagnostic]) {
      let text = Samples.valid.replacing(
        "service_time: constant(50ms)",
        with: "service_time: constant(50ms)\n    topic: {partitions: 4}\n    scaling: \(scaling)"
          + more)
      let result = Samples.read(text)
      return (result.document?.services[1].coldStart, result.diagnostics)
    }
    for (scaling, usual) in [
      (#""keda(lag: 100)""#, "from_zero"), (#""keda(lag: 100, activation: 0)""#, "from_zero"),
      (#""keda(lag: 100, activation: 20000)""#, "never"),
      (#"[knative, "keda(lag: 100, activation: 20000)"]"#, "never"),
    ] {
      let (found, diagnostics) = try read(scaling)
      #expect(found == usual && diagnostics.isEmpty, "\(scaling): \(diagnostics)")
    }
    let (found, told) = try read(
      "\"keda(lag: 100, activation: 20000)\"", "\n    cold_start: from_zero")
    #expect(found == "from_zero" && told.map(\.kind) == [.implausible])
    #expect(
      told.first?.message
        == "service `jobs`: the first message starts an instance whatever `activation` is")
    #expect(try read("\"keda(activation: 9)\"", "\n    cold_start: never").1.isEmpty)
  }
}
