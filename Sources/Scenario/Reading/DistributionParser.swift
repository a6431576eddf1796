import Primitives

/// Reads `lognormal(median: 50ms, sigma: 0.6)` and the like.
struct DistributionParser {
  struct Failure: Error {
    var message: String
    var help: String?
  }

  /// A distribution that can be written.
  struct Form {
    var name: String
    /// The parameters of each way to write it; the two of none have lists of their own kind.
    var parameters: [[String]] = []
    /// Whether the names of its parameters may be left out.
    var mayOmitNames = false
    var about: String
  }

  static let forms: [Form] = [
    Form(
      name: "constant", parameters: [["value"]], mayOmitNames: true,
      about: "always the same; a bare duration means this too"),
    Form(
      name: "exponential", parameters: [["mean"]], mayOmitNames: true, about: "without memory"),
    Form(
      name: "lognormal", parameters: [["median", "sigma"], ["mean", "sigma"], ["mean", "cv"]],
      about: "its logarithm is normal with deviation `sigma`; `cv` is deviation ÷ mean"),
    Form(
      name: "gamma", parameters: [["shape", "scale"], ["shape", "mean"]],
      about: "`shape` 1 is exponential"),
    Form(
      name: "weibull", parameters: [["shape", "scale"]],
      about: "`shape` below 1 has a heavier tail than exponential"),
    Form(
      name: "pareto", parameters: [["shape", "minimum"]], about: "a power law above `minimum`"),
    Form(
      name: "uniform", parameters: [["low", "high"]], mayOmitNames: true,
      about: "all values between two alike"),
    Form(name: "empirical", about: "one of the values that are listed, each alike"),
    Form(name: "mixture", about: "one of several, by weight"),
  ]
  static var names: [String] { forms.map(\.name) }

  /// Refuses parameters that the distribution does not have, and those that contradict others.
  private static func check(_ name: String, _ arguments: Arguments) throws(Failure) {
    guard let form = forms.first(where: { $0.name == name }), !form.parameters.isEmpty else {
      return
    }
    let (names, unnamed) = arguments.given
    let known = form.parameters.flatMap { $0 }
    for given in names where !known.contains(given) {
      throw Failure(
        message: "`\(name)` has no parameter `\(given)`", help: Nearest.hint(given, in: known))
    }
    if let twice = arguments.repeated {
      throw Failure(message: "`\(twice)` is given twice", help: "keep one of them")
    }
    let ways = form.parameters.map { "`\(name)(\($0.map { "\($0): …" }.joined(separator: ", ")))`" }
      .joined(separator: " or ")
    if let value = unnamed.first, !form.mayOmitNames {
      throw Failure(message: "`\(value)` has no name", help: "write " + ways)
    }
    let fits = form.parameters.contains { parameters in
      names.allSatisfy(parameters.contains) && names.count + unnamed.count <= parameters.count
    }
    guard fits else { throw Failure(message: "too many parameters", help: "write " + ways) }
  }

  static func parse(_ text: String) throws(Failure) -> DistributionSpec {
    try parse(Quantity.trim(Substring(text)), depth: 0)
  }

  private static func parse(_ text: Substring, depth: Int) throws(Failure) -> DistributionSpec {
    guard depth < 4 else { throw Failure(message: "nested too deeply", help: nil) }
    guard let open = text.firstIndex(of: "("), text.last == ")" else {
      // A bare duration is a constant.
      if let value = try? Quantity.nanoseconds(String(text)) {
        return .constant(Double(value) / 1e9)
      }
      throw Failure(
        message: "no distribution", help: Nearest.hint(String(text), in: names))
    }
    let name = String(Quantity.trim(text[..<open]))
    let arguments = split(text[text.index(after: open)...].dropLast())
    let reader = Arguments(arguments)
    try check(name, reader)
    switch name {
    case "constant": return .constant(try reader.seconds("value", at: 0))
    case "exponential": return .exponential(mean: try reader.positiveSeconds("mean", at: 0))
    case "lognormal": return try lognormal(reader)
    case "gamma": return try gamma(reader)
    case "weibull":
      return .weibull(
        shape: try reader.positive("shape"), scale: try reader.positiveSeconds("scale"))
    case "pareto":
      return .pareto(
        shape: try reader.positive("shape"), minimum: try reader.positiveSeconds("minimum"))
    case "uniform":
      let (low, high) = (try reader.seconds("low", at: 0), try reader.seconds("high", at: 1))
      guard low <= high else { throw Failure(message: "low is above high", help: nil) }
      return .uniform(low, high)
    case "empirical": return try empirical(arguments)
    case "mixture": return try mixture(arguments, depth: depth)
    default:
      throw Failure(message: "unknown distribution `\(name)`", help: Nearest.hint(name, in: names))
    }
  }

