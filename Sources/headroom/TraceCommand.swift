import ArgumentParser
import Foundation
import Reporting
import Simulation
import Workload

/// `headroom trace`: workloads that were measured.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Look at measured workloads, and make synthetic ones.",
    subcommands: [Describe.self, SynthTraceCommand.self, ReplayTraceCommand.self])

  /// `headroom trace describe`.
  struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "describe",
      abstract: "Say what a trace looks like: shares, peaks, dispersion, gaps, durations.")

    @Argument(
      help: """
        The trace: comma-separated values, plain or packed by gzip; with --against, a scenario.
        """)
    var file: String

    @Option(
      help: """
        Its form: azure2019, azure2021, requests, minutes, blocks or series; else from the header.
        """)
    var format: TraceFormat?

    @Option(help: "Name of the column of times, for requests and series.")
    var time = "timestamp"

    @Option(help: "Name of the column of services, for requests.")
    var service = "service"

    @Option(help: "Name of the column of durations, for requests.")
    var duration = "duration"

    @Option(help: "Name of the column of counts, for series.")
    var value = "value"

    @Option(help: "Length of a block in seconds, for blocks.")
    var block = 504 * 60

    @Option(help: "A file of durations by function, for azure2019.")
    var durations: String?

    @Option(help: "A file of memory by function or application, for azure2019.")
    var memory: String?

    @Option(help: "`published`: a scenario's synthetic services beside what is published.")
    var against: String?

    @Option(help: "Sets a field of the scenario.")
    var set: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
      if let against, against != "published" {
        throw ValidationError("--against is `published`")
      }
      if against == nil, !set.isEmpty { throw ValidationError("--set is for --against") }
      if !(1...31_536_000).contains(block) {
        throw ValidationError("--block is between 1 and 31536000 seconds")
      }
    }

    func run() throws {
      try conclude("trace describe", json: json) {
        if against != nil { return try describeScenario() }
        var request = TraceRequest(file: file)
        request.format = format
        request.columns.time = time
        request.columns.service = service
        request.columns.duration = duration
        request.columns.value = value
        request.blockSeconds = block
        request.durationsFile = durations
        request.memoryFile = memory
        let trace = try TraceReader(directory: "").read(request)
        let report = TraceReport(trace)
        return Conclusion(status: .fine, text: report.text, summary: report.summary)
      }
    }

    private func describeScenario() throws -> Conclusion {
      let document = try SynthTraceCommand.document(file, overrides: set)
      let report = SyntheticReport(description: SyntheticDescription(document), name: document.name)
      return Conclusion(
        status: report.agrees ? .fine : .objectiveMissed, text: report.text,
        summary: report.summary)
    }
  }
}

extension TraceFormat: ExpressibleByArgument {}
