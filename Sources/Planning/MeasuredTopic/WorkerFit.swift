/// Finds a worker's capacity and the pause of a restart from the beginning of a measured run: the
/// pair under which the simulated topic's delay is nearest to the measured one.
public struct WorkerFit: Sendable {
  public var model: WorkerModel
  /// Root of the mean squared difference of delays over the fitted seconds, seconds.
  public var residualSeconds: Double
  /// Pauses of pairs that were tried and are hardly further away: where they are many the measured
  /// time does not tell how long a change stops all.
  public var likelyPauses: ClosedRange<Int>

  /// How much further away a pair is hardly further away.
  private static let likeness = 1.05
  private static let pauses = [0, 15, 30, 60, 120, 240]

  /// Tries a grid of capacities around what is produced for each worker, then finer ones around the
  /// best: some 100 runs of the fitted time.
  ///
  /// - Throws: `InvariantViolation`.
  public static func fit(_ topic: MeasuredTopic, seconds fitted: Int) throws -> WorkerFit {
    let produced = topic.total[fitted - 1]
    let workers = Double(topic.workers.prefix(fitted).reduce(0, +))
    let mean = max(1, produced / max(1, workers))
    var best = WorkerFit(
      model: WorkerModel(capacityPerSecond: mean, restartPauseSeconds: 0),
      residualSeconds: .infinity, likelyPauses: 0...0)
    var tried: [WorkerFit] = []
    // Sixths of the mean: from two thirds of it to one and two thirds.
    for step in -2...4 {
      for pause in pauses {
        try best.take(mean * (1 + Double(step) / 6), pause, topic, fitted, &tried)
      }
    }
    for (width, seconds) in [(12.0, 30), (24, 15), (48, 8), (96, 4), (192, 2)] {
      // The valley of good pairs lies across: it is followed as far as it falls.
      for _ in 0..<8 {
        let centre = best
        for step in [-1.0, 0, 1] {
          for longer in [-seconds, 0, seconds] where step != 0 || longer != 0 {
            try best.take(
              centre.model.capacityPerSecond * (1 + step / width),
              max(0, centre.model.restartPauseSeconds + longer), topic, fitted, &tried)
          }
        }
        if best.residualSeconds == centre.residualSeconds { break }
      }
    }
    let likely = tried.filter { $0.residualSeconds <= likeness * best.residualSeconds }
      .map(\.model.restartPauseSeconds)
    best.likelyPauses = (likely.min() ?? 0)...(likely.max() ?? 0)
    return best
  }

  /// Becomes another model where that is nearer.
  private mutating func take(
    _ capacity: Double, _ pause: Int, _ topic: MeasuredTopic, _ seconds: Int,
    _ tried: inout [WorkerFit]
  ) throws {
    let model = WorkerModel(capacityPerSecond: capacity, restartPauseSeconds: pause)
    let lag = try TopicReplay.lag(topic, model, seconds: seconds)
    let residual = DelayComparison(topic, lag: lag, range: 0..<seconds).rootMeanSquare
    let fit = WorkerFit(model: model, residualSeconds: residual, likelyPauses: pause...pause)
    tried.append(fit)
    if residual < residualSeconds { self = fit }
  }
}
