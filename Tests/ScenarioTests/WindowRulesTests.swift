import Primitives
import Testing

@testable import Scenario

/// Windows of time that mean nothing, or not what was meant.
@Suite struct WindowRulesTests {
  private static let one = #"{from: "50 8 * * 1-5", to: "0 10 * * 1-5", floor: 4}"#

  /// The sample over two days with these windows of `api`.
  private static func text(_ windows: String) -> String {
    Samples.valid.replacing("duration: 10m", with: "duration: 2d").replacing(
      "    scaling: knative(target: 10, window: 60s)",
      with: "    scaling: knative(target: 10, window: 60s)\n    scaling_windows: [\(windows)]")
  }

  private static func after(_ second: String) -> String { text("\(one), \(second)") }

  static let bad: [(text: String, kind: Diagnostic.Kind, message: String)] = [
    (
      after(#"{from: ▲"30 9 * * *", to: "0 11 * * *", replicas: 8}"#), .inconsistent,
      "the window is open together with `scaling_windows[0]`, for the first time on day 1 at 09:30"
    ),
    // Only on the first of a month that is a working day.
    (
      after(#"{from: ▲"0 9 1 * *", to: "5 9 1 * *", floor: 1}"#), .inconsistent,
      "the window is open together with `scaling_windows[0]`, for the first time on day 87 at 09:00"
    ),
    // Half past four in the morning there is half past nine here.
    (
      after(#"{from: ▲"30 4 * * *", to: "0 5 * * *", floor: 1, time_zone: "-05:00"}"#),
      .inconsistent,
      "the window is open together with `scaling_windows[0]`, for the first time on day 1 at 09:30"
    ),
    (
      text(#"{from: ▲"0 8 30 2 *", to: "0 9 * * *", floor: 1}"#), .inconsistent,
      "the window never opens: no day is that day"
    ),
    (
      text(#"{from: "0 8 * * *", to: ▲"0 9 31 4,6 *", floor: 1}"#), .inconsistent,
      "the window never closes: no day is that day"
    ),
    (
      text(#"{from: "0 8 * * 1-5", to: ▲"0 8 * * 1-5", floor: 1}"#), .inconsistent,
      "the window ends whenever it begins, and never opens"
    ),
    (
      text(#"{from: "0 8 * * *", to: "0 9 * * *", floor: ▲1001}"#), .inconsistent,
      "the window wants 1001 instances, at most 1000 may be"
    ),
    (
      text(#"{from: "0 8 * * *", to: "0 9 * * *", replicas: ▲2000}"#), .inconsistent,
      "the window wants 2000 instances, at most 1000 may be"
    ),
    (
      text(#"{from: "0 8 * * *", to: "0 9 * * *", replicas: ▲2}"#).replacing(
        "    keep_alive: fixed(60s)", with: "    keep_alive: fixed(60s)\n    instances: {min: 3}"),
      .implausible, "the window wants 2 instances, and at least 3 are there"
    ),
    (
      text(#"{from: ▲"0 8 * * 6", to: "0 9 * * 6", floor: 1}"#), .neverHappens,
      "the window does not open before the run ends"
    ),
  ]

  @Test(arguments: bad.indices)
  func eachHasItsError(index: Int) throws {
    let (marked, kind, message) = Self.bad[index]
    let (text, place) = Samples.placed(marked)
    let result = Samples.read(text)
    #expect((result.document == nil) == !kind.isWarning)
    // Beside it nothing but that a window opens after the run.
    #expect(result.errors.count == (kind.isWarning ? 0 : 1), "\(result.rendered)")
    let found = try #require(result.diagnostics.first { $0.kind == kind }, "\(message)")
    #expect(found.message == "service `api`: \(message)")
    #expect((found.line, found.column) == (place.line, place.column), "\(result.rendered)")
  }

  /// A window has one amount, and a clock that is a difference or universal time.
  @Test(arguments: [
    (
      #"{from: "0 8 * * *", to: "0 9 * * *", replicas: 3, floor: ▲2}"#,
      Diagnostic.Kind.inconsistent,
      "a window with `replicas` has no `floor`"
    ),
    (
      #"{from: "0 8 * * *", to: "0 9 * * *", floor: 2, time_zone: ▲Europe/Berln}"#, .badQuantity,
      "`Europe/Berln` is no time zone"
    ),
  ])
  func eachFieldHasItsError(window: String, kind: Diagnostic.Kind, message: String) throws {
    let (text, place) = Samples.placed(Self.text(window))
    let result = Samples.read(text)
    #expect(result.errors.map(\.message) == [message], "\(result.rendered)")
    let found = try #require(result.errors.first)
    #expect((found.kind, found.line, found.column) == (kind, place.line, place.column))
  }

  /// A schedule that is missing is no name.
  @Test func aMissingScheduleIsAskedFor() throws {
    for window in [#"{to: "0 9 * * *", floor: 1}"#, #"{from: "0 9 * * *", floor: 1}"#] {
      let result = Samples.read(Self.text(window))
      #expect(result.errors.map(\.kind) == [.missingKey], "\(result.rendered)")
      #expect(try #require(result.errors.first?.help).contains("five fields as cron has them"))
    }
  }

  /// `UTC` is the scenario's own clock, as is none at all.
  @Test func universalTimeIsTheScenariosClock() throws {
    for zone in ["", ", time_zone: UTC", ", time_zone: Z", #", time_zone: "+00:00""#] {
      let result = Samples.read(
        Self.text(#"{from: "0 8 * * *", to: "0 9 * * *", floor: 2\#(zone)}"#))
      let windows = try #require(result.document?.services[0].scalingWindows, "\(result.rendered)")
      #expect(windows.map(\.clock) == [ScalingWindowSection.clock()])
    }
    // Summer and winter may have a window each, too.
    let summer = #"{from: "0 8 * 4-10 *", to: "0 9 * 4-10 *", floor: 2, time_zone: "+02:00"}"#
    let winter =
      #"{from: "0 8 * 1-3,11,12 *", to: "0 9 * 1-3,11,12 *", floor: 2, time_zone: "+01:00"}"#
    let both = Samples.read(Self.text("\(summer), \(winter)"))
    #expect(both.errors.isEmpty, "\(both.rendered)")
  }

  /// A place's clock is an hour ahead in January, when second 0 is, and two in July.
  @Test func aPlaceHasItsClock() throws {
    let result = Samples.read(
      Self.text(#"{from: "0 8 * * *", to: "0 9 * * *", floor: 2, time_zone: Europe/Berlin}"#))
    let window = try #require(
      result.document?.services[0].scalingWindows.first, "\(result.rendered)")
    let eight = try CronSchedule(window.from)
    let midnight = window.clock.origin
    #expect(window.clock.next(eight, after: midnight) == midnight + 7 * 3600)
    #expect(
      window.clock.next(eight, after: midnight + 180 * 86_400) == midnight + 180 * 86_400 + 6 * 3600
    )
    // The nearest name is told.
    let wrong = Samples.read(
      Self.text(#"{from: "0 8 * * *", to: "0 9 * * *", floor: 2, time_zone: Europe/berlin}"#))
    #expect(wrong.rendered.contains("did you mean `Europe/Berlin`?"))
  }

  /// One that opens as another closes, one on other days, and one by another clock, are fine.
  @Test(arguments: [
    #"{from: "0 10 * * *", to: "0 11 * * *", replicas: 3}"#,
    #"{from: "0 9 * * 0,6", to: "0 10 * * 0,6", floor: 2}"#
      + #", {from: "0 22 * * *", to: "0 2 * * *", floor: 1}"#,
    #"{from: "30 9 * * *", to: "0 11 * * *", floor: 2, time_zone: "-05:00"}"#,
  ])
  func whatDoesNotMeetIsRead(windows: String) {
    let result = Samples.read(Self.after(windows))
    #expect(result.errors.isEmpty, "\(result.rendered)")
    #expect(result.document?.services[0].scalingWindows.count ?? 0 >= 2)
  }
}
