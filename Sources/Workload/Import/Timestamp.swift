/// Dates of traces, without time zones: differences are all that counts.
enum Timestamp {
  /// `yyyy-MM-dd HH:mm:ss.fff…`, with a `T` or a blank between and perhaps a `Z`, as nanoseconds
  /// since 1970; nil for anything else.
  static func nanoseconds(_ bytes: ArraySlice<UInt8>) -> Int64? {
    var rest = bytes
    if rest.last == UInt8(ascii: "Z") { rest.removeLast() }
    guard let year = take(4, &rest, before: "-"), let month = take(2, &rest, before: "-"),
      let day = take(2, &rest, before: nil), (1...12).contains(month),
      (1...days(inMonth: month, of: year)).contains(day),
      let separator = rest.popFirst(), [UInt8(ascii: " "), UInt8(ascii: "T")].contains(separator),
      let hour = take(2, &rest, before: ":"), let minute = take(2, &rest, before: ":"),
      let second = take(2, &rest, before: nil), hour < 24, minute < 60, second < 61,
      let fraction = fraction(rest)
    else { return nil }
    let dayNumber = daysSince1970(year: year, month: month, day: day)
    return ((dayNumber * 24 + hour) * 60 + minute) * 60_000_000_000 + second * 1_000_000_000
      + fraction
  }

  private static func take(
    _ count: Int, _ rest: inout ArraySlice<UInt8>, before mark: Unicode.Scalar?
  ) -> Int64? {
    guard rest.count >= count else { return nil }
    var value: Int64 = 0
    for byte in rest.prefix(count) {
      guard byte >= 48, byte <= 57 else { return nil }
      value = value * 10 + Int64(byte - 48)
    }
    rest.removeFirst(count)
    if let mark {
      guard rest.popFirst() == UInt8(ascii: mark) else { return nil }
    }
    return value
  }

  /// Nanoseconds of `.fff…`; 0 for nothing.
  private static func fraction(_ bytes: ArraySlice<UInt8>) -> Int64? {
    guard let first = bytes.first else { return 0 }
    guard first == UInt8(ascii: "."), bytes.count > 1 else { return nil }
    var value: Int64 = 0
    var unit: Int64 = 100_000_000
    for byte in bytes.dropFirst() {
      guard byte >= 48, byte <= 57 else { return nil }
      value += Int64(byte - 48) * unit
      unit /= 10
    }
    return value
  }

  private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days of the Gregorian calendar, counted in eras of 400 years that begin in March.
  private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month > 2 ? year : year - 1
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
