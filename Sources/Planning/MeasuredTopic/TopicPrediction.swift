/// A measured run, fitted on its beginning and foretold for the rest.
public struct TopicPrediction: Sendable {
  public var topic: MeasuredTopic
  public var fit: WorkerFit
  /// Seconds that were fitted; what follows is foretold.
  public var fittedSeconds: Int
  /// Predicted, at the end of each second.
  public var lag: [Double]

  /// - Parameter fittedSeconds: at least one, and fewer than were measured.
  /// - Throws: `InvariantViolation`.
  public init(_ topic: MeasuredTopic, fittedSeconds: Int) throws {
    self.topic = topic
    self.fittedSeconds = fittedSeconds
    fit = try WorkerFit.fit(topic, seconds: fittedSeconds)
    lag = try TopicReplay.lag(topic, fit.model, seconds: topic.seconds)
  }

  public var fitted: DelayComparison { comparison(0..<fittedSeconds) }
  public var rest: DelayComparison { comparison(fittedSeconds..<topic.seconds) }

  public func comparison(_ range: Range<Int>) -> DelayComparison {
    DelayComparison(topic, lag: lag, range: range)
  }

  /// Messages that were answered more often than once, as after a restart from a checkpoint:
  /// answers less what was produced and is not behind at the end. Nil where answers were not
  /// counted, or the last delay was not.
  public var repeatedAnswers: Double? {
    guard !topic.consumed.isEmpty, let last = topic.delay.lastIndex(where: { $0 != nil }),
      let delay = topic.delay[last]
    else { return nil }
    let answered = topic.consumed[...last].reduce(0) { $0 + ($1 ?? 0) }
    return answered - (topic.total[last] - topic.lag(delay: delay, second: last))
  }
}
