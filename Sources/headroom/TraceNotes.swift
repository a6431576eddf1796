import Primitives
import Reporting
import Scenario
import Simulation
import Workload

/// What a run leaves out of the traces that its scenario names.
enum TraceNotes {
  static func all(_ document: ScenarioDocument, _ traces: TraceLibrary) -> [String] {
    document.services.compactMap { section in
      guard let trace = traces.trace(of: section.name), trace.lengthSeconds > 0 else { return nil }
      let length = Double(trace.lengthSeconds)
      let left = trace.services.reduce(0.0) { $0 + later(than: document.duration, $1.demand) }
      guard left >= 1 else { return nil }
      return "the trace of `\(section.name)` lasts \(TextForm.time(seconds: length)) and the run "
        + "\(TextForm.time(seconds: document.duration.seconds)): "
        + "\(TextForm.grouped(Int(left.rounded()))) of its "
        + "\(TextForm.grouped(Int(clamping: trace.invocations))) invocations come later"
    }
  }

  /// Invocations after an instant; of the block in which it lies, its share.
  private static func later(than end: Nanoseconds, _ demand: TraceDemand) -> Double {
    switch demand {
    case .points(let points): return Double(points.count { $0.nanoseconds >= end.count })
    case .counts(let counts, let seconds):
      let width = Double(seconds)
      return counts.enumerated().reduce(0) { sum, item in
        let after = Double(item.offset + 1) * width - end.seconds
        return sum + Double(item.element) * min(1, max(0, after / width))
      }
    }
  }
}
