import Planning
import Platform
import Primitives
import Reporting
import Scenario
import Simulation

// What faults do to messages, how they are called, and what was not seen.
extension RehearseReport {
  /// A fault with its time, its length, and how often it comes.
  static func text(_ fault: FaultSection) -> String {
    func time(_ length: Nanoseconds) -> String { TextForm.time(seconds: length.seconds) }
    var text = "\(fault.title) at \(time(fault.at))"
    if let length = fault.restartAfter { text += " for \(time(length))" }
    if fault.times > 1 { text += ", \(fault.times) times, every \(time(fault.every))" }
    return text
  }

  /// What the runs are too short for: faults that are not over, or only just.
  var unseen: [String] {
    guard let first = pairs.first, stop == nil else { return [] }
    let end = study.judged.upperBound
    let interval = first.faulted.configuration.seriesInterval
    return document.faults.compactMap { fault in
      guard let last = fault.beginnings.last, let length = fault.restartAfter else { return nil }
      let over = Instant.origin + last + length
      guard over + interval > end else { return nil }
      let when = TextForm.time(seconds: (end - .origin).seconds)
      return over >= end
        ? "how it recovers from \(fault.title), which is not over at \(when), when judging ends"
        : "how it recovers from \(fault.title), which is over "
          + "\(TextForm.time(seconds: (end - over).seconds)) before judging ends at \(when)"
    }
  }

  var judgedWhy: String {
    document.rehearsal == RehearsalSection()
      ? ": all after the warm-up" : ", as `rehearsal` says"
  }

  /// Empty where there are no topics.
  var messages: String {
    let all = pairs.map(RehearsalMessages.init)
    guard all.contains(where: { $0.produced > 0 }) else { return "" }
    func mean(_ value: (RehearsalMessages) -> Double) -> String {
      TextForm.number(Estimate(all.map(value)).value)
    }
    let rows = [
      [
        "  lost",
        "\(all.reduce(0) { $0 + $1.lost }) (checked: all that came is answered, deleted, put "
          + "aside, or in its log)",
      ],
      ["  late", mean { Double($0.late) } + ", longer than any of the calm twin"],
      [
        "  behind",
        mean { Double($0.peakLag) } + " at most, calm " + mean { Double($0.calmPeakLag) },
      ],
      ["  caught up", caughtUp(all)],
      ["  delivered again", mean { Double($0.redelivered) } + " more than calm"],
      ["  answered twice", mean { Double($0.repeated) } + " more than calm"],
      ["  deleted unanswered", mean { Double($0.expired) }],
      ["  dead letters", mean { Double($0.deadLettered) }],
    ]
    return "MESSAGES, mean of a run, of \(mean { Double($0.produced) }) that came\n"
      + TextForm.table(rows, left: 2, notes: true)
  }

  private func caughtUp(_ all: [RehearsalMessages]) -> String {
    let times = all.map(\.secondsToCatchUp)
    if times.allSatisfy({ $0 == 0 }) { return "never more behind than calm by a second's messages" }
    return times.contains { $0 != nil }
      ? "+ " + seconds(times, none: "not within the run") : "not within the run"
  }

  static func json(_ messages: RehearsalMessages) -> JSONValue {
    .object([
      "produced": JSONValue(Int(clamping: messages.produced)), "lost": JSONValue(messages.lost),
      "late": JSONValue(Int(clamping: messages.late)),
      "redelivered": JSONValue(messages.redelivered), "repeated": JSONValue(messages.repeated),
      "expired": JSONValue(Int(clamping: messages.expired)),
      "dead_lettered": JSONValue(Int(clamping: messages.deadLettered)),
      "calm_peak_lag": JSONValue(messages.calmPeakLag), "peak_lag": JSONValue(messages.peakLag),
      "seconds_to_catch_up": JSONValue(messages.secondsToCatchUp),
      "calm_attempts_per_request": JSONValue(messages.amplification?.calm),
      "attempts_per_request": JSONValue(messages.amplification?.faulted),
    ])
  }
}
