import Foundation
import Planning
import Testing
import Workload

/// A measured topic beside the simulated one.
@Suite struct MeasuredTopicTests {
  /// A topic that is a fluid: what is known of it is exact.
  private static func fluid(
    capacity: Double, pause: Int, seconds: Int
  ) -> (topic: MeasuredTopic, lag: [Double]) {
    var produced: [UInt32] = []
    var workers: [Int] = []
    var lag: [Double] = []
    var (behind, paused) = (0.0, 0)
    for second in 0..<seconds {
      let wave = sin(Double(second) / 900 * 2 * .pi)
      produced.append(UInt32(50_000 + 30_000 * wave))
      workers.append([5, 6, 4, 7][second / 700 % 4])
      if second > 0, workers[second] != workers[second - 1] { paused = pause }
      behind += Double(produced[second])
      behind -= paused > 0 ? 0 : min(behind, capacity * Double(workers[second]))
      paused -= 1
      lag.append(behind)
    }
    var topic = MeasuredTopic(
      produced: produced, workers: workers, delay: Array(repeating: nil, count: seconds))
    topic.delay = lag.enumerated().map { topic.delay(lag: $1, second: $0) }
    return (topic, lag)
  }

  @Test func lagAndDelayAreTwoViewsOfOneLine() {
    let (topic, lag) = Self.fluid(capacity: 9000, pause: 40, seconds: 3000)
    for second in stride(from: 0, to: 3000, by: 7) where lag[second] > 0 {
      let delay = topic.delay(lag: lag[second], second: second)
      let back = topic.lag(delay: delay - 1, second: second)
      // A second's messages are spread evenly over it, a delay is to its end.
      #expect(abs(back - lag[second]) <= 2 * Double(topic.produced.max() ?? 0), "at \(second) s")
    }
  }

  @Test func theReplayIsTheFluid() throws {
    let (topic, lag) = Self.fluid(capacity: 9000, pause: 40, seconds: 3000)
    let replayed = try TopicReplay.lag(
      topic, WorkerModel(capacityPerSecond: 9000, restartPauseSeconds: 40), seconds: 3000)
    let largest = lag.max() ?? 0
    #expect(largest > 1e6)
    for second in lag.indices {
      #expect(abs(replayed[second] - lag[second]) < 0.02 * largest, "at \(second) s")
    }
  }

  @Test func theFitFindsWhatMadeTheDelays() throws {
    let (topic, _) = Self.fluid(capacity: 8700, pause: 50, seconds: 2900)
    let prediction = try TopicPrediction(topic, fittedSeconds: 1500)
    #expect(abs(prediction.fit.model.capacityPerSecond / 8700 - 1) < 0.02)
    #expect(abs(prediction.fit.model.restartPauseSeconds - 50) <= 8)
    // The line is without noise, so that hardly another pause is as near.
    #expect(prediction.fit.likelyPauses.count < 20, "\(prediction.fit.likelyPauses)")
    #expect(abs(prediction.rest.relativeError) < 0.1)
    #expect(prediction.rest.seconds == 1400)
  }

  /// Bounds of what reports/phoebe-kafka.md says.
  @Test(
    .enabled(if: PhoebeRuns.areThere, "the real traces are not here"),
    arguments: [("ads_1_twres", -0.45, -0.2), ("ads_3_reactive", -0.3, 0.1)])
  func publishedRuns(run: String, least: Double, most: Double) throws {
    let file = { (quantity: String) in "\(PhoebeRuns.folder)/\(run)_\(quantity).csv.gz" }
    let topic = try MeasuredTopic.read(
      produced: file("workRate"), workers: file("numWorkers"), delay: file("latency"),
      consumed: file("thrRate"))
    let prediction = try TopicPrediction(topic, fittedSeconds: 3600)
    #expect((10_000...16_000).contains(prediction.fit.model.capacityPerSecond))
    #expect((least...most).contains(prediction.rest.relativeError))
  }

  @Test func aFileWithoutWorkersIsRefused() throws {
    let folder =
      NSTemporaryDirectory() + "headroom-topic-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func write(_ text: String, _ name: String) throws -> String {
      try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
      return "\(folder)/\(name)"
    }
    let produced = try write("timestamp|value\n5|10\n6|12\n", "produced.csv")
    let none = try write("timestamp|value\n5|null\n6|null\n", "none.csv")
    #expect(throws: TraceFailure.self) {
      _ = try MeasuredTopic.read(produced: produced, workers: none, delay: none, consumed: nil)
    }
    // The delay of a run in the place of its workers.
    for value in ["1593.69", "34393"] {
      let other = try write("timestamp|value\n5|3\n6|\(value)\n", "other.csv")
      let failure = #expect(throws: TraceFailure.self) {
        _ = try MeasuredTopic.read(produced: produced, workers: other, delay: none, consumed: nil)
      }
      #expect(failure?.errors.first?.kind == .outOfRange, "\(value)")
      #expect(failure?.errors.first?.found.hasSuffix(" at 6") == true, "\(value)")
    }
    let backwards = try write("timestamp|value\n6|1\n5|1\n", "backwards.csv")
    #expect(throws: TraceFailure.self) { _ = try MeasuredSeries.read(backwards) }
  }
}

/// The measured runs of Kafka and Flink: beside the checkout, or where HEADROOM_TRACES says.
private enum PhoebeRuns {
  static let folder: String = {
    let traces =
      ProcessInfo.processInfo.environment["HEADROOM_TRACES"]
      ?? URL(fileURLWithPath: #filePath).appending(path: "../../../../shared/traces")
      .standardizedFileURL.path
    return traces + "/phoebe_kafka"
  }()

  static var areThere: Bool { FileManager.default.fileExists(atPath: folder) }
}
