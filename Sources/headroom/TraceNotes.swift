import Primitives
import Reporting
import Scenario
import Simulation
import Workload

/// What a run leaves out of the traces that its scenario names.
enum TraceNotes {
  static func all(_ document: ScenarioDocument, _ traces: TraceLibrary) -> [String] {
    let notes = document.services.compactMap { section -> String? in
      guard let trace = traces.trace(of: section.name), trace.lengthSeconds > 0 else { return nil }
      if let parts = traces.parts(of: section) {
        return partNote(parts, section, document.replications)
      }
      let length = Double(trace.lengthSeconds)
      let left = trace.services.reduce(0.0) {
        $0 + $1.demand.invocations(from: document.duration.seconds, to: length)
      }
      guard left >= 1 else { return nil }
      return "the trace of `\(section.name)` lasts \(TextForm.time(seconds: length)) and the run "
        + "\(TextForm.time(seconds: document.duration.seconds)): "
        + "\(TextForm.grouped(Int(left.rounded()))) of its "
        + "\(TextForm.grouped(Int(clamping: trace.invocations))) invocations come later"
    }
    // Sections that replay the same parts say the same.
    return notes.enumerated().filter { notes.firstIndex(of: $1) == $0 }.map(\.element)
  }

  private static func partNote(
    _ parts: Int, _ section: ServiceSection, _ replications: Int
  ) -> String {
    let file = section.arrivals.trace?.file ?? ""
    let all = "`\(file)` is replayed in \(parts) parts, one a replication"
    if replications == parts { return all + ": each once" }
    if replications < parts {
      return all + ": \(replications) of them, dealt by the seed; "
        + "`--replications \(parts)` replays the whole"
    }
    return all + ": some of them more than once"
  }
}
