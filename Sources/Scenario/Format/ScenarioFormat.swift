/// The format of scenarios, told to people. Everything that a reader decides comes from the readers
/// themselves: kinds, defaults, origins, words, units, measures.
public enum ScenarioFormat {
  /// docs/scenario.md.
  public static func document() -> String {
    let parts = [
      introduction, quantities, distributions, fields, policies, objectives, diagnostics,
    ]
    return parts.joined(separator: "\n")
  }

  /// A small scenario that is complete.
  public static let example = """
    headroom: 1
    name: small
    duration: 1h
    cluster:
      zones:
        - {name: zone-a, nodes: {count: 4, cpu: 16, memory: 64GiB}}
    runtimes:
      go: {init: lognormal(median: 30ms, sigma: 0.4)}
    shapes:
      small: {cpu: 0.5, memory: 256MiB}
    services:
      - name: api
        runtime: go
        shape: small
        arrivals: {process: poisson, rate: 20/s}
        service_time: exponential(mean: 50ms)
    objectives:
      - "p99(latency) < 1s"
      - "cold_starts / requests < 1%"
    """

  private static let introduction = """
    # Scenarios

    A scenario is one YAML file: a world and what must hold in it. This page is generated from the
    code that reads scenarios. [Values](#values), [distributions](#distributions),
    [fields](#fields), [policies](#policies), [objectives](#objectives), [errors](#errors).

    ```yaml
    \(example)
    ```

    Every other field may be left out; most have a default. A default has an origin, *published*
    with its source, *measured* or *assumed*; results keep each value with its origin in the table
    `assumptions`. A key that is not on this page is an error, and `headroom` tells all errors at
    once.

    A call such as `lognormal(median: 30ms, sigma: 0.4)` needs no quotes; it ends on its line. A
    file has at most \(TreeLimits.bytes >> 20) MiB, \(grouped(TreeLimits.nodes)) values and
    \(TreeLimits.depth) levels.

    `--set PATH=VALUE` changes or adds any field: `--set cluster.gateways.per_zone=3`. An item of a
    list is named by its number or its name: `cluster.zones[0].nodes.count`, `services.api.count`.

    """

  static func grouped(_ number: Int) -> String {
    var digits = String(number)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
  }

  // MARK: Markdown

  static func table(_ header: [String], _ rows: [[String]]) -> String {
    let rule = Array(repeating: "---", count: header.count)
    return ([header, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
  }

  static func code(_ text: String) -> String { "`\(text)`" }

  static func code(_ texts: [String]) -> String { texts.map { code($0) }.joined(separator: ", ") }

  /// The origin of a default.
  static func origin(_ fallback: Default) -> String {
    switch fallback {
    case .none: ""
    case .assumed: "assumed"
    case .published(_, let source): "published: \(source)"
    }
  }

  // MARK: Diagnostics

  private static var diagnostics: String {
    let rows = Diagnostic.Kind.allCases.map {
      [$0.rawValue, ($0.isWarning ? "warning: " : "") + $0.about]
    }
    return """
      ## Errors

      An id never changes its meaning. Warnings stop nothing; with any other of these `headroom`
      ends with exit code 65. All other ids are in [errors.md](errors.md).

      \(table(["id", "says"], rows))
      """
  }
}
