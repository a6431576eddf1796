import Primitives
import Simulation

/// Attempts a request over time, of clients who try again: what faults make of them, interval by
/// interval of the series, beside the calm twin.
///
/// Attempts count when they come, so that an interval in which fewer requests come than in the one
/// before may have more attempts a request than any client makes.
public struct RetryCourse: Sendable {
  public struct Interval: Sendable, Equatable {
    public var span: Range<Instant>
    public var calm: ClientSample
    public var faulted: ClientSample
  }

  /// The greatest number of attempts a request, and the first interval that has it.
  public struct Peak: Sendable, Equatable {
    public var amplification: Double
    public var span: Range<Instant>
  }

  /// What an amplification may be greater by and still count as that of the twin. Assumed.
  public static let tolerance = 0.01

  public var strike: Instant
  /// From the last interval before the strike on, to the end of what is judged.
  public var intervals: [Interval]

  /// Nil: nobody tries again.
  public init?(_ pair: RehearsalStudy.Pair) {
    let strike = pair.timeline.strike
    let (calm, faulted) = (pair.calm.collected, pair.faulted.collected)
    guard !faulted.clientSamples.isEmpty else { return nil }
    let twins = Dictionary(
      zip(calm.intervals.map(\.lowerBound), calm.clientSamples),
      uniquingKeysWith: { first, _ in first })
    let all = zip(faulted.intervals, faulted.clientSamples).filter {
      $0.0.lowerBound >= faulted.warmup
    }.map { span, sample in
      Interval(span: span, calm: twins[span.lowerBound] ?? ClientSample(), faulted: sample)
    }
    self.strike = strike
    // One that ends as the fault begins is before it.
    let first = all.firstIndex { $0.span.upperBound > strike } ?? all.endIndex
    intervals = Array(all[max(0, first - 1)...])
  }

  /// After the strike; nil: no request came.
  public func peak(_ run: KeyPath<Interval, ClientSample>) -> Peak? {
    var peak: Peak?
    for interval in intervals where interval.span.upperBound > strike {
      guard let value = interval[keyPath: run].amplification else { continue }
      if value > peak?.amplification ?? 0 {
        peak = Peak(amplification: value, span: interval.span)
      }
    }
    return peak
  }

  /// Those of several replications together, as far as all of them go.
  public static func pooled(_ courses: [RetryCourse]) -> [Interval] {
    let count = courses.map(\.intervals.count).min() ?? 0
    return (0..<count).map { index in
      courses.dropFirst().reduce(courses[0].intervals[index]) { sum, course in
        let own = course.intervals[index]
        return Interval(
          span: sum.span, calm: sum.calm + own.calm, faulted: sum.faulted + own.faulted)
      }
    }
  }
}

extension [RetryCourse.Interval] {
  /// Up to the last that has more attempts a request than its twin, and one more; then so many
  /// neighbours in one that at most `rows` are left.
  public func told(rows: Int) -> [RetryCourse.Interval] {
    let last = lastIndex { interval in
      guard let faulted = interval.faulted.amplification else { return false }
      let usual = interval.calm.amplification ?? 1
      return faulted > usual * (1 + RetryCourse.tolerance)
    }
    guard let last else { return [] }
    let some = prefix(last + 2)
    let width = Swift.max(1, (some.count - 1 + rows - 2) / Swift.max(1, rows - 1))
    // The first is that before the strike, which stays by itself.
    var told = [some[0]]
    for start in stride(from: 1, to: some.count, by: width) {
      let part = some[start..<Swift.min(start + width, some.count)]
      told.append(
        part.dropFirst().reduce(part[start]) { sum, next in
          RetryCourse.Interval(
            span: sum.span.lowerBound..<next.span.upperBound, calm: sum.calm + next.calm,
            faulted: sum.faulted + next.faulted)
        })
    }
    return told
  }
}
