import Planning
import Primitives
import Reporting

/// What `trace replay` prints.
struct ReplayReport {
  let prediction: TopicPrediction
  let name: String

  init(_ prediction: TopicPrediction, name: String) {
    self.prediction = prediction
    self.name = name.split(separator: "/").last.map(String.init) ?? name
  }

  var text: String {
    [header, hours, saturated].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private var header: String {
    let (topic, fit, rest) = (prediction.topic, prediction.fit, prediction.rest)
    let pause = fit.model.restartPauseSeconds
    let delays = TextForm.times(
      seconds: [rest.predictedDelay, rest.measuredDelay, rest.meanAbsolute])
    var lines = [
      "\(name) · \(TextForm.time(seconds: Double(topic.seconds))) · "
        + "\(topic.changes.count) changes of the number of workers",
      "fitted on \(TextForm.time(seconds: Double(prediction.fittedSeconds))): a worker answers "
        + "\(TextForm.number(fit.model.capacityPerSecond)) messages/s, and a change stops all for "
        + "\(pause) s (root of mean squared difference "
        + "\(TextForm.time(seconds: fit.residualSeconds)); with other capacities pauses from "
        + "\(fit.likelyPauses.lowerBound) to \(fit.likelyPauses.upperBound) s are at most 5 % "
        + "further off)",
      "foretold for the rest: mean delay \(delays[0]), measured \(delays[1]): "
        + "\(Self.signed(rest.relativeError)); mean absolute difference \(delays[2])",
    ]
    if let repeated = prediction.repeatedAnswers {
      lines.append(
        "answers beyond one a message: \(TextForm.number(repeated / 1e6)) million of "
          + "\(TextForm.number((topic.total.last ?? 0) / 1e6)) million produced")
    }
    return lines.joined(separator: "\n")
  }

  private static func signed(_ share: Double) -> String {
    (share < 0 ? "" : "+") + TextForm.percent(share)
  }

  private var hours: String {
    var rows = [
      [
        "time", "delay measured", "foretold", "difference", "mean abs. diff.",
        "lag measured", "foretold",
      ]
    ]
    for (range, row) in periods {
      let delays = TextForm.times(
        seconds: [row.measuredDelay, row.predictedDelay, row.meanAbsolute])
      rows.append([
        "\(range.lowerBound / 60)–\(range.upperBound / 60) min"
          + (range.upperBound <= prediction.fittedSeconds ? " (fitted)" : ""),
        delays[0], delays[1], Self.signed(row.relativeError), delays[2],
        TextForm.number(row.measuredLag / 1e6) + " M",
        TextForm.number(row.predictedLag / 1e6) + " M",
      ])
    }
    return TextForm.table(rows)
  }

  /// The fitted time, then hours.
  private var periods: [(range: Range<Int>, row: DelayComparison)] {
    var start = 0
    var periods: [(Range<Int>, DelayComparison)] = []
    while start < prediction.topic.seconds {
      let length = start == 0 ? prediction.fittedSeconds : 3600
      var end = min(start + length, prediction.topic.seconds)
      // A remainder of less than a minute belongs to the last hour.
      if prediction.topic.seconds - end < 60 { end = prediction.topic.seconds }
      periods.append((start..<end, prediction.comparison(start..<end)))
      start = end
    }
    return periods
  }

  private var saturated: String {
    let table = SaturatedThroughput.table(prediction.topic)
    guard !table.isEmpty else { return "" }
    let rows = table.map {
      [
        "\($0.workers) workers", TextForm.number($0.perWorker) + " messages/s each",
        "\($0.seconds) s",
      ]
    }
    return "answered while more than a minute was behind, by number of workers\n"
      + TextForm.table(rows)
  }

  var summary: Summary {
    var summary = Summary(command: "trace replay")
    summary["again"] = .string(ShellWords.text(CommandLine.arguments))
    let fit = prediction.fit
    summary["trace"] = .object([
      "files": .array([.string(name)]), "length_seconds": JSONValue(prediction.topic.seconds),
      "fitted_seconds": JSONValue(prediction.fittedSeconds),
      "capacity_per_second": .number(fit.model.capacityPerSecond),
      "restart_pause_seconds": JSONValue(fit.model.restartPauseSeconds),
      "likely_pause_seconds": .object([
        "least": JSONValue(fit.likelyPauses.lowerBound),
        "most": JSONValue(fit.likelyPauses.upperBound),
      ]),
      "fitted": json(prediction.fitted), "foretold": json(prediction.rest),
    ])
    return summary
  }

  private func json(_ row: DelayComparison) -> JSONValue {
    .object([
      "seconds": JSONValue(row.seconds), "measured_delay_seconds": .number(row.measuredDelay),
      "foretold_delay_seconds": .number(row.predictedDelay),
      "mean_absolute_seconds": .number(row.meanAbsolute),
      "root_mean_square_seconds": .number(row.rootMeanSquare),
      "measured_lag": .number(row.measuredLag), "foretold_lag": .number(row.predictedLag),
    ])
  }
}
