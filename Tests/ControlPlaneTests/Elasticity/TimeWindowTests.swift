import Foundation
import Policies
import Primitives
import Testing

@Suite struct TimeWindowTests {
  /// Windows on clocks of their own: the same hour there is another one here.
  @Test func windowsHaveClocksOfTheirOwn() throws {
    let (from, to) = (try CronSchedule("0 9 * * *"), try CronSchedule("0 10 * * *"))
    let east = CivilClock(origin: 0, offsets: [.init(from: 0, seconds: 8 * 3600)])
    let windows = [
      TimeWindow(from: from, to: to, .floor(3)),
      TimeWindow(from: from, to: to, .floor(5), on: east),
    ]
    var policy = TimeWindowPolicy(windows, on: CivilClock(origin: 0))
    let wanted = (0..<12).map { hour in
      policy.desiredPods(ready: 0, at: .seconds(Int64(hour) * 3600 + 1))
    }
    #expect(wanted == [0, 5, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0])
  }

  /// The days of four centuries against Foundation's calendar.
  @Test func calendar() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
    for day in stride(from: Int64(-80_000), to: 80_000, by: 97) {
      let date = Date(timeIntervalSince1970: Double(day) * 86_400)
      let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: date)
      let found = CivilDay(daysSince1970: day)
      #expect(found.year == parts.year && found.month == parts.month && found.day == parts.day)
      #expect(found.weekday + 1 == parts.weekday)
    }
  }

  /// The next time of random schedules against every minute in turn.
  @Test func nextTimes() throws {
    var bits = Xoshiro256PlusPlus(seed: 5)
    func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
    for _ in 0..<60 {
      let minutes = ["*", "*/7", "5", "1,31-40", "50/3"][below(5)]
      let hours = ["*", "3", "8-18/2", "22,23"][below(4)]
      let days = ["*", "1-10", "*/3"][below(3)]
      let weekdays = ["*", "1-5", "7", "0,6"][below(4)]
      let text = "\(minutes) \(hours) \(days) * \(weekdays)"
      let schedule = try CronSchedule(text)
      let start = 1_700_000_000 + Int64(below(40_000_000))
      let found = try #require(schedule.next(after: start), "\(text)")
      let fields = [
        Self.field(minutes, 0...59), Self.field(hours, 0...23), Self.field(days, 1...31),
        Self.field(weekdays, 0...7),
      ]
      let isAnyDay = days.hasPrefix("*") || weekdays.hasPrefix("*")
      var minute = (start / 60 + 1) * 60
      while !Self.matches(minute, fields, isAnyDay: isAnyDay) { minute += 60 }
      #expect(found == minute, "\(text) after \(start)")
    }
  }

  private static func matches(_ second: Int64, _ fields: [[Bool]], isAnyDay: Bool) -> Bool {
    guard fields[0][Int(second / 60 % 60)], fields[1][Int(second / 3600 % 24)] else {
      return false
    }
    let day = CivilDay(daysSince1970: second / 86_400)
    let isWeekday = fields[3][day.weekday] || (day.weekday == 0 && fields[3][7])
    return isAnyDay ? fields[2][day.day] && isWeekday : fields[2][day.day] || isWeekday
  }

  /// Which values a field has, by listing them.
  private static func field(_ text: String, _ range: ClosedRange<Int>) -> [Bool] {
    var allowed = Array(repeating: false, count: range.upperBound + 1)
    for part in text.split(separator: ",") {
      let pieces = part.split(separator: "/")
      let step = pieces.count > 1 ? Int(pieces[1]) ?? 1 : 1
      let ends = pieces[0].split(separator: "-").compactMap { Int($0) }
      let low = pieces[0] == "*" ? range.lowerBound : ends[0]
      let isOpen = pieces[0] == "*" || (ends.count == 1 && pieces.count > 1)
      let high = isOpen ? range.upperBound : ends[ends.count - 1]
      for value in stride(from: low, through: high, by: step) { allowed[value] = true }
    }
    return allowed
  }

  @Test func badSchedules() throws {
    #expect(throws: CronSchedule.Invalid.fieldCount(4)) { try CronSchedule("* * * *") }
    for (index, text) in [
      "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
    ].enumerated() {
      #expect(throws: CronSchedule.Invalid.self, "\(index)") { try CronSchedule(text) }
    }
    for bad in ["x", "a", "1-", "-1", "5-1", "*/0", "1//2", "1,", "*-3"] {
      #expect(throws: CronSchedule.Invalid.field(0, bad)) { try CronSchedule("\(bad) * * * *") }
    }
    #expect(try CronSchedule("0 0 30 2 *").next(after: 0) == nil)
  }

  /// Windows of a working day, in a place where the clock goes forward and back.
  @Test func aWindowFollowsTheLocalClock() throws {
    // Central Europe: summer time from 2024-03-31 01:00 to 2024-10-27 01:00 universal time.
    let spring: Int64 = 1_711_846_800
    let autumn: Int64 = 1_729_990_800
    let clock = CivilClock(
      origin: spring - 86_400,
      offsets: [
        .init(from: 0, seconds: 3600), .init(from: spring, seconds: 7200),
        .init(from: autumn, seconds: 3600),
      ])
    let window = TimeWindow(
      from: try CronSchedule("0 8 * * *"), to: try CronSchedule("0 20 * * *"), .replicas(7))
    func state(_ unix: Int64) -> (isInside: Bool, until: Int64) {
      let (isInside, until) = window.state(at: .seconds(unix - clock.origin), on: clock)
      return (isInside, until.nanoseconds / 1_000_000_000 + clock.origin)
    }
    let midnight = spring - 7200
    for (day, offset) in [(midnight - 86_400, Int64(0)), (midnight + 86_400, -3600)] {
      #expect(state(day + offset + 8 * 3600 - 1) == (false, day + offset + 8 * 3600))
      #expect(state(day + offset + 8 * 3600) == (true, day + offset + 20 * 3600))
      #expect(state(day + offset + 20 * 3600 - 1).isInside)
      #expect(!state(day + offset + 20 * 3600).isInside)
    }
    // A time that the clock skips does not come that day; one that it repeats comes twice.
    let early = try CronSchedule("30 2 * * *")
    let skipping = TimeWindow(from: early, to: early, .floor(1))
    let first = skipping.state(at: .seconds(spring - 1800 - clock.origin), on: clock).until
    #expect(first == .seconds(spring + 86_400 - 1800 - clock.origin))
    // The clock goes from two to three, which is a time of this schedule.
    let three = try CronSchedule("0 3 * * *")
    let atOnce = TimeWindow(from: three, to: three, .floor(1))
    let forward = atOnce.state(at: .seconds(spring - 1800 - clock.origin), on: clock).until
    #expect(forward == .seconds(spring - clock.origin))
    let again = skipping.state(at: .seconds(autumn - 1800 - clock.origin), on: clock).until
    #expect(again == .seconds(autumn + 1800 - clock.origin))
  }

  /// The greatest of overlapping windows; a floor lets more through, a number does not.
  @Test func overlappingWindows() throws {
    let clock = CivilClock(origin: 0)
    func window(_ from: Int, _ to: Int, _ amount: TimeWindow.Amount) throws -> TimeWindow {
      TimeWindow(
        from: try CronSchedule("0 \(from) * * *"), to: try CronSchedule("0 \(to) * * *"), amount)
    }
    let base = CPUTargetTracking(.init(targetPercent: 50, podCPUMilli: 1000, maxPods: 100))
    var policy = TimeWindowPolicy(
      [
        try window(8, 12, .replicas(3)), try window(10, 14, .replicas(5)),
        try window(16, 18, .floor(8)), try window(20, 22, .floor(2)),
      ], on: clock, over: base)
    policy.observe(ScalingSample(cpuMilli: 2000), at: .origin)
    var byHour: [Int] = []
    for hour in 0..<Int64(24) {
      byHour.append(policy.desiredPods(ready: 4, at: .seconds(hour * 3600)))
    }
    var expected = Array(repeating: 4, count: 24)
    expected.replaceSubrange(8..<10, with: [3, 3])
    expected.replaceSubrange(10..<14, with: [5, 5, 5, 5])
    expected.replaceSubrange(16..<18, with: [8, 8])
    #expect(byHour == expected)
    #expect(policy.unchangedUntil(at: .seconds(23 * 3600)) == .seconds(32 * 3600))
    var alone = TimeWindowPolicy([try window(8, 12, .replicas(3))], on: clock)
    #expect(alone.desiredPods(ready: 0, at: .origin) == 0)
    #expect(alone.desiredPods(ready: 0, at: .seconds(9 * 3600)) == 3)
  }
}
