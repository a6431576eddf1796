import Planning
import ResultStore
import Scenario
import Simulation

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
