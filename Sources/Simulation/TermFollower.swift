import Platform
import Primitives
import ResultStore
import Scenario

/// A value between two instants; nil: there was no sample.
public struct IntervalValue: Sendable, Equatable {
  public var from: Instant
  public var to: Instant
  public var value: Double?
}

/// Follows what one term of an objective is about while a run goes on, where totals and series of
/// groups do not hold it: the times of single services and of tenants, and anything about these or
/// about times interval by interval.
///
/// Times go into histograms of their own at two digits, over exactly the lanes of the scope.
struct TermFollower: Sendable {
  let term: Objective.Term
  let keepsIntervals: Bool
  /// Lanes of the scope.
  let lanes: [Int]
  /// Judged so far.
  private(set) var total = LatencyHistogram()
  private(set) var values: [IntervalValue] = []
  private var interval = LatencyHistogram()
  private var counters = LaneCounters()
  private var gauges = LaneGauges()

  /// Nil for counts.
  var measure: LatencyMeasure? { term.measure.latencyMeasure }

  init(_ term: Objective.Term, keepsIntervals: Bool, lanes: [Int]) {
    self.term = term
    self.keepsIntervals = keepsIntervals
    self.lanes = lanes
  }

  mutating func record(_ nanoseconds: UnsafeBufferPointer<Int64>, isJudged: Bool) {
    if isJudged { total.record(contentsOf: nanoseconds) }
    if keepsIntervals { interval.record(contentsOf: nanoseconds) }
  }

  mutating func record(_ nanoseconds: Int64, count: UInt64, isJudged: Bool) {
    if isJudged { total.record(nanoseconds, count: count) }
    if keepsIntervals { interval.record(nanoseconds, count: count) }
  }

  mutating func add(_ delta: LaneCounters, _ now: LaneGauges) {
    counters.add(delta)
    gauges.add(now)
  }

  /// An interval is over; a lane that said nothing of itself had no request and no instance.
  mutating func close(from: Instant, to: Instant) {
    guard keepsIntervals else { return }
    let value: Double?
    switch term.measure.source {
    case .times: value = term.statistic.value(of: interval)
    case .counter(let field): value = Double(field(counters))
    case .gauge(let field): value = Double(field(gauges))
    case .pools, .zones: value = nil
    }
    values.append(IntervalValue(from: from, to: to, value: value))
    interval.reset()
    counters = LaneCounters()
    gauges = LaneGauges()
  }

  /// Forgets everything so far.
  mutating func restart() {
    self = TermFollower(term, keepsIntervals: keepsIntervals, lanes: lanes)
  }
}

extension TermFollower {
  /// Those that the objectives of a scenario need.
  static func all(
    _ objectives: [Objective], _ configuration: ClusterConfiguration
  ) -> [TermFollower] {
    var followers: [TermFollower] = []
    for objective in objectives {
      for term in [objective.numerator] + (objective.denominator.map { [$0] } ?? []) {
        let isOverTime = objective.duration != nil
        let isNeeded: Bool
        // A level is a mean over intervals, whatever is asked of it.
        var keepsIntervals = isOverTime
        switch term.measure.source {
        case .times: isNeeded = isOverTime || term.isOfServices
        case .counter: isNeeded = isOverTime
        case .gauge:
          isNeeded = isOverTime || term.isOfServices
          keepsIntervals = true
        case .pools, .zones: isNeeded = false
        }
        guard isNeeded,
          !followers.contains(where: { $0.term == term && $0.keepsIntervals == keepsIntervals })
        else { continue }
        let lanes = ObjectiveScope(term, configuration).lanes
        followers.append(TermFollower(term, keepsIntervals: keepsIntervals, lanes: lanes))
      }
    }
    return followers
  }
}
