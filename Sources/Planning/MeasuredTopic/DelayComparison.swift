/// A measured delay beside the one of a replay, over seconds in which both are known.
public struct DelayComparison: Sendable {
  /// Seconds that were compared.
  public private(set) var seconds = 0
  public private(set) var measuredDelay = 0.0
  public private(set) var predictedDelay = 0.0
  /// Messages; the measured one is what was produced within the measured delay.
  public private(set) var measuredLag = 0.0
  public private(set) var predictedLag = 0.0
  public private(set) var meanAbsolute = 0.0
  public private(set) var rootMeanSquare = 0.0

  /// - Parameters:
  ///   - lag: predicted, at the end of each second.
  ///   - range: of seconds.
  public init(_ topic: MeasuredTopic, lag: [Double], range: Range<Int>) {
    var squares = 0.0
    for second in range.clamped(to: 0..<lag.count) {
      guard let measured = topic.delay[second] else { continue }
      let predicted = topic.delay(lag: lag[second], second: second)
      seconds += 1
      measuredDelay += measured
      predictedDelay += predicted
      measuredLag += topic.lag(delay: measured, second: second)
      predictedLag += lag[second]
      meanAbsolute += abs(predicted - measured)
      squares += (predicted - measured) * (predicted - measured)
    }
    let count = Double(max(1, seconds))
    measuredDelay /= count
    predictedDelay /= count
    measuredLag /= count
    predictedLag /= count
    meanAbsolute /= count
    rootMeanSquare = seconds > 0 ? (squares / count).squareRoot() : .infinity
  }

  /// Of the mean delay: predicted ÷ measured - 1.
  public var relativeError: Double { predictedDelay / max(1e-9, measuredDelay) - 1 }
}

/// What was answered for each worker where more waited than could be, by how many workers there
/// were: what a single capacity for all of them leaves out.
public struct SaturatedThroughput: Sendable {
  public var workers: Int
  public var seconds: Int
  /// Messages a second and worker, the median.
  public var perWorker: Double

  /// Seconds count where the measured delay is above a minute, and the number of workers has not
  /// changed for four.
  public static func table(_ topic: MeasuredTopic) -> [SaturatedThroughput] {
    var found: [Int: [Double]] = [:]
    var since = 0
    for second in topic.consumed.indices {
      since = second > 0 && topic.workers[second] == topic.workers[second - 1] ? since + 1 : 0
      guard since > 240, let delay = topic.delay[second], delay > 60,
        let answered = topic.consumed[second], answered > 0, topic.workers[second] > 0
      else { continue }
      found[topic.workers[second], default: []].append(
        answered / Double(topic.workers[second]))
    }
    return found.sorted { $0.key < $1.key }.map { workers, values in
      let sorted = values.sorted()
      return SaturatedThroughput(
        workers: workers, seconds: values.count, perWorker: sorted[sorted.count / 2])
    }
  }
}
