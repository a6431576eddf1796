import ResultStore
import Scenario
import Simulation

/// Puts verdicts on objectives into a results file.
public struct ObjectiveRecording {
  let writer: ResultWriter

  public init(_ writer: ResultWriter) { self.writer = writer }

  /// - Parameters:
  ///   - run: that they are about; nil: all replications of an arm together.
  ///   - arm: of the study; empty where there is one.
  public func record(
    _ judged: [JudgedObjective], study: Int, run: Int? = nil, arm: String = ""
  ) throws(StoreError) {
    for (ordinal, objective) in judged.enumerated() {
      var row = ObjectiveRow(
        study: study, ordinal: ordinal, text: objective.objective.text,
        limitValue: objective.objective.limit, unit: objective.unit, verdict: objective.verdict)
      row.run = run
      row.arm = arm
      row.value = objective.value
      row.low = objective.interval?.low
      row.high = objective.interval?.high
      row.note = objective.note
      try writer.append(row)
    }
  }
}

extension JudgedObjective {
  /// Of value, interval and limit; empty for counts and ratios.
  public var unit: String {
    objective.numerator.measure.isTime && objective.denominator == nil ? "s" : ""
  }
}

/// Puts a size study into a results file: every size with its pools and measures, its runs with
/// their seeds and digests, and the verdicts of each run and of all runs of a size.
public struct SizeRecording {
  let writer: ResultWriter

  public init(_ writer: ResultWriter) { self.writer = writer }

  public func record(
    _ outcome: SizeStudy.Outcome, document: ScenarioDocument
  ) throws(StoreError) {
    for (index, candidate) in outcome.candidates.enumerated() {
      var row = SizeCandidateRow(candidate, document)
      row.chosen = outcome.smallest == index
      try writer.append(row)
      try pools(candidate, outcome.peaks)
      try measures(candidate)
      try runs(candidate, firstID: outcome.candidates[..<index].reduce(1) { $0 + $1.runs.count })
    }
  }

  private func pools(_ candidate: SizeCandidate, _ peaks: [PoolKey: Int]) throws(StoreError) {
    for key in candidate.pods.keys.sorted() {
      var pool = SizePoolRow(
        study: 1, percentage: candidate.percentage, runtime: key.runtime, shape: key.shape,
        zone: key.zone)
      pool.tenants = key.tenants
      pool.peakReady = peaks[key] ?? 0
      pool.pods = candidate.pods[key] ?? 0
      try writer.append(pool)
    }
  }

  private func measures(_ candidate: SizeCandidate) throws(StoreError) {
    for measure in candidate.measures {
      var result = SizeResultRow(
        study: 1, percentage: candidate.percentage, measure: measure.name, mean: measure.mean,
        seeds: measure.values.count)
      result.runtime = measure.runtime
      result.unit = measure.unit
      result.low = measure.interval?.low
      result.high = measure.interval?.high
      try writer.append(result)
    }
  }

  private func runs(_ candidate: SizeCandidate, firstID: Int) throws(StoreError) {
    let objectives = ObjectiveRecording(writer)
    for (ordinal, run) in candidate.runs.enumerated() {
      var row = run.row
      row.id = firstID + ordinal
      row.arm = candidate.arm
      try writer.append(row)
      try objectives.record(run.judged, study: 1, run: row.id, arm: candidate.arm)
    }
    try objectives.record(candidate.judged, study: 1, arm: candidate.arm)
  }
}

extension SizeCandidate {
  fileprivate var percentage: Double { percentages[0] * 100 }

  /// As it is named among the arms of the study.
  fileprivate var arm: String { "pool \(percentage) %" }
}

extension SizeCandidateRow {
  fileprivate init(_ candidate: SizeCandidate, _ document: ScenarioDocument) {
    self.init(study: 1, percentage: candidate.percentage, verdict: candidate.verdict)
    pods = candidate.totalPods
    for key in candidate.pods.keys.sorted() {
      guard let shape = document.shapes.first(where: { $0.name == key.shape }) else { continue }
      let pods = Double(candidate.pods[key] ?? 0)
      cpuCores += pods * Double(shape.cpuMilli) / 1000
      memoryMiB += pods * Double(shape.memoryBytes >> 20)
    }
    seeds = candidate.runs.count
  }
}
