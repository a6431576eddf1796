import Primitives

/// Reads policies: `knative(target: 10, window: 60s)`.
enum PolicyReading {
  static let knativeParameters = [
    "target", "utilisation", "window", "panic_window", "panic_threshold", "max_up_rate",
    "max_down_rate", "scale_down_delay", "grace_to_zero", "weighted",
  ]

  /// A service's scaling policy; nil where instances start on demand only.
  static func scaling(_ reader: inout FieldReader) -> ScalingSection? {
    if reader.isWord("scaling", "none", .assumed("none")) { return nil }
    guard let (text, mark) = reader.text("scaling", .none, .policy) else { return nil }
    let context = reader.context
    let fail = { (message: String, help: String?) in
      context.fail(
        .badPolicy, mark, length: text.count, "`\(text)`: \(message)", help: help)
    }
    let (name, arguments) = call(text)
    guard name == "knative" else {
      fail("no scaling policy", Nearest.hint(name, in: ["knative", "none"]))
      return nil
    }
    let (names, unnamed) = arguments.given
    if let value = unnamed.first {
      fail("`\(value)` has no name", "for example `knative(target: \(value))`")
    }
    for name in names where !knativeParameters.contains(name) {
      fail("unknown parameter `\(name)`", Nearest.hint(name, in: knativeParameters))
    }
    return knative(arguments, fail)
  }

  private static func knative(
    _ arguments: DistributionParser.Arguments, _ fail: (String, String?) -> Void
  ) -> ScalingSection {
    func value<Value: Comparable>(
      _ name: String, in range: ClosedRange<Value>, _ example: String,
      _ parse: (String) throws -> Value
    ) -> Value? {
      guard let text = arguments.value(name) else { return nil }
      guard let value = try? parse(text), range.contains(value) else {
        fail(
          "`\(name)` is `\(text)`",
          "between \(range.lowerBound) and \(range.upperBound), for example `\(name): \(example)`")
        return nil
      }
      return value
    }
    let duration = { (text: String) in Nanoseconds(try Quantity.nanoseconds(text)) }
    var section = ScalingSection()
    section.target = value("target", in: 0.01...1e6, "10", Quantity.number)
    section.utilisation = value("utilisation", in: 0.01...1, "70%", Quantity.share)
    section.window = value("window", in: .seconds(6)...(.seconds(3600)), "60s", duration)
    section.panicWindow = value("panic_window", in: 0.01...1, "10%", Quantity.share)
    section.panicThreshold = value("panic_threshold", in: 1.1...10, "200%", percentage)
    section.maximumUpRate = value("max_up_rate", in: 1.01...1e6, "1000", Quantity.number)
    section.maximumDownRate = value("max_down_rate", in: 1.01...1e6, "2", Quantity.number)
    section.scaleDownDelay = value("scale_down_delay", in: .zero...(.seconds(3600)), "0s", duration)
    section.graceToZero = value("grace_to_zero", in: .zero...(.seconds(86_400)), "30s", duration)
    section.isWeighted = value("weighted", in: "false"..."true", "true", { $0 }) == "true"
    return section
  }

  /// `200%` is 2.
  private static func percentage(_ text: String) throws -> Double {
    guard text.hasSuffix("%") else { return try Quantity.number(text) }
    return try Quantity.number(String(text.dropLast())) / 100
  }

  /// The name before the brackets and what is inside them.
  private static func call(
    _ text: String
  ) -> (name: String, arguments: DistributionParser.Arguments) {
    guard let open = text.firstIndex(of: "("), text.last == ")" else {
      return (text, DistributionParser.Arguments([]))
    }
    let inside = text[text.index(after: open)...].dropLast()
    let name = String(Quantity.trim(text[..<open]))
    return (name, DistributionParser.Arguments(DistributionParser.split(inside)))
  }
}
