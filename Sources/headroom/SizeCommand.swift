import ArgumentParser
import Foundation
import Planning
import Platform
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation

/// `headroom size`: the smallest warm pool that meets the objectives.
struct SizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "size",
    abstract: "Find the smallest warm pool that meets the objectives, with intervals.")

  @OptionGroup var options: SimulationOptions

  @Option(help: "Pool sizes as percentages: a range `0.5%..5%` (steps of 0.5 points) or a list.")
  var pool = "0.5%..5%"

  @Option(help: "Judge only this window, from a fork at its start: `19h..21h`.")
  var window: String?

  func run() throws {
    try withExitCodes {
      Signals.shared.listen()
      let scenario = try LoadedScenario(options)
      let document = scenario.document
      guard !document.objectives.isEmpty else {
        throw CommandFailure(
          status: .badInput,
          message: "error[HR3010]: `\(scenario.file)` has no objectives, so no size can meet them\n"
            + "  = help: add for example `objectives: [\"pool_misses / pool_takes < 0.1%\"]`")
      }
      let replications = options.replications ?? max(8, document.replications)
      let study = SizeStudy(
        runner: ScenarioRunner(
          document, traces: scenario.traces, threads: options.threads,
          interruption: Signals.shared),
        percentages: try percentages(), replications: replications,
        window: try windowNanoseconds(document))
      let began = Date()
      let session = try ResultSession(options, command: "size", scenario: scenario)
      do {
        let outcome = try study.run { Output.progress($0) }
        Output.endProgress()
        if Signals.shared.isInterrupted {
          session.abandon()
          return .interrupted
        }
        try SizeRecording(session.writer).record(outcome, document: document)
        try session.close([], verdict: nil, isInterrupted: false)
        let report = SizeReport(
          outcome: outcome, study: study, document: document,
          wallSeconds: Date().timeIntervalSince(began), options: options)
        Output.result(report.text)
        return report.status
      } catch {
        session.abandon()
        throw error
      }
    }
  }

  private func percentages() throws -> [Double] {
    func share(_ text: Substring) throws -> Double {
      let digits = text.last == "%" ? text.dropLast() : text
      guard text.last == "%", let value = Double(digits), value >= 0, value <= 100 else {
        throw CommandFailure(
          status: .badInput,
          message:
            "error[HR3011]: `\(text)` is no percentage\n  = help: --pool 0.5%..5%, or 1%,2%,3%")
      }
      return value / 100
    }
    if let dots = pool.range(of: "..") {
      let (low, high) = (try share(pool[..<dots.lowerBound]), try share(pool[dots.upperBound...]))
      let steps = max(0, Int(((high - low) / 0.005 + 1e-9).rounded(.down)))
      return (0...steps).map { low + Double($0) * 0.005 }
    }
    return try pool.split(separator: ",").map(share).sorted()
  }

  private func windowNanoseconds(_ document: ScenarioDocument) throws -> Range<Int64> {
    guard let window else { return document.warmup.count..<document.duration.count }
    let parts = window.components(separatedBy: "..")
    let bounds = parts.compactMap { ScenarioReader.nanoseconds($0) }
    guard parts.count == 2, bounds.count == 2, bounds[0] < bounds[1],
      bounds[1] <= document.duration.count, bounds[0] % 1_000_000_000 == 0
    else {
      throw CommandFailure(
        status: .badInput,
        message: "error[HR3012]: `\(window)` is no window of this scenario\n"
          + "  = help: whole seconds within its duration, for example 19h..21h")
    }
    return bounds[0]..<bounds[1]
  }
}

/// Puts a size study into a results file.
struct SizeRecording {
  let writer: ResultWriter

  init(_ writer: ResultWriter) { self.writer = writer }

  func record(_ outcome: SizeStudy.Outcome, document: ScenarioDocument) throws(StoreError) {
    for (index, candidate) in outcome.candidates.enumerated() {
      let percentage = candidate.percentages[0] * 100
      var row = SizeCandidateRow(study: 1, percentage: percentage, verdict: candidate.verdict)
      row.pods = candidate.totalPods
      for (key, pods) in candidate.pods {
        guard let shape = document.shapes.first(where: { $0.name == key.shape }) else { continue }
        row.cpuCores += Double(pods) * Double(shape.cpuMilli) / 1000
        row.memoryMiB += Double(pods) * Double(shape.memoryBytes >> 20)
      }
      row.seeds = candidate.measures.first?.values.count ?? 0
      row.chosen = outcome.smallest == index
      try writer.append(row)
      for key in candidate.pods.keys.sorted() {
        var pool = SizePoolRow(
          study: 1, percentage: percentage, runtime: key.runtime, shape: key.shape, zone: key.zone)
        pool.peakReady = outcome.peaks[key] ?? 0
        pool.pods = candidate.pods[key] ?? 0
        try writer.append(pool)
      }
      for measure in candidate.measures {
        var result = SizeResultRow(
          study: 1, percentage: percentage, measure: measure.name, mean: measure.mean,
          seeds: measure.values.count)
        result.runtime = measure.runtime
        result.unit = measure.unit
        result.low = measure.interval?.low
        result.high = measure.interval?.high
        try writer.append(result)
      }
    }
  }
}

