import Planning
import Primitives
import Reporting
import Simulation

// What faults make of clients who try again: attempts a request, over the whole and over time.
extension RehearseReport {
  private var courses: [RetryCourse] { pairs.compactMap(RetryCourse.init) }

  /// Empty where no client tries again.
  var retries: String {
    let all = pairs.compactMap { RehearsalMessages($0).amplification }
    guard !all.isEmpty else { return "" }
    func mean(_ values: [Double]) -> String { TextForm.number(Estimate(values).value) }
    let whole =
      "RETRIES: \(mean(all.map(\.faulted))) attempts a request of clients who try again, calm "
      + mean(all.map(\.calm))
    let rows = [["  at most", peak(\.faulted), "calm: \(peak(\.calm))"]]
    return ([whole + "\n" + TextForm.table(rows, left: 2, notes: true)] + [retriesOverTime])
      .filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// The greatest amplification in an interval, and when: a mean over the replications.
  private func peak(_ run: KeyPath<RetryCourse.Interval, ClientSample>) -> String {
    let peaks = courses.map { ($0.peak(run), $0.strike) }
    let values = peaks.compactMap { $0.0?.amplification }
    guard !values.isEmpty else { return "no request after the strike" }
    let estimate = Estimate(values)
    let half = estimate.halfWidth.map { $0 > 0 ? " ± \(TextForm.number($0))" : "" } ?? ""
    let since = peaks.map { peak, strike in peak.map { ($0.span.lowerBound - strike).seconds } }
    let interval = TextForm.time(
      seconds: pairs.first?.faulted.configuration.seriesInterval.seconds ?? 0)
    return "\(TextForm.number(estimate.value))\(half) in an interval of \(interval)"
      + ((since.compactMap { $0 }.max() ?? 0) > 0 ? " from + \(seconds(since, none: "none"))" : "")
  }

  /// Empty where there are never more than in the calm twin.
  private var retriesOverTime: String {
    guard let strike = courses.first?.strike else { return "" }
    let told = RetryCourse.pooled(courses).told(rows: 12)
    guard !told.isEmpty else { return "" }
    func since(_ instant: Instant) -> String {
      let seconds = (instant - strike).seconds
      return (seconds < 0 ? "- " : "+ ") + TextForm.time(seconds: abs(seconds))
    }
    func value(_ sample: ClientSample) -> String {
      sample.amplification.map { TextForm.number($0) } ?? "-"
    }
    let rows = told.map { interval in
      [
        "  \(since(interval.span.lowerBound))", since(interval.span.upperBound),
        value(interval.calm), value(interval.faulted),
      ]
    }
    return TextForm.table([["  from", "to", "calm", "faulted"]] + rows)
  }

  /// One of each replication in which anybody tries again.
  var retriesJSON: JSONValue {
    .array(
      courses.map { course in
        let (calm, faulted) = (course.peak(\.calm), course.peak(\.faulted))
        func since(_ peak: RetryCourse.Peak?) -> JSONValue {
          JSONValue(peak.map { ($0.span.lowerBound - course.strike).seconds })
        }
        return .object([
          "calm_peak": JSONValue(calm?.amplification), "peak": JSONValue(faulted?.amplification),
          "calm_peak_after_seconds": since(calm), "peak_after_seconds": since(faulted),
          "intervals": .array(course.intervals.map(Self.json)),
        ])
      })
  }

  private static func json(_ interval: RetryCourse.Interval) -> JSONValue {
    .object([
      "from_seconds": .number((interval.span.lowerBound - .origin).seconds),
      "to_seconds": .number((interval.span.upperBound - .origin).seconds),
      "calm_requests": .unsigned(interval.calm.requests),
      "calm_attempts": .unsigned(interval.calm.attempts),
      "requests": .unsigned(interval.faulted.requests),
      "attempts": .unsigned(interval.faulted.attempts),
    ])
  }
}
