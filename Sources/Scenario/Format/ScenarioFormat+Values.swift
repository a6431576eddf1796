extension ScenarioFormat {
  // MARK: Quantities

  static var quantities: String {
    let rows = FieldKind.allCases.map { [$0.rawValue, $0.about, $0.example.map(code) ?? ""] }
    return """
      ## Values

      Numbers are decimal and may have an exponent (`1e6`) or underscores (`1_000_000`). Units are
      case-sensitive and stand behind the number without a need for a space.

      \(table(["kind", "is", "for example"], rows))
      """
  }

  static func units(_ units: [(String, Double)]) -> String {
    code(units.map(\.0).filter { !$0.isEmpty })
  }

  // MARK: Distributions

  static var distributions: String {
    let rows = DistributionParser.forms.map { form in
      [code(form.name), examples(of: form).map(code).joined(separator: " or "), form.about]
    }
    let unnamed = DistributionParser.forms.filter(\.mayOmitNames).map(\.name)
    return """
      ## Distributions

      Of times. \(code(unnamed)) may leave out the names of their parameters.

      \(table(["name", "for example", "is"], rows))
      """
  }

  /// One for each way to write a distribution.
  static func examples(of form: DistributionParser.Form) -> [String] {
    switch form.name {
    case "empirical": return ["empirical(1ms, 2ms, 5ms)"]
    case "mixture": return ["mixture(0.99: constant(1ms), 0.01: exponential(20ms))"]
    default:
      return form.parameters.map { names in
        let values = names.map { "\($0): \(value(of: $0))" }
        return "\(form.name)(\(values.joined(separator: ", ")))"
      }
    }
  }

  private static func value(of parameter: String) -> String {
    switch parameter {
    case "sigma": "0.6"
    case "cv": "1.5"
    case "shape": "2"
    case "low": "10ms"
    default: "20ms"
    }
  }
}

extension FieldKind {
  /// What the kind is, for people.
  var about: String {
    switch self {
    case .section: "a mapping of fields"
    case .list: "a list, one item a line after `- `, or in `[…]`"
    case .names: "a mapping from names to sections"
    case .text: "text or a name"
    case .word: "one of the words that are given"
    case .duration:
      "a time, in units \(ScenarioFormat.units(Quantity.durationUnits)); parts add up, and `0` "
        + "needs none"
    case .bytes:
      "a size, in units \(ScenarioFormat.units(Quantity.byteUnits)); those with an `i` are powers "
        + "of 1024"
    case .cores:
      "processors: cores, or thousandths with \(ScenarioFormat.units(Quantity.coreUnits))"
    case .rate:
      "how many in a time: a number, perhaps with \(ScenarioFormat.units(Quantity.countUnits)), "
        + "then one of \(ScenarioFormat.units(Quantity.rateUnits))"
    case .share: "a part of a whole: a percentage, or a number from 0 to 1"
    case .number: "a number, or a percentage"
    case .count:
      "a whole number, perhaps with \(ScenarioFormat.units(Quantity.countUnits)) for powers of 1000"
    case .distribution: "a distribution of times, see below"
    case .policy: "a policy, see [Policies](#policies)"
    }
  }

  /// A value of the kind; nil for what takes more than a line.
  var example: String? {
    switch self {
    case .section, .names: nil
    case .list: "[zone-a, zone-b]"
    case .text: "api"
    case .word: "warm"
    case .duration: "1h30m"
    case .bytes: "256MiB"
    case .cores: "0.5"
    case .rate: "5k/s"
    case .share: "2%"
    case .number: "1.5"
    case .count: "10k"
    case .distribution: "exponential(mean: 20ms)"
    case .policy: "fixed(10m)"
    }
  }
}
