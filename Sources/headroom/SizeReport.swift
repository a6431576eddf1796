import Planning
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation

/// What `size` prints.
struct SizeReport {
  /// Nil: somebody has asked for an end before all sizes were simulated.
  let outcome: SizeStudy.Outcome?
  let study: SizeStudy
  let scenario: LoadedScenario
  let wallSeconds: Double
  let options: SimulationOptions

  var document: ScenarioDocument { scenario.document }
  var candidates: [SizeCandidate] { outcome?.candidates ?? [] }
  private var hasIntervals: Bool { study.replications >= 8 }

  /// Met: there is a size that is the smallest one.
  var verdict: ResultStore.Verdict? {
    guard let outcome else { return nil }
    if !hasIntervals || outcome.isUndecided { return .undecided }
    if outcome.smallest != nil { return .met }
    return candidates.contains { $0.verdict == .undecided } ? .undecided : .missed
  }

  var status: ExitStatus {
    switch verdict {
    case nil: .interrupted
    case .met: .fine
    case .missed: .objectiveMissed
    case .undecided: .undecided
    }
  }

  // MARK: Text

  var text: String {
    guard let outcome else {
      return [
        "INTERRUPTED: not all sizes were simulated, so none is judged", header,
        "results: \(options.out)\nagain:   \(options.again)",
      ].joined(separator: "\n\n")
    }
    return ([header, answer, overview] + runtimes + [objectives, footer(outcome)])
      .joined(separator: "\n\n")
  }

  private var header: String {
    "headroom \(ProgramVersion.text) · size · \(document.name) · seed \(document.seed) · "
      + "\(study.replications) paired seeds"
  }

  private func percent(_ share: Double) -> String { TextForm.number(share * 100) + " %" }

  private var answer: String {
    if !hasIntervals {
      return "UNDECIDED  an interval takes at least 8 seeds; there were \(study.replications)"
    }
    if outcome?.isUndecided == true {
      return "UNDECIDED  a smaller size's interval straddles an objective: more seeds are needed"
    }
    guard let smallest = outcome?.smallest else {
      return "NO SIZE TRIED is shown to meet the objectives"
    }
    let candidate = candidates[smallest]
    return
      "SMALLEST WARM POOL  \(percent(candidate.percentages[0])) of the peak of ready pods, "
      + "\(candidate.totalPods) pods"
  }

  /// Paths that not every cluster has.
  private var paths: [(measure: String, column: String)] {
    [("cold_starts_virtual", "cold: virtual node"), ("cold_starts_isolate", "cold: isolate")]
      .filter { path in
        candidates.contains { $0.measures.contains { $0.name == path.0 } }
      }
  }

  private var columns: [String] {
    ["pool", "pods", "cold: pool hit", "cold: fallback"] + paths.map(\.column)
      + ["misses", "p99 start", "idle pod-hours"]
  }

  private var overview: String {
    let rows = candidates.map { row($0, runtime: nil) + [$0.verdict.rawValue] }
    return "ALL RUNTIMES, mean [95 % interval over seeds]\n"
      + TextForm.table([columns + ["objectives"]] + rows)
  }

  /// A table for each runtime with a pool that something was taken from.
  private var runtimes: [String] {
    document.runtimes.map(\.name).compactMap { runtime in
      guard candidates.contains(where: { pods($0, runtime) > 0 }) else { return nil }
      let rows = candidates.filter { takes($0, runtime) > 0 }.map { row($0, runtime: runtime) }
      guard !rows.isEmpty else { return nil }
      return runtime.uppercased() + "\n" + TextForm.table([columns] + rows)
    }
  }

  private func pods(_ candidate: SizeCandidate, _ runtime: String?) -> Int {
    candidate.pods.filter { runtime == nil || $0.key.runtime == runtime }.values.reduce(0, +)
  }

  private func takes(_ candidate: SizeCandidate, _ runtime: String) -> Double {
    candidate.measures.first { $0.runtime == runtime && $0.name == "pool_takes" }?.mean ?? 0
  }

  private func row(_ candidate: SizeCandidate, runtime: String?) -> [String] {
    func cell(_ name: String) -> String {
      guard
        let measure = candidate.measures.first(where: { $0.runtime == runtime && $0.name == name })
      else { return "-" }
      func form(_ value: Double) -> String {
        measure.unit == "s" ? TextForm.time(seconds: value) : TextForm.number(value)
      }
      guard let interval = measure.interval else { return form(measure.mean) }
      return "\(form(measure.mean)) [\(form(interval.low)), \(form(interval.high))]"
    }
    let sizes = candidate.percentages.map(percent).joined(separator: " = ")
    return [
      sizes, TextForm.grouped(pods(candidate, runtime)), cell("cold_starts_pool"),
      cell("cold_starts_fallback"),
    ] + paths.map { cell($0.measure) }
      + [cell("pool_misses"), cell("p99 start"), cell("idle_pod_hours")]
  }

  private var objectives: String {
    let rows = candidates.flatMap { candidate in
      let size = "  " + percent(candidate.percentages[0])
      return candidate.judged.map {
        [size, $0.mark, $0.objective.text, $0.valueText, $0.note]
      }
    }
    return "OBJECTIVES by size\n" + TextForm.table(rows, left: 3, notes: true)
  }

  private func footer(_ outcome: SizeStudy.Outcome) -> String {
    let settling = TextForm.time(seconds: SizeStudy.settling.seconds)
    let parting =
      outcome.parting > .origin
      ? "seeds part at \(TextForm.time(seconds: outcome.parting.seconds))\n" : ""
    return """
      peak of ready pods from a first pass; \(parting)\
      each size is a fork of its seed, \(settling) before the window
      \(TextForm.grouped(Int(clamping: outcome.executed))) events executed · \
      \(TextForm.time(seconds: wallSeconds))
      results: \(options.out)
      again:   \(options.again)
      """
  }
}
