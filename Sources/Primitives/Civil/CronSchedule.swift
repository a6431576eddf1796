/// A schedule of five fields, as `cron` has them: minute, hour, day of the month, month, day of the
/// week (0 and 7 are Sunday). A field is a list of `*`, `a`, `a-b`, each with `/step`.
///
/// Where both days are restricted, one that matches is enough.
public struct CronSchedule: Sendable, Equatable {
  public enum Invalid: Error, Equatable, Sendable {
    case fieldCount(Int)
    /// Position from 0, and what stands there.
    case field(Int, String)
  }

  private static let ranges = [0...59, 0...23, 1...31, 1...12, 0...7]

  /// One bit for each value of a field.
  private var bits: [UInt64] = []
  private var isAnyDay = false
  private var isAnyWeekday = false

  public init(_ text: String) throws(Invalid) {
    let fields = text.split(separator: " ")
    guard fields.count == Self.ranges.count else { throw .fieldCount(fields.count) }
    for (index, field) in fields.enumerated() {
      guard let mask = Self.mask(field, in: Self.ranges[index]) else {
        throw .field(index, String(field))
      }
      bits.append(mask)
    }
    if bits[4] >> 7 & 1 == 1 { bits[4] |= 1 }
    isAnyDay = fields[2].hasPrefix("*")
    isAnyWeekday = fields[4].hasPrefix("*")
  }

  private static func mask(_ field: Substring, in range: ClosedRange<Int>) -> UInt64? {
    var mask: UInt64 = 0
    for part in field.split(separator: ",", omittingEmptySubsequences: false) {
      let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
      guard let first = pieces.first, pieces.count <= 2 else { return nil }
      var step = 1
      if pieces.count == 2 {
        guard let told = Int(pieces[1]), told > 0 else { return nil }
        step = told
      }
      guard let values = values(first, in: range, isOpen: pieces.count == 2) else { return nil }
      for value in stride(from: values.lowerBound, through: values.upperBound, by: step) {
        mask |= 1 << UInt64(value)
      }
    }
    return mask
  }

  /// - Parameter isOpen: a single value with a step goes on to the end.
  private static func values(
    _ text: Substring, in range: ClosedRange<Int>, isOpen: Bool
  ) -> ClosedRange<Int>? {
    if text == "*" { return range }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard let first = ends.first, let low = first, range.contains(low) else { return nil }
    if ends.count == 1 { return low...(isOpen ? range.upperBound : low) }
    guard ends.count == 2, let high = ends[1], high >= low, range.contains(high) else {
      return nil
    }
    return low...high
  }

  private func allows(_ field: Int, _ value: Int) -> Bool {
    bits[field] >> UInt64(value) & 1 == 1
  }

  func allowsDay(_ day: CivilDay) -> Bool {
    guard allows(3, day.month) else { return false }
    let isDay = allows(2, day.day)
    let isWeekday = allows(4, day.weekday)
    return isAnyDay || isAnyWeekday ? isDay && isWeekday : isDay || isWeekday
  }

  /// The first whole minute of the schedule after a second of local time; nil when there is none in
  /// the next five years.
  ///
  /// - Parameter seconds: since 1970 began, where the clock shows local time.
  public func next(after seconds: Int64) -> Int64? {
    // The next whole minute.
    let minute = CivilDay.floored(seconds, 60) + 1
    let firstDay = CivilDay.floored(minute, 1440)
    for day in firstDay...(firstDay + 5 * 366) where allowsDay(CivilDay(daysSince1970: day)) {
      let begin = day == firstDay ? Int(minute - day * 1440) : 0
      for clock in begin..<1440 where allows(1, clock / 60) && allows(0, clock % 60) {
        return (day * 1440 + Int64(clock)) * 60
      }
    }
    return nil
  }
}

/// A day of the Gregorian calendar.
public struct CivilDay: Sendable, Equatable {
  public let year: Int
  /// 1 to 12.
  public let month: Int
  /// 1 to 31.
  public let day: Int
  /// 0 is Sunday.
  public let weekday: Int

  /// By eras of 400 years whose years begin in March. (H. Hinnant, "chrono-compatible low-level
  /// date algorithms", civil_from_days.)
  public init(daysSince1970 days: Int64) {
    let shifted = days + 719_468
    let era = Self.floored(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
    year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    weekday = Int(days + 4 - 7 * Self.floored(days + 4, 7))
  }

  /// The number of a day. (H. Hinnant, the same, days_from_civil.)
  public static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = Int64(month <= 2 ? year - 1 : year)
    let era = floored(shifted, 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  public static func floored(_ value: Int64, _ divisor: Int64) -> Int64 {
    value / divisor - (value % divisor < 0 ? 1 : 0)
  }
}
