/// What comparisons with a file's expectations came to.
struct Comparison {
  /// Values that were compared with one of the file's.
  private(set) var compared = 0
  private(set) var differences: [String] = []

  init() {}

  private init(_ isAsExpected: Bool, _ difference: @autoclosure () -> String) {
    compared = 1
    if !isAsExpected { differences = [difference()] }
  }

  static func same<Value: Equatable>(
    _ what: String, _ found: Value, _ expected: Value
  ) -> Comparison {
    Comparison(found == expected, "\(what): \(found) instead of \(expected)")
  }

  static func close(
    _ what: String, _ found: Double, _ expected: Double, relative: Double
  ) -> Comparison {
    Comparison(
      abs(found - expected) <= relative * max(abs(expected), 1e-300),
      "\(what): \(found) instead of \(expected)")
  }

  /// Equal to the last digit that the file prints.
  static func printed(
    _ what: String, _ found: Double, _ expected: VectorValue
  ) throws -> Comparison {
    let value = try expected.double()
    let allowed = try 0.5 * expected.lastDigit() * (1 + 1e-9)
    return Comparison(abs(found - value) <= allowed, "\(what): \(found) instead of \(value)")
  }

  static func within(
    _ what: String, _ found: Double, _ expected: ClosedRange<Double>
  ) -> Comparison {
    Comparison(expected.contains(found), "\(what): \(found) is not in \(expected)")
  }

  static func holds(_ isTrue: Bool, _ difference: @autoclosure () -> String) -> Comparison {
    Comparison(isTrue, difference())
  }

  static func + (a: Comparison, b: Comparison) -> Comparison {
    var sum = a
    sum += b
    return sum
  }

  static func += (sum: inout Comparison, other: Comparison) {
    sum.compared += other.compared
    sum.differences += other.differences
  }
}

extension Sequence {
  /// The comparisons of all elements together.
  func comparing(_ body: (Element) throws -> Comparison) rethrows -> Comparison {
    try reduce(into: Comparison()) { $0 += try body($1) }
  }
}
