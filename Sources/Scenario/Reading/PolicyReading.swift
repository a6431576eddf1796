import Primitives

/// Reads policies: `knative(target: 10, window: 60s)`.
enum PolicyReading {
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
    check(arguments, fail)
    return knative { name in
      guard let parameter = PolicyParameter.knative.first(where: { $0.name == name }) else {
        return nil
      }
      guard let text = arguments.value(name) else {
        reader.noteDefault("scaling.\(name)", parameter.fallback)
        return parameter.fallback.text.flatMap { parameter.parse($0) }
      }
      let value = parameter.parse(text)
      if value == nil { fail("`\(name)` is `\(text)`", "write \(parameter.range)") }
      return value
    }
  }

  /// Refuses what is no parameter of the policy.
  private static func check(
    _ arguments: DistributionParser.Arguments, _ fail: (String, String?) -> Void
  ) {
    let (names, unnamed) = arguments.given
    if let value = unnamed.first {
      fail("`\(value)` has no name", "for example `knative(target: \(value))`")
    }
    if let twice = arguments.repeated { fail("`\(twice)` is given twice", "keep one of them") }
    let known = PolicyParameter.knative.map(\.name)
    for name in names where !known.contains(name) {
      fail("unknown parameter `\(name)`", Nearest.hint(name, in: known))
    }
  }

  /// - Parameter value: of a parameter, given or by default.
  private static func knative(_ value: (String) -> Double?) -> ScalingSection {
    func duration(_ name: String) -> Nanoseconds? { value(name).map { Nanoseconds(Int64($0)) } }
    var section = ScalingSection()
    section.target = value("target")
    section.utilisation = value("utilisation")
    section.window = duration("window")
    section.panicWindow = value("panic_window")
    section.panicThreshold = value("panic_threshold")
    section.maximumUpRate = value("max_up_rate")
    section.maximumDownRate = value("max_down_rate")
    section.scaleDownDelay = duration("scale_down_delay")
    section.graceToZero = duration("grace_to_zero")
    section.isWeighted = value("weighted") == 1
    return section
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
