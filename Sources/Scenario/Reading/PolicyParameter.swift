/// A parameter of a policy, as in `knative(target: 10, window: 60s)`. Policies are read from tables
/// of these, and documented from them.
struct PolicyParameter: Sendable {
  /// What its value may be.
  enum Value: Sendable {
    case number(ClosedRange<Double>)
    /// A whole number.
    case count(ClosedRange<Int>)
    /// Of a whole: `70%` or 0.7.
    case share(ClosedRange<Double>)
    /// Of something that may be exceeded: `200%` or 2.
    case ratio(ClosedRange<Double>)
    case duration(least: String, most: String)
    case flag
    /// One of these, by its place.
    case word([String])
  }

  var name: String
  var value: Value
  var fallback: Default
  var about: String

  /// The value of a text, in nanoseconds for durations, 1 for `true`, a word's place; nil where it
  /// is none or out of range.
  func parse(_ text: String) -> Double? {
    switch value {
    case .number(let range): return (try? Quantity.number(text)).flatMap { range.keep($0) }
    case .count(let range): return (try? Quantity.count(text, in: range)).map(Double.init)
    case .share(let range): return (try? Quantity.share(text)).flatMap { range.keep($0) }
    case .ratio(let range): return (try? Quantity.ratio(text)).flatMap { range.keep($0) }
    case .duration(let least, let most):
      guard let value = try? Quantity.nanoseconds(text),
        let least = try? Quantity.nanoseconds(least),
        let most = try? Quantity.nanoseconds(most), (least...most).contains(value)
      else { return nil }
      return Double(value)
    case .flag: return ["true": 1, "false": 0][text]
    case .word(let words): return words.firstIndex(of: text).map(Double.init)
    }
  }

  /// The range for people.
  var range: String {
    switch value {
    case .number(let range), .share(let range), .ratio(let range): Quantity.text(range)
    case .count(let range): "\(range.lowerBound) to \(range.upperBound), a whole number"
    case .duration(let least, let most): "\(least) to \(most)"
    case .flag: "`true` or `false`"
    case .word(let words): words.map { "`\($0)`" }.joined(separator: ", ")
    }
  }
}

extension ClosedRange {
  fileprivate func keep(_ value: Bound) -> Bound? { contains(value) ? value : nil }
}

extension PolicyParameter {
  /// AutoScale on concurrency by Knative's rules. Its defaults are passed on, so what this table
  /// says is what is simulated.
  static let knative: [PolicyParameter] = [
    PolicyParameter(
      name: "target", value: .number(0.01...1e6), fallback: .none,
      about: "requests in flight that one instance should carry; never above the service's "
        + "`concurrency`, which it is by default"),
    PolicyParameter(
      name: "utilisation", value: .share(0.01...1), fallback: config("0.7"),
      about: "share of `target` that is aimed at"),
    PolicyParameter(
      name: "window", value: .duration(least: "6s", most: "1h"), fallback: config("60s"),
      about: "stable window, over which concurrency is averaged"),
    PolicyParameter(
      name: "panic_window", value: .share(0.01...1), fallback: config("10%"),
      about: "panic window, as a share of `window`; whole seconds, at least one"),
    PolicyParameter(
      name: "panic_threshold", value: .ratio(1.1...10), fallback: config("200%"),
      about: "instances that the panic window asks for ÷ ready ones, at which panic begins: the "
        + "larger answer of both windows counts, and nothing shrinks, until a stable window has "
        + "passed without another reason"),
    PolicyParameter(
      name: "max_up_rate", value: .number(1.01...1e6), fallback: config("1000"),
      about: "wanted ÷ ready instances of one decision, at most"),
    PolicyParameter(
      name: "max_down_rate", value: .number(1.01...1e6), fallback: config("2"),
      about: "ready ÷ wanted instances of one decision, at most"),
    PolicyParameter(
      name: "scale_down_delay", value: .duration(least: "0s", most: "1h"), fallback: config("0s"),
      about: "fewer instances only when no decision of this time wanted more"),
    PolicyParameter(
      name: "grace_to_zero", value: .duration(least: "0s", most: "24h"), fallback: config("30s"),
      about: "how long the last instance stays when the service is to go to zero"),
    PolicyParameter(
      name: "weighted", value: .flag,
      fallback: .published("false", source: "Knative serving: metric-aggregation-algorithm linear"),
      about: "whether new seconds of a window weigh more than old ones; its windows end a second "
        + "earlier, with the newest that a tick can know"),
  ]

  private static func config(_ text: String) -> Default {
    .published(text, source: "Knative serving: config-autoscaler")
  }
}
