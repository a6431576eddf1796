import Platform
import Primitives
import Simulation

/// The phases of a rehearsal, read off a faulted run and its calm twin.
///
/// *Detected* and *shifted*: of the fault of which that was so first, as `FaultCourse` has it, and
/// since that fault's own strike. *Fault over*: all of them are. *Degraded*: an interval of the
/// series in which the faulted run is worse than its twin, as `DegradedIntervals` says.
/// *Recovered*: the end of the last such interval.
public struct RehearsalTimeline: Sendable {
  /// What an interval may be worse by and still count as well. Assumed.
  public struct Tolerances: Sendable {
    /// Of attempts: failed, refused and abandoned ones, beyond those of the twin.
    public var badShare = 0.001
    /// And standard deviations beyond them, where the twin has such attempts nearby.
    public var deviations = 3.0
    /// Mean latency ÷ the greatest mean of the twin nearby.
    public var latencyRatio = 1.25
    /// Answers that a mean takes: intervals with fewer are compared together.
    public var leastAnswers = 30
    /// Means and intervals of the twin on each side that count as near.
    public var neighbours = 6
    /// For latency and lag also what is no further in time: twice the five minutes that policies
    /// wait before they shrink, which let both rise and fall.
    public var nearby = Nanoseconds.seconds(600)
    /// Lag beyond the twin's greatest nearby, in seconds of what topics get on average.
    public var lagSeconds = 1.0

    public init() {}
  }

  public var strike: Instant
  /// Each fault by itself, in the order of striking.
  public var faults: [FaultCourse]
  public var detected: Instant?
  public var shifted: Instant?
  /// When everything that has failed was there again.
  public var ended: Instant?
  /// Intervals in which it was worse, after the strike.
  public var degraded: [Range<Instant>]
  /// Nil: it was still degraded at the end of the run, or a condition has ended that before the
  /// strike.
  public var recovered: Instant?
  public var lastInterval: Instant
  /// How long it was judged after the strike, and whether a condition has ended it.
  public var judgedUntil: Instant
  public var isStopped: Bool

  public init(
    calm: RunOutcome, faulted: RunOutcome, strike: Instant, tolerances: Tolerances = Tolerances()
  ) {
    self.strike = strike
    faults = FaultCourse.all(faulted)
    detected = faults.compactMap(\.detected).min()
    shifted = faults.compactMap(\.shifted).min()
    let ends = faults.compactMap(\.ended)
    ended = ends.count == faults.count ? ends.max() : nil
    let worse = DegradedIntervals(calm: calm, faulted: faulted, tolerances: tolerances)
      .after(strike)
    degraded = worse
    lastInterval = faulted.collected.intervals.last?.upperBound ?? strike
    judgedUntil = .origin + faulted.simulated
    isStopped = faulted.stopped != nil
    // What was stopped before the strike has shown nothing.
    let isSeen = judgedUntil > strike
    recovered =
      worse.isEmpty
      ? isSeen ? strike : nil
      : worse.last.flatMap { $0.upperBound < lastInterval ? $0.upperBound : nil }
  }

  /// Of the fault that was detected first, since it struck.
  public var secondsToDetect: Double? {
    faults.first { $0.detected != nil && $0.detected == detected }?.secondsToDetect
  }
  /// Of the fault from which something was shifted first, since it struck.
  public var secondsToShift: Double? {
    faults.first { $0.shifted != nil && $0.shifted == shifted }?.secondsToShift
  }
  public var secondsToEnd: Double? { ended.map { ($0 - strike).seconds } }
  public var secondsToRecover: Double? { recovered.map { ($0 - strike).seconds } }

  /// For how long it was degraded after the strike, in all.
  public var secondsDegraded: Double {
    degraded.reduce(0) { $0 + ($1.upperBound - max($1.lowerBound, strike)).seconds }
  }

  /// Degraded intervals that follow on one another, as one; none begins before the strike.
  public var stretches: [Range<Instant>] {
    degraded.reduce(into: []) { stretches, interval in
      let own = max(strike, interval.lowerBound)..<interval.upperBound
      if let last = stretches.last, last.upperBound == own.lowerBound {
        stretches[stretches.count - 1] = last.lowerBound..<own.upperBound
      } else {
        stretches.append(own)
      }
    }
  }

  /// While anything was wrong: to the end of the run where that was over at once, or never.
  public var faulty: Range<Instant> {
    let end = ended.flatMap { $0 > strike ? $0 : nil } ?? judgedUntil
    return strike..<max(strike, end)
  }
}
