import Primitives

/// A number with its unit, as people write it in a scenario.
enum Quantity {
  /// Why a text is no quantity.
  enum Failure: Error, Equatable {
    case notANumber
    case unknownUnit(String, known: [String])
    case outOfRange(String)
  }

  static let durationUnits: [(String, Double)] = [
    ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("min", 60e9),
    ("h", 3600e9), ("d", 86_400e9),
  ]
  static let byteUnits: [(String, Double)] = [
    ("B", 1), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("KiB", 1024),
    ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776),
  ]
  static let countUnits: [(String, Double)] = [("", 1), ("k", 1e3), ("M", 1e6), ("G", 1e9)]
  static let coreUnits: [(String, Double)] = [("", 1000), ("m", 1)]
  static let rateUnits: [(String, Double)] = [
    ("/s", 1), ("/m", 1 / 60.0), ("/min", 1 / 60.0), ("/h", 1 / 3600.0), ("/d", 1 / 86_400.0),
  ]

  /// Splits "1.5h" into 1.5 and "h". A number is decimal, finite, and has no spaces inside.
  private static func split(_ text: Substring) throws(Failure) -> (Double, Substring, Substring) {
    var end = text.startIndex
    var sawDigit = false
    while end < text.endIndex {
      let c = text[end]
      if c.isASCII && c.isNumber {
        sawDigit = true
      } else if c == "e" || c == "E" {
        // An exponent only if a digit or sign follows; else the unit begins here.
        let next = text.index(after: end)
        guard next < text.endIndex, text[next].isNumber || text[next] == "-" || text[next] == "+"
        else { break }
        end = next
      } else if c != "." && c != "_" && !(end == text.startIndex && (c == "-" || c == "+")) {
        break
      }
      end = text.index(after: end)
    }
    let digits = text[..<end].filter { $0 != "_" }
    guard sawDigit, let value = Double(digits), value.isFinite else { throw .notANumber }
    let rest = text[end...]
    let unit = rest.prefix { !$0.isNumber && $0 != "." && $0 != "-" }
    return (value, trim(unit), rest[unit.endIndex...])
  }

  private static func scaled(
    _ text: String, _ units: [(String, Double)], compound: Bool = false
  ) throws(Failure) -> Double {
    var rest = trim(Substring(text))
    guard !rest.isEmpty else { throw .notANumber }
    let first = rest
    var sum = 0.0
    repeat {
      let (value, unit, after) = try split(rest)
      guard let scale = units.first(where: { $0.0 == unit }) else {
        throw .unknownUnit(String(unit), known: units.map(\.0).filter { !$0.isEmpty })
      }
      guard value.sign == .plus || value == 0 || rest.startIndex == first.startIndex else {
        throw .notANumber
      }
      sum += value * scale.1
      rest = after
      if !compound && !rest.isEmpty { throw .notANumber }
    } while !rest.isEmpty
    return sum
  }

  static func nanoseconds(_ text: String) throws(Failure) -> Int64 {
    if trim(Substring(text)) == "0" { return 0 }
    let value = try scaled(text, durationUnits, compound: true).rounded()
    guard value >= 0 else { throw .outOfRange("a duration is not negative") }
    guard value < 9e18 else { throw .outOfRange("a duration is at most 285 years") }
    return Int64(value)
  }

  static func bytes(_ text: String) throws(Failure) -> Int64 {
    let value = try scaled(text, byteUnits).rounded()
    guard value >= 0, value < 9e18 else { throw .outOfRange("a size is between 0 and 8 EiB") }
    return Int64(value)
  }

  static func milliCores(_ text: String) throws(Failure) -> Int64 {
    let value = try scaled(text, coreUnits).rounded()
    guard value >= 0, value < 1e12 else { throw .outOfRange("cores are between 0 and a billion") }
    return Int64(value)
  }

  static func count(
    _ text: String, in range: ClosedRange<Int> = 0...1_000_000_000_000
  ) throws(Failure) -> Int {
    let value = try scaled(text, countUnits)
    guard value >= Double(range.lowerBound), value <= Double(range.upperBound) else {
      throw .outOfRange("between \(range.lowerBound) and \(range.upperBound)")
    }
    guard value == value.rounded() else { throw .outOfRange("a count is a whole number") }
    return Int(value)
  }

  static func number(_ text: String) throws(Failure) -> Double {
    try scaled(text, [("", 1), ("%", 0.01)])
  }

  /// Events a second: "120/s", "5k/s", "2/h".
  static func perSecond(_ text: String) throws(Failure) -> Double {
    var units: [(String, Double)] = []
    for (prefix, factor) in countUnits {
      for (unit, scale) in rateUnits { units.append((prefix + unit, factor * scale)) }
    }
    let value: Double
    do {
      value = try scaled(text, units)
    } catch .unknownUnit(let unit, _) {
      throw .unknownUnit(unit, known: rateUnits.map(\.0))
    } catch {
      throw error
    }
    guard value >= 0, value <= 1e12 else {
      throw .outOfRange("a rate is between 0 and 1e12 a second")
    }
    return value
  }

  /// A share from "2%" or "0.02".
  static func share(_ text: String) throws(Failure) -> Double {
    let value = try number(text)
    guard value >= 0, value <= 1 else { throw .outOfRange("a share is between 0 % and 100 %") }
    return value
  }

  /// More than all, perhaps: `200%` or 2.
  static func ratio(_ text: String) throws(Failure) -> Double {
    guard text.hasSuffix("%") else { return try number(text) }
    return try number(String(text.dropLast())) / 100
  }

  /// A number without a fraction that says nothing.
  static func plain(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }

  static func text(_ range: ClosedRange<Double>) -> String {
    "\(plain(range.lowerBound)) to \(plain(range.upperBound))"
  }

  static func trim(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return text
  }
}
