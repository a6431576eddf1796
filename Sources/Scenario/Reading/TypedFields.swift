import Primitives

// Fields by what they hold. Each notes its value and origin, and complains about what it cannot
// use; then it yields something harmless, so that reading can go on to the next error.
extension FieldReader {
  static let anyNumber = 0...1e9
  static let anyCount = 0...1_000_000_000

  private mutating func quantity<Value>(
    _ key: String, _ kind: FieldKind, _ fallback: Default, _ zero: Value, _ example: String,
    _ parse: (String) throws(Quantity.Failure) -> Value
  ) -> Value {
    guard let (text, mark) = text(key, fallback, kind) else {
      if !has(key) { missing(key, "for example `\(key): \(example)`") }
      return zero
    }
    do {
      return try parse(text)
    } catch .unknownUnit(let unit, let known) {
      context.fail(
        .unknownUnit, at: child(key), else: mark, length: text.count,
        unit.isEmpty ? "`\(text)` has no unit" : "unknown unit `\(unit)` in `\(text)`",
        help: (unit.isEmpty ? nil : Nearest.hint(unit, in: known)) ?? "for example `\(example)`")
    } catch .outOfRange(let what) {
      context.fail(
        .outOfRange, at: child(key), else: mark, length: text.count,
        "`\(child(key))` is `\(text)`", help: what)
    } catch {
      context.fail(
        .badQuantity, at: child(key), else: mark, length: max(1, text.count),
        "`\(text)` is no value for `\(child(key))`", help: "for example `\(example)`")
    }
    return zero
  }

  /// A duration, not below a least one.
  mutating func duration(
    _ key: String, _ fallback: Default = .none, atLeast least: String = "0s"
  ) -> Nanoseconds {
    if least != "0s" { context.recorder?.bound(child(key), "at least \(least)") }
    let parse = { (text: String) throws(Quantity.Failure) in
      let value = try Quantity.nanoseconds(text)
      guard try value >= Quantity.nanoseconds(least) else { throw .outOfRange("at least \(least)") }
      return value
    }
    return Nanoseconds(quantity(key, .duration, fallback, 0, "10s", parse))
  }

  /// A duration, or a word for none.
  mutating func duration(_ key: String, orNever word: String, _ fallback: Default) -> Nanoseconds? {
    if isWord(key, word, fallback) { return nil }
    return duration(key, fallback)
  }

  mutating func bytes(_ key: String, _ fallback: Default = .none) -> Int64 {
    quantity(key, .bytes, fallback, 0, "256MiB", Quantity.bytes)
  }

  mutating func milliCores(_ key: String, _ fallback: Default = .none) -> Int64 {
    quantity(key, .cores, fallback, 0, "0.5", Quantity.milliCores)
  }

  mutating func rate(_ key: String, _ fallback: Default = .none) -> Double {
    quantity(key, .rate, fallback, 0, "120/s", Quantity.perSecond)
  }

  mutating func share(_ key: String, _ fallback: Default = .none) -> Double {
    quantity(key, .share, fallback, 0, "2%", Quantity.share)
  }

  mutating func number(
    _ key: String, _ fallback: Default = .none, in range: ClosedRange<Double> = anyNumber
  ) -> Double {
    if range != Self.anyNumber { context.recorder?.bound(child(key), Quantity.text(range)) }
    let parse = { (text: String) throws(Quantity.Failure) in
      let value = try Quantity.number(text)
      guard range.contains(value) else {
        throw .outOfRange("between \(range.lowerBound) and \(range.upperBound)")
      }
      return value
    }
    return quantity(key, .number, fallback, range.lowerBound, "1.5", parse)
  }

  mutating func count(
    _ key: String, _ fallback: Default = .none, in range: ClosedRange<Int> = anyCount,
    example: Int = 3
  ) -> Int {
    if range != Self.anyCount {
      context.recorder?.bound(child(key), "\(range.lowerBound) to \(range.upperBound)")
    }
    let parse = { (text: String) throws(Quantity.Failure) in
      try Quantity.count(text, in: range)
    }
    let shown = range.contains(example) ? example : range.lowerBound
    return quantity(key, .count, fallback, range.lowerBound, "\(shown)", parse)
  }

  /// A count, or `unlimited` for nil.
  mutating func limit(_ key: String, _ fallback: Default) -> Int? {
    if isWord(key, "unlimited", fallback) { return nil }
    return count(key, fallback)
  }

  /// Whether the value, or its default, is this word; if so it is noted.
  mutating func isWord(_ key: String, _ word: String, _ fallback: Default) -> Bool {
    context.recorder?.allow(child(key), word)
    if let tree = given(key) {
      guard case .scalar(word) = tree.content else { return false }
    } else if fallback.text != word {
      return false
    }
    _ = text(key, fallback)
    return true
  }

  mutating func string(
    _ key: String, _ fallback: Default = .none, help: String = "give it a name"
  ) -> String {
    guard let (text, mark) = text(key, fallback, .text) else {
      if !has(key) { missing(key, help) }
      return ""
    }
    if text.isEmpty, fallback == .none {
      context.fail(
        .missingKey, at: child(key), else: mark, "`\(child(key))` is empty", help: help)
    }
    return text
  }

  mutating func word(_ key: String, of words: [String], _ fallback: Default = .none) -> String {
    for word in words { context.recorder?.allow(child(key), word) }
    guard let (text, mark) = text(key, fallback, .word) else {
      if !has(key) { missing(key, "one of \(words.joined(separator: ", "))") }
      return words[0]
    }
    guard words.contains(text) else {
      context.fail(
        .unknownName, at: child(key), else: mark, length: text.count,
        "`\(text)` is no value of `\(child(key))`", help: Nearest.hint(text, in: words))
      return words[0]
    }
    return text
  }

  mutating func distribution(_ key: String, _ fallback: Default = .none) -> DistributionSpec {
    guard let (text, mark) = text(key, fallback, .distribution) else {
      if !has(key) { missing(key, "for example `exponential(mean: 20ms)`") }
      return .constant(0)
    }
    do {
      return try DistributionParser.parse(text)
    } catch {
      context.fail(
        .badDistribution, at: child(key), else: mark, length: text.count,
        "`\(text)`: \(error.message)", help: error.help)
      return .constant(0)
    }
  }

  mutating func optionalDistribution(_ key: String) -> DistributionSpec? {
    guard has(key) else {
      _ = tree(key, .distribution)
      return nil
    }
    return distribution(key)
  }
}
