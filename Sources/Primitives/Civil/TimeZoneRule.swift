/// By how much the clocks of a place are ahead of universal time, with summer time by a rule that
/// is the same every year.
public struct TimeZoneRule: Sendable, Equatable {
  /// When clocks are put on or back: in a month the n-th (5: the last) of a day of the week.
  struct Change: Sendable, Equatable {
    var month: Int
    var week: Int
    /// 0 is Sunday.
    var weekday: Int
    /// After that day's midnight, by the clocks as they are before the change.
    var seconds: Int64

    /// That midnight, in seconds since 1970 of the place's own clock.
    func day(_ year: Int) -> Int64 {
      let first = CivilDay.daysSince1970(year, month, 1)
      let toWeekday = (weekday - CivilDay(daysSince1970: first).weekday + 7) % 7
      var day = first + Int64(toWeekday + 7 * (week - 1))
      if CivilDay(daysSince1970: day).month != month { day -= 7 }
      return day * 86_400
    }
  }

  /// Seconds ahead.
  let standard: Int64
  let summer: (seconds: Int64, begins: Change, ends: Change)?

  public static func == (a: Self, b: Self) -> Bool {
    a.standard == b.standard && a.summer?.seconds == b.summer?.seconds
      && a.summer?.begins == b.summer?.begins && a.summer?.ends == b.summer?.ends
  }

  /// As POSIX writes rules: `CET-1CEST,M3.5.0,M10.5.0/3`. Nil for what is none, or has days of the
  /// year in the place of weeks.
  public init?(posix text: String) {
    var rest = Substring(text)
    guard Self.skipName(&rest), let west = Self.time(&rest) else { return nil }
    standard = -west
    guard !rest.isEmpty else {
      summer = nil
      return
    }
    guard Self.skipName(&rest) else { return nil }
    // An hour ahead where nothing else is said.
    let ahead = rest.hasPrefix(",") ? standard + 3600 : Self.time(&rest).map { -$0 }
    let parts = rest.split(separator: ",")
    guard let ahead, rest.hasPrefix(","), parts.count == 2, let begins = Self.change(parts[0]),
      let ends = Self.change(parts[1])
    else { return nil }
    summer = (ahead, begins, ends)
  }

  /// Passes over letters, or anything in angle brackets.
  private static func skipName(_ rest: inout Substring) -> Bool {
    let before = rest.count
    if rest.first == "<", let end = rest.firstIndex(of: ">") {
      rest = rest[rest.index(after: end)...]
    } else {
      rest = rest.drop { $0.isLetter }
    }
    return rest.count < before
  }

  /// `-5:30`, in seconds.
  private static func time(_ rest: inout Substring) -> Int64? {
    let sign: Int64 = rest.first == "-" ? -1 : 1
    if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
    let end = rest.firstIndex { !$0.isNumber && $0 != ":" } ?? rest.endIndex
    let parts = rest[..<end].split(separator: ":").map { Int64($0) }
    rest = rest[end...]
    guard (1...3).contains(parts.count) else { return nil }
    var (seconds, unit) = (Int64(0), Int64(3600))
    for part in parts {
      guard let part else { return nil }
      seconds += part * unit
      unit /= 60
    }
    return sign * seconds
  }

  /// `M3.5.0/3`; at two where no time is said.
  private static func change(_ text: Substring) -> Change? {
    let parts = text.split(separator: "/")
    let numbers = parts.first?.dropFirst().split(separator: ".").map { Int($0) } ?? []
    guard text.first == "M", (1...2).contains(parts.count), numbers.count == 3,
      let month = numbers[0], let week = numbers[1], let weekday = numbers[2],
      (1...12).contains(month), (1...5).contains(week), (0...6).contains(weekday)
    else { return nil }
    guard parts.count == 2 else {
      return Change(month: month, week: week, weekday: weekday, seconds: 7200)
    }
    var rest = parts[1]
    guard let seconds = time(&rest), rest.isEmpty else { return nil }
    return Change(month: month, week: week, weekday: weekday, seconds: seconds)
  }

  /// By how much clocks are ahead from when on, in these years; the first also before. O(years).
  public func offsets(in years: ClosedRange<Int>) -> [CivilClock.Offset] {
    guard let summer else { return [CivilClock.Offset(from: 0, seconds: standard)] }
    var changes: [CivilClock.Offset] = []
    for year in years {
      let begin = summer.begins.day(year) + summer.begins.seconds - standard
      let end = summer.ends.day(year) + summer.ends.seconds - summer.seconds
      changes.append(CivilClock.Offset(from: begin, seconds: summer.seconds))
      changes.append(CivilClock.Offset(from: end, seconds: standard))
    }
    changes.sort { $0.from < $1.from }
    let before = changes[0].seconds == standard ? summer.seconds : standard
    let start = CivilDay.daysSince1970(years.lowerBound, 1, 1) * 86_400 - 86_400
    return [CivilClock.Offset(from: start, seconds: before)] + changes
  }
}
