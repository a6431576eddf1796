import Primitives

/// What must hold of the windows of time of one service: each opens and closes, and no two are open
/// at a time.
struct WindowRules {
  private struct Window {
    var index: Int
    var from: CronSchedule
    var to: CronSchedule
    var clock: CivilClock

    /// Whether it is open at a second, and until when that is so: open if and only if the next end
    /// comes no later than the next beginning.
    func state(at second: Int64) -> (isOpen: Bool, until: Int64) {
      let begins = clock.next(from, after: second) ?? .max
      let ends = clock.next(to, after: second) ?? .max
      return (ends <= begins && ends < .max, min(begins, ends))
    }
  }

  private static let origin = ScalingWindowSection.clock().origin
  /// Weekdays, days of months and months have met by then, but for leap days.
  private static let year: Int64 = 366 * 86_400
  /// Windows that open more often are looked at for a shorter time.
  private static let mostSteps = 10_000

  private let service: ServiceSection
  private let path: String
  private let document: ScenarioDocument
  private let context: ReadingContext

  init(
    _ service: ServiceSection, at path: String, in document: ScenarioDocument,
    _ context: ReadingContext
  ) {
    self.service = service
    self.path = path
    self.document = document
    self.context = context
  }

  func check() {
    var windows: [Window] = []
    for (index, section) in service.scalingWindows.enumerated() {
      guard let from = try? CronSchedule(section.from), let to = try? CronSchedule(section.to)
      else { continue }
      let window = Window(index: index, from: from, to: to, clock: section.clock)
      amount(section, at: index)
      guard opens(window) else { continue }
      if let other = windows.first(where: { meeting($0, window) != nil }),
        let second = meeting(other, window)
      {
        overlap(window, other, from: second)
      }
      windows.append(window)
    }
  }

  /// Whether the service may have as many instances as a window wants.
  private func amount(_ section: ScalingWindowSection, at index: Int) {
    let key = section.replicas == nil ? "floor" : "replicas"
    let wanted = section.replicas ?? section.floor ?? 0
    let raised = document.changes.compactMap { change -> Int? in
      guard case .limits(service.name, _, let most) = change.kind else { return nil }
      return most
    }
    let most = raised.reduce(service.maximumInstances, max)
    let at = "\(path).scaling_windows[\(index)].\(key)"
    guard context.isSound(at), context.isSound("\(path).instances.max"),
      context.isSound("\(path).instances.min")
    else { return }
    guard wanted > most else { return belowLeast(wanted, key, at: at) }
    context.fail(
      .inconsistent, at: at, else: service.mark,
      "service `\(service.name)`: the window wants \(wanted) instances, at most \(most) may be",
      help: "lower `\(key)` or raise `instances.max`")
  }

  /// A window that wants fewer instances than there always are changes nothing, or not as much.
  private func belowLeast(_ wanted: Int, _ key: String, at path: String) {
    let lowered = document.changes.compactMap { change -> Int? in
      guard case .limits(service.name, let least, _) = change.kind else { return nil }
      return least
    }
    let least = lowered.reduce(service.minimumInstances, min)
    guard wanted < least else { return }
    context.fail(
      .implausible, at: path, else: service.mark,
      "service `\(service.name)`: the window wants \(wanted) instances, and at least \(least) are "
        + "there",
      help: "raise `\(key)` or lower `instances.min`")
  }

  /// Whether it ever opens and closes; what does not is told.
  private func opens(_ window: Window) -> Bool {
    if window.from == window.to {
      fail(
        .inconsistent, window, "to", "the window ends whenever it begins, and never opens",
        help: "let `to` come after `from`")
      return false
    }
    for (key, schedule) in [("from", window.from), ("to", window.to)]
    where schedule.next(after: Self.origin - 1) == nil {
      fail(
        .inconsistent, window, key,
        "the window never \(key == "from" ? "opens" : "closes"): no day is that day",
        help: "as cron has them: minute, hour, day of the month, month, day of the week")
      return false
    }
    guard context.isSound("duration"), !isOpenWithinTheRun(window) else { return true }
    fail(
      .neverHappens, window, "from", "the window does not open before the run ends",
      help: "lengthen `duration`; second 0 is midnight of a Monday")
    return true
  }

  private func isOpenWithinTheRun(_ window: Window) -> Bool {
    let end = Self.origin + document.duration.count / 1_000_000_000
    var second = Self.origin
    for _ in 0..<Self.mostSteps where second < end {
      let (isOpen, until) = window.state(at: second)
      if isOpen { return true }
      second = until
    }
    return second < end
  }

  /// The first second at which both are open; nil: they never are.
  private func meeting(_ one: Window, _ other: Window) -> Int64? {
    var second = Self.origin
    for _ in 0..<Self.mostSteps where second < Self.origin + Self.year {
      let (mine, its) = (one.state(at: second), other.state(at: second))
      if mine.isOpen, its.isOpen { return second }
      second = min(mine.until, its.until)
    }
    return nil
  }

  private func overlap(_ window: Window, _ other: Window, from second: Int64) {
    let minute = (second - Self.origin) / 60
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let clock = "\(two(minute / 60 % 24)):\(two(minute % 60))"
    fail(
      .inconsistent, window, "from",
      "the window is open together with `scaling_windows[\(other.index)]`, for the first time "
        + "on day \(minute / 1440 + 1) at \(clock)",
      help: "let one close before the other opens, or make one of both")
  }

  private func fail(
    _ kind: Diagnostic.Kind, _ window: Window, _ key: String, _ message: String, help: String
  ) {
    context.fail(
      kind, at: "\(path).scaling_windows[\(window.index)].\(key)", else: service.mark,
      "service `\(service.name)`: \(message)", help: help)
  }
}