/// What `size` prints.
struct SizeReport {
  let outcome: SizeStudy.Outcome
  let study: SizeStudy
  let document: ScenarioDocument
  let wallSeconds: Double
  let options: SimulationOptions

  private var hasIntervals: Bool { study.replications >= 8 }

  var status: ExitStatus {
    if !hasIntervals || outcome.isUndecided { return .undecided }
    if outcome.smallest != nil { return .fine }
    return outcome.candidates.contains { $0.verdict == .undecided } ? .undecided : .objectiveMissed
  }

  private func percent(_ share: Double) -> String { TextForm.number(share * 100) + " %" }

  var verdict: String {
    if !hasIntervals {
      return "UNDECIDED  an interval takes at least 8 seeds; there were \(study.replications)"
    }
    if outcome.isUndecided {
      return "UNDECIDED  a smaller size's interval straddles an objective: more seeds are needed"
    }
    guard let smallest = outcome.smallest else {
      return "NO SIZE TRIED is shown to meet the objectives"
    }
    let candidate = outcome.candidates[smallest]
    return
      "SMALLEST WARM POOL  \(percent(candidate.percentages[0])) of the peak of ready pods, "
      + "\(candidate.totalPods) pods"
  }

  var text: String {
    var rows = [
      ["pool", "pods", "cold starts", "misses", "p99 start", "idle pod-hours", "objectives"]
    ]
    for candidate in outcome.candidates { rows.append(row(candidate, runtime: nil)) }
    var sections = [
      "headroom \(ProgramVersion.text) · size · \(document.name) · seed \(document.seed) · "
        + "\(study.replications) paired seeds",
      verdict, "ALL RUNTIMES, mean [95 % interval over seeds]\n" + TextForm.table(rows),
    ]
    for runtime in document.runtimes.map(\.name) {
      var rows = [["pool", "pods", "cold starts", "misses", "p99 start", "idle pod-hours"]]
      guard outcome.candidates.contains(where: { pods($0, runtime) > 0 }) else { continue }
      for candidate in outcome.candidates where takes(candidate, runtime) > 0 {
        rows.append(Array(row(candidate, runtime: runtime).dropLast()))
      }
      if rows.count > 1 { sections.append(runtime.uppercased() + "\n" + TextForm.table(rows)) }
    }
    sections.append(objectives)
    sections.append(
      """
      peak of ready pods from a first pass; \(past)
      \(TextForm.grouped(Int(outcome.executed))) events executed · \
      \(TextForm.time(seconds: wallSeconds))
      results: \(options.out)
      again:   headroom \(CommandLine.arguments.dropFirst().joined(separator: " "))
      """)
    return sections.joined(separator: "\n\n")
  }

  private func pods(_ candidate: SizeCandidate, _ runtime: String?) -> Int {
    candidate.pods.filter { runtime == nil || $0.key.runtime == runtime }.values.reduce(0, +)
  }

  private var past: String {
    let settling = TextForm.time(seconds: SizeStudy.settling.seconds)
    let fork = "each size is a fork of its seed, \(settling) before the window"
    guard outcome.parting > .origin else { return fork }
    let parting = TextForm.time(seconds: outcome.parting.seconds)
    return "seeds part at \(parting)\n\(fork)"
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
    let pods = pods(candidate, runtime)
    let sizes = candidate.percentages.map(percent).joined(separator: " = ")
    return [
      sizes, String(pods), cell("cold_starts"), cell("pool_misses"), cell("p99 start"),
      cell("idle_pod_hours"), candidate.verdict.rawValue,
    ]
  }

  private var objectives: String {
    var rows: [[String]] = []
    for candidate in outcome.candidates {
      for judged in candidate.judged {
        let bounds = judged.interval.map { ($0.low, $0.high) }
        rows.append([
          "  \(percent(candidate.percentages[0]))", judged.objective.text,
          judged.value.map { TextForm.interval($0, bounds) } ?? "no sample",
          judged.verdict.rawValue,
        ])
      }
    }
    return "OBJECTIVES by size\n" + TextForm.table(rows)
  }
}
