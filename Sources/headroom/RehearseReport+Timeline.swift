import Planning
import Primitives
import Reporting
import Simulation

// When what happened: from the first fault, and where there are several by each of them.
extension RehearseReport {
  /// Why nothing of the faults' end is told.
  private var notOver: String {
    stop == nil ? "not within the run" : "not before the run was stopped"
  }

  /// A time since the strike; a word where there is none.
  private func since(_ values: [Double?], _ none: String) -> String {
    values.contains { $0 != nil } ? "+ " + seconds(values, none: none) : none
  }

  /// Who found out, where all replications say the same.
  private func detector(_ courses: [FaultCourse]) -> String {
    let known = courses.compactMap(\.detector)
    guard let first = known.first, known.allSatisfy({ $0 == first }) else { return "" }
    return ", by \(first)"
  }

  var timeline: String {
    let lines = pairs.map(\.timeline)
    let strike = lines.first?.strike ?? .origin
    let worst = lines.map(\.secondsDegraded)
    let firsts = lines.compactMap { line in
      line.faults.first { $0.detected != nil && $0.detected == line.detected }
    }
    let rows = [
      ["  steady", "up to \(TextForm.time(seconds: (strike - .origin).seconds))"],
      [
        "  detected",
        since(lines.map(\.secondsToDetect), "by nobody that the model tells of")
          + detector(firsts),
      ],
      ["  shifted", since(lines.map(\.secondsToShift), "not at all")],
      ["  fault over", since(lines.map(\.secondsToEnd), notOver)],
      [
        "  degraded",
        worst.allSatisfy { $0 == 0 } ? "never" : seconds(worst, none: "never") + " in all",
      ],
      ["  recovered", since(lines.map(\.secondsToRecover), "not within the run")],
    ]
    let several = (lines.first?.faults.count ?? 0) > 1
    return "TIMELINE from the first fault, mean over seeds ± its 95 % interval"
      + (several ? "; detected and shifted since the strike of the fault in question" : "") + "\n"
      + TextForm.table(rows, left: 2, notes: true) + (several ? "\n" + byFault(lines) : "")
      + phase(lines)
  }

  /// When the balancer asks everybody, on which it depends when it detects anything.
  private func phase(_ lines: [RehearsalTimeline]) -> String {
    guard let health = pairs.first?.faulted.configuration.balancer?.health,
      let first = lines.first?.faults.first(where: { $0.detector == FaultCourse.balancer })
    else { return "" }
    let soonest = health.interval * Int64(health.unhealthyThreshold - 1) + health.timeout
    func time(_ length: Nanoseconds) -> String { TextForm.time(seconds: length.seconds) }
    let span = "\(time(soonest)) to \(time(soonest + health.interval))"
    let asks = "\n  the balancer asks every \(time(health.interval)), "
    guard let phase = document.parts.compactMap(\.cluster.balancer).first?.phase else {
      return asks + "from a moment on that is drawn by cluster and replication: it detects after "
        + span
    }
    let interval = health.interval.count
    let late = (interval - (first.strike.nanoseconds - phase.count) % interval) % interval
    let question =
      late == 0 ? "as a question goes out" : "\(time(Nanoseconds(late))) before a question"
    return asks + "and this strikes \(question): at other instants it detects after \(span)"
  }

  /// Faults that are told one by one, at most.
  private static let toldFaults = 12

  private func byFault(_ lines: [RehearsalTimeline]) -> String {
    let courses = lines.map(\.faults)
    guard let first = courses.first else { return "" }
    var rows = [["  each fault, since its own strike", "at", "detected", "shifted", "over"]]
    for index in first.indices.prefix(Self.toldFaults) {
      let same = courses.compactMap { $0.indices.contains(index) ? $0[index] : nil }
      rows.append([
        "  " + first[index].name,
        TextForm.time(seconds: (first[index].strike - .origin).seconds),
        since(same.map(\.secondsToDetect), "by nobody") + detector(same),
        since(same.map(\.secondsToShift), "not at all"),
        since(same.map(\.secondsToEnd), notOver),
      ])
    }
    let more = first.count - Self.toldFaults
    return TextForm.table(rows, left: 5)
      + (more > 0 ? "\n  and \(more) more, in the results" : "")
  }

  static func json(_ line: RehearsalTimeline) -> JSONValue {
    .object([
      "strike_seconds": .number((line.strike - .origin).seconds),
      "seconds_to_detect": JSONValue(line.secondsToDetect),
      "seconds_to_shift": JSONValue(line.secondsToShift),
      "seconds_to_fault_over": JSONValue(line.secondsToEnd),
      "seconds_degraded": .number(line.secondsDegraded),
      "seconds_to_recover": JSONValue(line.secondsToRecover),
      "degraded": .array(
        line.stretches.map { stretch in
          .object([
            "from_seconds": .number((stretch.lowerBound - .origin).seconds),
            "to_seconds": .number((stretch.upperBound - .origin).seconds),
          ])
        }),
      "faults": .array(
        line.faults.map { course in
          .object([
            "name": .string(course.name),
            "strike_seconds": .number((course.strike - .origin).seconds),
            "detected_by": JSONValue(course.detector),
            "seconds_to_detect": JSONValue(course.secondsToDetect),
            "seconds_to_shift": JSONValue(course.secondsToShift),
            "seconds_to_fault_over": JSONValue(course.secondsToEnd),
          ])
        }),
    ])
  }
}
