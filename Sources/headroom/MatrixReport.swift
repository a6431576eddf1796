import Planning
import Primitives
import Reporting
import ResultStore
import Simulation

/// What `rehearse --matrix` prints: a verdict for every zone and time.
struct MatrixReport {
  /// Nil: somebody has asked for an end.
  let outcome: ZoneMatrix.Outcome?
  let scenario: LoadedScenario
  let wallSeconds: Double
  let options: SimulationOptions

  private var cells: [ZoneLossTrial] { outcome?.cells ?? [] }

  private func verdict(of cell: ZoneLossTrial) -> ResultStore.Verdict? {
    ObjectiveVerdicts.overall(cell.judged)
  }

  var verdict: ResultStore.Verdict? {
    let all = cells.compactMap(verdict)
    guard outcome != nil, !all.isEmpty else { return nil }
    if all.contains(.missed) { return .missed }
    return all.contains(.undecided) ? .undecided : .met
  }

  var status: ExitStatus {
    guard outcome != nil else { return .interrupted }
    return ExitStatus(judging: verdict)
  }

  var text: String {
    guard let outcome else {
      return "INTERRUPTED: not all losses were simulated\nagain:   \(options.again)"
    }
    var rows = [
      [
        "", "zone", "verdict", "failed or refused", "calm", "recovered", "processors",
        "calm × z/(z-1)", "missed",
      ]
    ]
    for cell in cells {
      rows.append([
        "  \(TextForm.time(seconds: (cell.at - .origin).seconds))", cell.zone,
        verdict(of: cell)?.rawValue ?? "-", TextForm.percent(cell.badShare),
        TextForm.percent(cell.calmBadShare),
        cell.timeline.secondsToRecover.map { "+ " + TextForm.time(seconds: $0) } ?? "not",
        TextForm.percent(cell.peakUtilisation), TextForm.percent(cell.expectedUtilisation),
        cell.judged.filter { $0.verdict != .met }.map(\.objective.text).joined(separator: "; "),
      ])
    }
    return """
      headroom \(ProgramVersion.text) · rehearse · \(scenario.document.name) · seed \
      \(scenario.document.seed) · \(cells.count) losses of a zone

      \(answer)
      \(TextForm.table(rows, left: 3, notes: true))

      \(TextForm.grouped(Int(clamping: outcome.executed))) events executed · \
      \(TextForm.time(seconds: wallSeconds))
      again:   \(options.again)
      """
  }

  private var answer: String {
    switch verdict {
    case .met: "SURVIVES the loss of any one zone at each of these times"
    case .missed: "DOES NOT SURVIVE the loss of any one zone at each of these times"
    case .undecided: "UNDECIDED"
    case nil: "NO OBJECTIVES, so nothing is judged"
    }
  }

  var summary: Summary {
    var summary = Summary(command: "rehearse", scenario, options)
    summary["verdict"] = verdict.map { .string($0.rawValue) } ?? .null
    summary["wall_seconds"] = .number(wallSeconds)
    summary["rehearsal"] = .object([
      "matrix": .array(
        cells.map { cell in
          .object([
            "at_seconds": .number((cell.at - .origin).seconds), "zone": .string(cell.zone),
            "verdict": verdict(of: cell).map { .string($0.rawValue) } ?? .null,
            "bad_share": .number(cell.badShare), "calm_bad_share": .number(cell.calmBadShare),
            "seconds_to_recover": JSONValue(cell.timeline.secondsToRecover),
            "peak_utilisation": .number(cell.peakUtilisation),
            "expected_utilisation": .number(cell.expectedUtilisation),
          ])
        })
    ])
    return summary
  }
}