  private static func lognormal(_ reader: Arguments) throws(Failure) -> DistributionSpec {
    if reader.has("cv") {
      let (mean, cv) = (try reader.positiveSeconds("mean"), try reader.positive("cv"))
      let variance = Elementary.log(1 + cv * cv)
      return .lognormal(median: mean / (1 + cv * cv).squareRoot(), sigma: variance.squareRoot())
    }
    let sigma = try reader.positive("sigma", orZero: true, atMost: 10)
    if reader.has("mean") {
      let mean = try reader.positiveSeconds("mean")
      return .lognormal(median: mean * Elementary.exp(-sigma * sigma / 2), sigma: sigma)
    }
    return .lognormal(median: try reader.positiveSeconds("median"), sigma: sigma)
  }

  private static func gamma(_ reader: Arguments) throws(Failure) -> DistributionSpec {
    let shape = try reader.positive("shape")
    if reader.has("mean") {
      return .gamma(shape: shape, scale: try reader.positiveSeconds("mean") / shape)
    }
    return .gamma(shape: shape, scale: try reader.positiveSeconds("scale"))
  }

  private static func empirical(_ arguments: [Substring]) throws(Failure) -> DistributionSpec {
    var values: [Double] = []
    for argument in arguments {
      let text = argument.filter { $0 != "[" && $0 != "]" }
      guard let value = try? Quantity.nanoseconds(String(text)) else {
        throw Failure(message: "`\(text)` is no duration", help: nil)
      }
      values.append(Double(value) / 1e9)
    }
    guard !values.isEmpty else { throw Failure(message: "no values", help: nil) }
    return .empirical(values.sorted())
  }

  private static func mixture(
    _ arguments: [Substring], depth: Int
  ) throws(Failure) -> DistributionSpec {
    var parts: [(weight: Double, DistributionSpec)] = []
    for argument in arguments {
      guard let colon = argument.firstIndex(of: ":"),
        let weight = try? Quantity.number(String(argument[..<colon])), weight > 0, weight <= 1e9
      else {
        throw Failure(
          message: "`\(argument)` has no weight",
          help: "mixture(0.99: constant(1ms), 0.01: constant(20ms))")
      }
      let part = Quantity.trim(argument[argument.index(after: colon)...])
      parts.append((weight, try parse(part, depth: depth + 1)))
    }
    guard !parts.isEmpty else { throw Failure(message: "no parts", help: nil) }
    return .mixture(parts)
  }

  /// Splits at commas outside of brackets.
  static func split(_ text: Substring) -> [Substring] {
    var parts: [Substring] = []
    var depth = 0
    var start = text.startIndex
    for index in text.indices {
      switch text[index] {
      case "(", "[": depth += 1
      case ")", "]": depth -= 1
      case "," where depth == 0:
        parts.append(Quantity.trim(text[start..<index]))
        start = text.index(after: index)
      default: break
      }
    }
    let last = Quantity.trim(text[start...])
    if !last.isEmpty { parts.append(last) }
    return parts
  }

  /// Named arguments, or by position.
  struct Arguments {
    private let named: [String: Substring]
    private let positional: [Substring]
    /// A name that is given twice.
    private(set) var repeated: String?

    init(_ arguments: [Substring]) {
      var named: [String: Substring] = [:]
      var positional: [Substring] = []
      for argument in arguments {
        if let colon = argument.firstIndex(of: ":") {
          let name = String(Quantity.trim(argument[..<colon]))
          if named[name] != nil { repeated = name }
          named[name] = Quantity.trim(argument[argument.index(after: colon)...])
        } else {
          positional.append(argument)
        }
      }
      self.named = named
      self.positional = positional
    }

    func has(_ name: String) -> Bool { named[name] != nil }

    /// What was given: names in order, and values without a name.
    var given: (names: [String], unnamed: [Substring]) { (named.keys.sorted(), positional) }

    func value(_ name: String) -> String? { named[name].map(String.init) }

    private func text(_ name: String, at position: Int?) throws(Failure) -> String {
      if let value = named[name] { return String(value) }
      if let position, position < positional.count { return String(positional[position]) }
      throw Failure(message: "`\(name)` is missing", help: "write `\(name): …` in the brackets")
    }

    func seconds(_ name: String, at position: Int? = nil) throws(Failure) -> Double {
      let text = try text(name, at: position)
      guard let value = try? Quantity.nanoseconds(text) else {
        throw Failure(message: "`\(text)` is no duration", help: "for example `20ms`")
      }
      return Double(value) / 1e9
    }

    func positiveSeconds(_ name: String, at position: Int? = nil) throws(Failure) -> Double {
      let value = try seconds(name, at: position)
      guard value > 0 else { throw Failure(message: "`\(name)` must be above zero", help: nil) }
      return value
    }

    func positive(
      _ name: String, orZero: Bool = false, atMost most: Double = 1e6
    ) throws(Failure) -> Double {
      let text = try text(name, at: nil)
      guard let value = try? Quantity.number(text), value > 0 || (orZero && value == 0),
        value <= most
      else {
        throw Failure(
          message: "`\(text)` is no value of `\(name)`",
          help: "a number above zero, at most \(most)")
      }
      return value
    }
  }
}
