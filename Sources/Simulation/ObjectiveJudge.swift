import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

/// The value of an objective's measure in one run, without its warm-up.
public struct ObjectiveValue: Sendable, Equatable {
  /// With a duration the worst value that lasted that long; nil: there was none, or no sample.
  public var value: Double?
  /// With a duration: whether the limit was broken for that long without a break; nil: nothing can
  /// be said.
  public var isBroken: Bool?
  /// The first time for which it was.
  public var broken: Range<Instant>?
  /// With a duration: the longest time for which it was, however short; nil: nothing can be said.
  public var longestBreak: Nanoseconds?
  /// Why there is no value.
  public var note = ""

  public init(
    value: Double? = nil, isBroken: Bool? = nil, broken: Range<Instant>? = nil, note: String = ""
  ) {
    self.value = value
    self.isBroken = isBroken
    self.broken = broken
    self.note = note
  }
}

/// Reads measures out of what a run has collected.
///
/// A measure is read over exactly the part of the cluster that its scope leaves: a scope without
/// lanes, pools or zones has no sample.
public struct ObjectiveJudge: Sendable {
  let run: CollectedRun
  let configuration: ClusterConfiguration
  let pools: [PoolSummary]

  public init(_ outcome: RunOutcome) {
    run = outcome.collected
    configuration = outcome.configuration
    pools = outcome.control.pools
  }

  public func value(of objective: Objective) -> ObjectiveValue {
    if let duration = objective.duration { return value(of: objective, for: duration) }
    guard let top = value(objective.numerator) else {
      return ObjectiveValue(note: "no sample")
    }
    guard let term = objective.denominator else { return Self.finite(top) }
    guard let bottom = value(term) else {
      return ObjectiveValue(note: "no sample below the line")
    }
    guard bottom != 0 else { return ObjectiveValue(note: "0 below the line") }
    return Self.finite(top / bottom)
  }

  private static func finite(_ value: Double) -> ObjectiveValue {
    value.isFinite
      ? ObjectiveValue(value: value) : ObjectiveValue(note: "the measure is not a number")
  }

  /// The value of one term over the whole run; nil without a sample.
  func value(_ term: Objective.Term) -> Double? {
    let scope = ObjectiveScope(term, configuration)
    switch term.measure.source {
    case .times: return time(term, scope)
    case .counter(let field):
      let lanes = scope.lanes
      return lanes.isEmpty ? nil : Double(lanes.reduce(0) { $0 + field(run.laneCounters[$1]) })
    case .pools where term.measure != .poolLevel:
      let pools = scope.pools
      return pools.isEmpty ? nil : pools.reduce(0) { $0 + total(of: term.measure, pool: $1) }
    case .gauge, .pools, .zones: return term.statistic.value(of: series(term))
    }
  }

  private func time(_ term: Objective.Term, _ scope: ObjectiveScope) -> Double? {
    if let follower = run.followers.first(where: { $0.term == term }) {
      return term.statistic.value(of: follower.total)
    }
    guard !term.isOfServices, let measure = term.measure.latencyMeasure else { return nil }
    // Without a service or tenant a scope is made of whole groups.
    var merged = LatencyHistogram()
    for group in Set(scope.lanes.map { run.groupOfLane[$0] }).sorted() {
      merged.merge(run.totals[group][Int(measure.rawValue)])
    }
    return term.statistic.value(of: merged)
  }

  private func total(of measure: Objective.Measure, pool: Int) -> Double {
    switch measure {
    case .poolTakes: Double(run.poolTakes[pool])
    case .poolMisses: Double(run.poolMisses[pool])
    default: pools[pool].idlePodSeconds / 3600
    }
  }
}

extension Objective.Statistic {
  /// Of what was there interval by interval; the mean weighs with the length of each.
  func value(of series: [IntervalValue]) -> Double? {
    let known = series.compactMap { item in
      item.value.map { (value: $0, seconds: (item.to - item.from).seconds) }
    }
    guard !known.isEmpty else { return nil }
    switch self {
    case .mean, .total:
      let seconds = known.reduce(0) { $0 + $1.seconds }
      return known.reduce(0) { $0 + $1.value * $1.seconds } / seconds
    case .maximum: return known.map(\.value).max()
    case .quantile(let p):
      let sorted = known.map(\.value).sorted()
      let rank = Int((p * Double(sorted.count)).rounded(.up)) - 1
      return sorted[min(max(rank, 0), sorted.count - 1)]
    }
  }
}

extension ObjectiveJudge {
  /// A counter's total in its scope; nil for what is no counter.
  public func total(of term: Objective.Term) -> Double? {
    term.statistic == .total ? value(term) : nil
  }

  /// The value of a measure by its name, as in objectives, in a runtime or overall.
  public func value(named name: String, runtime: String?) -> Double? {
    var term: Objective.Term
    if name.hasPrefix("p99("),
      let measure = Objective.Measure(rawValue: String(name.dropFirst(4).dropLast()))
    {
      term = Objective.Term(statistic: .quantile(0.99), measure: measure, scope: [:])
    } else if let measure = Objective.Measure(rawValue: name) {
      term = Objective.Term(
        statistic: measure.isSeries ? .mean : .total, measure: measure, scope: [:])
    } else {
      return nil
    }
    if let runtime { term.scope["runtime"] = runtime }
    return value(term)
  }

  /// Cold starts of one path, in a runtime or overall; nil where there are no services.
  public func coldStarts(_ path: StartPath, runtime: String?) -> Double? {
    let scope = runtime.map { ["runtime": $0] } ?? [:]
    let term = Objective.Term(statistic: .total, measure: .coldStarts, scope: scope)
    let lanes = ObjectiveScope(term, configuration).lanes
    guard !lanes.isEmpty else { return nil }
    let counts = lanes.map { lane -> UInt64 in
      let counters = run.laneCounters[lane]
      return counters[path]
    }
    return Double(counts.reduce(0, +))
  }
}
