import Planning
import Primitives
import Reporting
import ResultStore
import Simulation

/// What `rehearse --find-worst` prints: the loss that hurts most, and the fault that reproduces it.
struct WorstReport {
  /// Nil: somebody has asked for an end.
  let outcome: WorstLoss.Outcome?
  let search: WorstLoss
  let scenario: LoadedScenario
  let wallSeconds: Double
  let options: SimulationOptions

  private var tried: [LossTrial] { outcome?.tried ?? [] }
  private var confirmed: [LossTrial] { outcome?.confirmed ?? [] }
  /// The fault that reproduces the worst loss; nil: none was tried.
  private var found: String? { outcome?.worst?.fault }

  var verdict: ResultStore.Verdict? {
    outcome?.worst.flatMap { ObjectiveVerdicts.overall($0.judged) }
  }

  var status: ExitStatus {
    guard let outcome else { return .interrupted }
    return outcome.worst?.stopped == nil ? ExitStatus(judging: verdict) : .stopped
  }

  var text: String {
    guard let outcome, let worst = outcome.worst else {
      return "INTERRUPTED: the search has not come to its end\nagain:   \(options.again)"
    }
    return """
      headroom \(ProgramVersion.text) · rehearse · \(scenario.document.name) · seed \
      \(scenario.document.seed) · \(tried.count) losses tried

      \(answer(worst))
      FOUND, at fidelity \(scenario.document.fidelity) over \
      \(LossTrial.over(scenario.document.replications))
      \(TextForm.table(foundRows, left: 2, notes: true))
      \(worstOfEach(outcome))
      SEARCHED, at fidelity \(search.fidelity) in the first replication, to \
      \(TextForm.time(seconds: WorstLoss.searchedAfterwards.seconds)) after the end: the ten worst
      \(TextForm.table(triedRows, left: 2, notes: true))

      REPRODUCED by this in the scenario
      faults:
        - \(worst.fault)\(rehearsal(worst))
      rehearse: \(reproducing(worst))
      which judges what was judged here, from \(time(worst.window.lowerBound)) to \
      \(time(worst.window.upperBound)), with the same verdict and margin

      \(LossTrial.judgedText)
      \(search.isWhole ? Self.wholeWindows : Self.cutWindows)
      a search uphill from the worst of the times that were tried first: another loss may hurt more
      \(TextForm.grouped(Int(clamping: outcome.executed))) events executed · \
      \(TextForm.time(seconds: wallSeconds))
      again:   \(options.again)
      """
  }

  private static let wholeWindows =
    "all but longer ones near the end over as long a time after their end: later losses, of which "
    + "less could be judged, were not tried"
  private static let cutWindows =
    "the run is too short to judge all over as long a time: of late losses less is judged, so that "
    + "a share of what was lost is larger there"

  private func answer(_ worst: LossTrial) -> String {
    let what =
      "\(worst.target.name) at \(TextForm.time(seconds: (worst.at - .origin).seconds)) for "
      + TextForm.time(seconds: worst.outage.seconds)
    let margin = worst.judged.marginText(of: verdict) + worst.worstText
    let line: String =
      switch verdict {
      case .met where worst.stopped != nil:
        "NOT KNOWN whether it survives the worst loss that was found, up to where it was stopped"
          + ": \(what)\(margin)"
      case .met: "SURVIVES the worst loss that was found: \(what)\(margin)"
      case .missed: "DOES NOT SURVIVE the loss of \(what)\(margin)"
      case .undecided: "UNDECIDED whether it survives the loss of \(what)"
      case nil: "NO OBJECTIVES, so nothing is judged; the worst loss that was found: \(what)"
      }
    return worst.stopped == nil ? line : line + "\nSTOPPED \(worst.stoppedText)"
  }

  private var foundRows: [[String]] {
    let canStop = !scenario.document.stopWhen.isEmpty
    let names = [
      "", "lost", "for", "without an answer", "more than calm", "recovered", "verdict", "margin",
    ]
    return [names + (canStop ? ["stopped"] : [])]
      + confirmed.map { foundRow($0) + (canStop ? [$0.stoppedText] : []) }
  }

  private func foundRow(_ trial: LossTrial) -> [String] {
    row(trial) + [
      trial.recoveredText, ObjectiveVerdicts.overall(trial.judged)?.rawValue ?? "-",
      trial.marginText,
    ]
  }

  private var triedRows: [[String]] {
    [["", "lost", "for", "without an answer", "more than calm"]] + tried.prefix(10).map(row)
  }

  private func row(_ trial: LossTrial) -> [String] {
    [
      "  \(time(trial.at))", trial.target.name, TextForm.time(seconds: trial.outage.seconds),
      TextForm.percent(trial.badShare), TextForm.number(trial.moreBad),
    ]
  }

  /// Where more than one kind of domain was lost, the worst of each kind.
  private func worstOfEach(_ outcome: WorstLoss.Outcome) -> String {
    let worst = outcome.worstOfEach
    guard worst.count > 1 else { return "" }
    let rows = worst.map { trial in
      [
        "  \(trial.target.domain.rawValue)", trial.target.name,
        "at \(TextForm.time(seconds: (trial.at - .origin).seconds))",
        "for \(TextForm.time(seconds: trial.outage.seconds))",
        "\(TextForm.number(trial.moreBad)) more than calm",
        ObjectiveVerdicts.overall(trial.judged)?.rawValue ?? "-",
      ]
    }
    return "\nTHE WORST OF EACH KIND\n" + TextForm.table(rows, left: 2, notes: true) + "\n"
  }

  /// The command that rehearses it, in the place of the scenario's own faults.
  private func reproducing(_ worst: LossTrial) -> String {
    var words = [CommandLine.arguments[0], "rehearse", options.scenario]
    words += ["--seed", "\(scenario.document.seed)", "--out", "worst.sqlite"]
    if let fidelity = options.fidelity { words += ["--fidelity", fidelity] }
    if let data = options.data { words += ["--data", data] }
    for override in options.overrides + worst.overrides(of: scenario.document) {
      words += ["--set", override]
    }
    return ShellWords.text(words)
  }

  private func time(_ instant: Instant) -> String {
    TextForm.time(seconds: (instant - .origin).seconds)
  }

  /// What else the scenario must say, as a line of its own.
  private func rehearsal(_ worst: LossTrial) -> String {
    let text = worst.rehearsal(of: scenario.document)
    return text.isEmpty ? "" : "\nrehearsal: \(text)"
  }

  var summary: Summary {
    var summary = Summary(command: "rehearse", scenario, options)
    summary["verdict"] = verdict.map { .string($0.rawValue) } ?? .null
    summary["wall_seconds"] = .number(wallSeconds)
    summary["rehearsal"] = .object([
      "fault": JSONValue(found),
      "judge": JSONValue(outcome?.worst?.rehearsal(of: scenario.document)),
      "search_fidelity": .string(search.fidelity),
      "confirmed": .array(confirmed.map { .object($0.json) }),
      "tried": .array(
        tried.map { trial in
          .object([
            "at_seconds": .number((trial.at - .origin).seconds),
            "domain": .string(trial.target.domain.rawValue), "name": .string(trial.target.name),
            "outage_seconds": .number(trial.outage.seconds),
            "bad_share": .number(trial.badShare), "more_bad": .number(trial.moreBad),
          ])
        }),
    ])
    return summary
  }
}
