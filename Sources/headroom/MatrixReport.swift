import Planning
import Primitives
import Reporting
import ResultStore
import Simulation

/// What `rehearse --matrix` prints: a verdict for every domain and time.
struct MatrixReport {
  let domain: LossTarget.Domain
  /// Nil: somebody has asked for an end.
  let outcome: LossMatrix.Outcome?
  let scenario: LoadedScenario
  let wallSeconds: Double
  let options: SimulationOptions

  private var cells: [LossTrial] { outcome?.cells ?? [] }

  private func verdict(of cell: LossTrial) -> ResultStore.Verdict? {
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
    if !stopped.isEmpty { return .stopped }
    return ExitStatus(judging: verdict)
  }

  /// Those that a condition has ended.
  private var stopped: [LossTrial] { cells.filter { $0.stopped != nil } }

  var text: String {
    guard let outcome else {
      return "INTERRUPTED: not all losses were simulated\nagain:   \(options.again)"
    }
    return """
      headroom \(ProgramVersion.text) · rehearse · \(scenario.document.name) · seed \
      \(scenario.document.seed) · \(cells.count) losses of a \(domain.rawValue), each judged over \
      \(LossTrial.over(scenario.document.replications))

      \(answer)
      \(TextForm.table(verdicts(outcome), left: 1))

      WHAT EACH DID
      \(TextForm.table(details, left: 3, notes: true))
      \(LossTrial.judgedText)

      \(TextForm.grouped(Int(clamping: outcome.executed))) events executed · \
      \(TextForm.time(seconds: wallSeconds))
      again:   \(options.again)
      """
  }

  private func time(_ instant: Instant) -> String {
    TextForm.time(seconds: (instant - .origin).seconds)
  }

  /// Domains by times.
  private func verdicts(_ outcome: LossMatrix.Outcome) -> [[String]] {
    let times = outcome.times
    return [[""] + times.map(time)]
      + outcome.targets.map { target in
        ["  \(target.name)"]
          + times.map { time in
            let cell = cells.first { $0.at == time && $0.target == target }
            return cell.flatMap(verdict)?.rawValue ?? "-"
          }
      }
  }

  private var details: [[String]] {
    let canStop = !scenario.document.stopWhen.isEmpty
    var names = [
      "", domain.rawValue, "verdict", "failed or refused", "calm", "shifted", "recovered",
      "processors",
      closedForm, "margin", "nearest to its limit", "not met",
    ]
    if canStop { names.append("stopped") }
    var rows = [names]
    for cell in cells {
      let row: [String] = [
        "  \(time(cell.at))", cell.target.name,
        verdict(of: cell)?.rawValue ?? "-", TextForm.percent(cell.badShare),
        TextForm.percent(cell.calmBadShare),
        cell.shiftedText, cell.recoveredText,
        cell.peakUtilisation.map { TextForm.percent($0) } ?? "-",
        cell.expectedUtilisation.map { TextForm.percent($0) } ?? "-",
        cell.marginText,
        cell.judged.nearest.map(\.objective.marginReason) ?? "-",
        cell.judged.filter { $0.verdict != .met }.map(Self.named).joined(separator: "; "),
      ]
      rows.append(row + (canStop ? [cell.stoppedText] : []))
    }
    return rows
  }

  /// An objective that is not met, and whether that is certain.
  private static func named(_ judged: JudgedObjective) -> String {
    judged.objective.text + (judged.verdict == .missed ? "" : " (undecided)")
  }

  /// What the calm use of processors is multiplied by where a domain is lost.
  private var closedForm: String {
    switch domain {
    case .zone: "calm × z/(z-1)"
    case .cluster: "calm × c/(c-1)"
    case .region: "calm, elsewhere"
    }
  }

  private var answer: String {
    let what = "the loss of any one \(domain.rawValue) at each of these times"
    let nearest = cells.filter { self.verdict(of: $0) == verdict && $0.judged.nearest != nil }
      .min { ($0.judged.nearest?.margin ?? .infinity) < ($1.judged.nearest?.margin ?? .infinity) }
    let margin = nearest.map { $0.judged.marginText(of: verdict) + $0.worstText }
    let line: String =
      switch verdict {
      case .met where !stopped.isEmpty:
        "NOT KNOWN whether it survives \(what), up to where losses were stopped" + (margin ?? "")
      case .met: "SURVIVES \(what)" + (margin ?? "")
      case .missed: "DOES NOT SURVIVE \(what)" + (margin ?? "")
      case .undecided: "UNDECIDED whether it survives \(what)"
      case nil: "NO OBJECTIVES, so nothing is judged"
      }
    guard !stopped.isEmpty else { return line }
    return line
      + "\nSTOPPED by `stop_when`: \(stopped.count) of \(cells.count) losses, each judged up to "
      + "there"
  }

  var summary: Summary {
    var summary = Summary(command: "rehearse", scenario, options)
    summary["verdict"] = verdict.map { .string($0.rawValue) } ?? .null
    summary["wall_seconds"] = .number(wallSeconds)
    summary["rehearsal"] = .object([
      "matrix": .array(cells.map { .object($0.json) })
    ])
    return summary
  }
}
