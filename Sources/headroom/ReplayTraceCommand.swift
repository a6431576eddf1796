import ArgumentParser
import Foundation
import Planning
import Reporting
import Workload

/// `headroom trace replay`: a measured topic beside the model of it.
struct ReplayTraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Fit workers of a measured topic on its beginning and foretell lag and delay.",
    discussion: """
      Each file is a series `timestamp|value` by the second, of one run: messages produced, \
      workers, delay in milliseconds, and perhaps messages answered.
      """)

  @Option(help: "Messages produced in each second.")
  var produced: String

  @Option(help: "Workers in each second.")
  var workers: String

  @Option(help: "Mean end-to-end delay of what was answered in each second, milliseconds.")
  var delay: String

  @Option(help: "Messages answered in each second.")
  var consumed: String?

  @Option(help: "Seconds at the beginning that are fitted; the rest is foretold.")
  var fit = 3600

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try conclude("trace replay", json: json) {
      let topic = try MeasuredTopic.read(
        produced: produced, workers: workers, delay: delay, consumed: consumed)
      guard fit >= 60, fit < topic.seconds else {
        throw CommandFailure(
          .usage, "HR3032", "--fit is \(fit), and \(topic.seconds) s were measured",
          help: "fit at least 60 s and leave some to foretell")
      }
      let report = ReplayReport(try TopicPrediction(topic, fittedSeconds: fit), name: produced)
      return Conclusion(status: .fine, text: report.text, summary: report.summary)
    }
  }
}
