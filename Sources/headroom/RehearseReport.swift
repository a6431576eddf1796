import Planning
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation
import Statistics

/// What `rehearse` prints.
struct RehearseReport {
  /// Nil: somebody has asked for an end.
  let outcome: RehearsalStudy.Outcome?
  let study: RehearsalStudy
  let scenario: LoadedScenario
  let wallSeconds: Double
  let options: SimulationOptions

  var document: ScenarioDocument { scenario.document }
  var pairs: [RehearsalStudy.Pair] { outcome?.pairs ?? [] }

  var verdict: ResultStore.Verdict? {
    outcome.flatMap { ObjectiveVerdicts.overall($0.faulted) }
  }

  var status: ExitStatus {
    guard outcome != nil else { return .interrupted }
    if stop != nil { return .stopped }
    return ExitStatus(judging: verdict)
  }

  /// The first condition that has ended a faulted run.
  var stop: StopReason? { pairs.compactMap(\.faulted.stopped).first }

  // MARK: Text

  var text: String {
    guard let outcome else {
      return [
        "INTERRUPTED: not all replications came to their end, so nothing is judged", header,
        "results: \(options.out)\nagain:   \(options.again)",
      ].joined(separator: "\n\n")
    }
    let harm = RehearsalHarm(pairs, document: document)
    return [
      header, answer(outcome), timeline, messages, retries, totals(harm), hurt(harm), zones(harm),
      clusters(harm), footer(outcome),
    ].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private var header: String {
    let count = study.replications
    return
      "headroom \(ProgramVersion.text) · rehearse · \(document.name) · seed \(document.seed) · "
      + "\(count) pair\(count == 1 ? "" : "s") of calm and faulted runs"
  }

  private func answer(_ outcome: RehearsalStudy.Outcome) -> String {
    let faults = document.faults.map(Self.text).joined(separator: ", ")
    let stopped = stop.map {
      "\nSTOPPED at \(TextForm.time(seconds: ($0.at - .origin).seconds)): \($0.text)"
    }
    let margin = outcome.faulted.marginText(of: verdict)
    let line: String =
      switch verdict {
      // What would have come is not known, and what has come was no harm.
      case .met where stop != nil:
        "NOT KNOWN whether it survives \(faults): every objective is met\(margin), up to where it "
          + "was stopped"
      case .met: "SURVIVES \(faults): every objective is met\(margin)"
      case .missed: "DOES NOT SURVIVE \(faults)\(margin)"
      case .undecided: "UNDECIDED whether it survives \(faults): more seeds are needed"
      case nil: "NO OBJECTIVES, so nothing is judged: \(faults)"
      }
    let rows = zip(outcome.faulted, outcome.calm).map { faulted, calm in
      [
        "  \(faulted.mark)", faulted.objective.text, faulted.valueText, "calm: \(calm.valueText)",
        faulted.note,
      ]
    }
    let table = rows.isEmpty ? "" : "\n" + TextForm.table(rows, left: 2, notes: true)
    return line + (stopped ?? "") + table
      + (refused.map { "\n  NOT COUNTED: \($0)" } ?? "")
      + unseen.map { "\n  NOT SEEN: \($0)" }.joined()
  }

  /// Requests that objectives about what failed leave out, where no other is about them.
  private var refused: String? {
    let terms = document.objectives.flatMap { [$0.numerator.measure, $0.denominator?.measure] }
    guard terms.contains(.failed),
      !terms.contains(where: { [.refused, .completed, .answered].contains($0) })
    else { return nil }
    func mean(_ outcomes: [RunOutcome]) -> Double {
      Estimate(
        outcomes.map { run in
          Double(run.collected.laneCounters.reduce(0) { $0 + $1.refused })
        }
      ).value
    }
    let (calm, faulted) = (mean(pairs.map(\.calm)), mean(pairs.map(\.faulted)))
    guard faulted > 0 else { return nil }
    return
      "`failed` leaves out what was turned away: \(TextForm.number(faulted)) refused in a run, "
      + "calm \(TextForm.number(calm)); an objective on `refused` or `completed` would count it"
  }

  /// A mean over the replications in which there was a value, with its interval.
  func seconds(_ values: [Double?], none: String) -> String {
    let there = values.compactMap { $0 }
    guard !there.isEmpty else { return none }
    let estimate = Estimate(there)
    var text = TextForm.time(seconds: estimate.value)
    if let half = estimate.halfWidth, half > 0 { text += " ± " + TextForm.time(seconds: half) }
    if there.count < values.count { text += " (\(none) in \(values.count - there.count))" }
    return text
  }

  private func totals(_ harm: RehearsalHarm) -> String {
    var rows = [["", "calm", "faulted", "difference"]]
    for line in harm.totals where (line.calm + line.faulted).contains(where: { $0 != 0 }) {
      rows.append([
        "  \(line.name)", TextForm.number(Estimate(line.calm).value),
        TextForm.number(Estimate(line.faulted).value), difference(line.differences),
      ])
    }
    return "WHAT BECAME OF REQUESTS AND MESSAGES, mean of a run\n" + TextForm.table(rows)
  }

  private func difference(_ values: [Double]) -> String {
    let mean = values.reduce(0, +) / Double(max(1, values.count))
    let text = (mean > 0 ? "+" : "") + TextForm.number(mean)
    guard let interval = try? MeanInterval.t(values) else { return text }
    return "\(text) ± \(TextForm.number(interval.high - interval.mean))"
  }

  private func hurt(_ harm: RehearsalHarm) -> String {
    func table(_ title: String, _ lines: [RehearsalHarm.Line]) -> String {
      let hurt = lines.filter { $0.differences.reduce(0, +) > 0 }.prefix(10)
      guard !hurt.isEmpty else { return "" }
      let rows = hurt.map { line in
        [
          "  \(line.name)", TextForm.percent(Estimate(line.calm).value),
          TextForm.percent(Estimate(line.faulted).value),
        ]
      }
      return "\(title): share of requests without an answer, calm and faulted\n"
        + TextForm.table(rows)
    }
    let tenants = harm.tenants.count > 1 ? table("HURT, by tenant", harm.tenants) : ""
    return [table("HURT, by service", harm.services), tenants, importance(harm)]
      .filter { !$0.isEmpty }
      .joined(separator: "\n\n")
  }

  /// All classes where any is hurt: who was spared is what they are for.
  private func importance(_ harm: RehearsalHarm) -> String {
    let lines = harm.importance
    guard lines.count > 1, lines.contains(where: { $0.differences.reduce(0, +) > 0 }) else {
      return ""
    }
    let rows = lines.map { line in
      [
        "  \(line.name)", TextForm.percent(Estimate(line.calm).value),
        TextForm.percent(Estimate(line.faulted).value),
      ]
    }
    return "HURT, by importance from 0, the most important, on: share of requests without an "
      + "answer, calm and faulted\n" + TextForm.table(rows)
  }

  private func zones(_ harm: RehearsalHarm) -> String {
    var rows = [
      [
        "", "processors, calm", "faulted",
        survivors.isEmpty ? "calm × z/(z-l)" : "calm × closed form", "least warm pods, calm",
        "faulted",
      ]
    ]
    for (zone, (use, pools)) in zip(harm.utilisation, harm.poolLevels).enumerated() {
      let calm = Estimate(use.calm).value
      rows.append([
        "  \(use.name)", TextForm.percent(calm), TextForm.percent(Estimate(use.faulted).value),
        // Where nothing computes there is nothing to multiply.
        harm.closedForms[zone].flatMap { calm > 0 ? TextForm.percent(calm * $0) : nil } ?? "-",
        TextForm.number(Estimate(pools.calm).value), TextForm.number(Estimate(pools.faulted).value),
      ])
    }
    return "ZONES: greatest use of processors in an interval while anything is wrong, least stock "
      + "after the strike; of the z zones of each service l are lost\n" + TextForm.table(rows)
  }

  /// Clusters that take over from others, which are lost.
  private var survivors: [ClusterLossForm.Survivor] {
    pairs.first.map { ClusterLossForm($0.faulted).survivors } ?? []
  }

  /// The greatest use of processors in a zone of a cluster.
  private func greatest(
    _ survivor: ClusterLossForm.Survivor, _ harm: RehearsalHarm,
    _ values: KeyPath<RehearsalHarm.Line, [Double]>
  ) -> Double {
    let zones = pairs.first?.calm.configuration.parts[survivor.cluster].zones ?? 0..<0
    return harm.utilisation[zones].map { Estimate($0[keyPath: values]).value }.max() ?? 0
  }

  private func clusters(_ harm: RehearsalHarm) -> String {
    guard !survivors.isEmpty else { return "" }
    var rows = [["", "processors, calm", "faulted", "calm × closed form", "closed form"]]
    for survivor in survivors {
      let calm = greatest(survivor, harm, \.calm)
      rows.append([
        "  \(survivor.path)", TextForm.percent(calm),
        TextForm.percent(greatest(survivor, harm, \.faulted)),
        TextForm.percent(calm * survivor.factor), TextForm.number(survivor.factor),
      ])
    }
    return "CLUSTERS that take over: the most used zone of each; the closed form is offered load "
      + "with the loss ÷ without\n" + TextForm.table(rows)
  }

  private func footer(_ outcome: RehearsalStudy.Outcome) -> String {
    """
    judged from \(TextForm.time(seconds: (study.judged.lowerBound - .origin).seconds)) to \
    \(TextForm.time(seconds: (study.judged.upperBound - .origin).seconds))\(judgedWhy)
    both runs of a pair part at \(TextForm.time(seconds: (study.parting - .origin).seconds)) \
    and meet the same draws
    \(TextForm.grouped(Int(clamping: outcome.executed))) events executed · \
    \(TextForm.time(seconds: wallSeconds))
    results: \(options.out) (runs named calm and fault)
    again:   \(options.again)
    """
  }

  // MARK: JSON

  var summary: Summary {
    var summary = Summary(command: "rehearse", scenario, options)
    summary["verdict"] = verdict.map { .string($0.rawValue) } ?? .null
    summary["wall_seconds"] = .number(wallSeconds)
    guard let outcome else {
      summary["status"] = .string("interrupted")
      return summary
    }
    summary["objectives"] = .array(outcome.faulted.map(\.json))
    let harm = RehearsalHarm(pairs, document: document)
    summary["rehearsal"] = .object([
      "parting_seconds": .number((study.parting - .origin).seconds),
      "judged_from_seconds": .number((study.judged.lowerBound - .origin).seconds),
      "judged_to_seconds": .number((study.judged.upperBound - .origin).seconds),
      "margin": JSONValue(outcome.faulted.nearest?.margin),
      "unseen": .array(unseen.map { .string($0) }),
      "messages": .array(pairs.map { Self.json(RehearsalMessages($0)) }),
      "retries": retriesJSON,
      "calm_objectives": .array(outcome.calm.map(\.json)),
      "timelines": .array(pairs.map { Self.json($0.timeline) }),
      "totals": Self.json(harm.totals), "services": Self.json(harm.services),
      "importance": Self.json(harm.importance), "tenants": Self.json(harm.tenants),
      "utilisation": .array(
        zip(harm.utilisation, harm.closedForms).map { line, factor in
          var object = Self.object(line)
          object["closed_form"] = JSONValue(factor)
          return .object(object)
        }),
      "least_warm_pods": Self.json(harm.poolLevels),
      "survivors": .array(
        survivors.map { survivor in
          .object([
            "cluster": .string(survivor.path), "factor": .number(survivor.factor),
            "calm_utilisation": .number(greatest(survivor, harm, \.calm)),
            "utilisation": .number(greatest(survivor, harm, \.faulted)),
          ])
        }),
    ])
    return summary
  }

  private static func json(_ lines: [RehearsalHarm.Line]) -> JSONValue {
    .array(lines.map { .object(object($0)) })
  }

  private static func object(_ line: RehearsalHarm.Line) -> JSONObject {
    [
      "name": .string(line.name), "calm": .array(line.calm.map { .number($0) }),
      "faulted": .array(line.faulted.map { .number($0) }),
    ]
  }
}
