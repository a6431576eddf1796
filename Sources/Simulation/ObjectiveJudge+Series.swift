import Platform
import Primitives
import Scenario

// Measures interval by interval, and objectives that allow a limit to be broken for a while.
extension ObjectiveJudge {
  /// One term in each judged interval of the series. Counts are those of the interval; pods and
  /// levels those at its end, of everything in the scope together. Where nothing happened counts
  /// are 0, and times have no sample.
  func series(_ term: Objective.Term) -> [IntervalValue] {
    let scope = ObjectiveScope(term, configuration)
    switch term.measure.source {
    case .times: return followed(term)
    case .counter(let field):
      return term.isOfServices
        ? followed(term) : groups(scope) { Double(field($0.counters)) }
    case .gauge(let field):
      return term.isOfServices
        ? followed(term) : groups(scope) { Double(field($0.gauges)) }
    case .pools: return pools(term.measure, Set(scope.pools))
    case .zones: return utilisation(Set(scope.zones))
    }
  }

  private func followed(_ term: Objective.Term) -> [IntervalValue] {
    run.followers.first { $0.term == term && $0.keepsIntervals && !$0.lanes.isEmpty }?.values ?? []
  }

  private var judged: [Range<Instant>] {
    run.intervals.filter { $0.lowerBound >= run.warmup }
  }

  /// What some rows come to in each judged interval: their sum, 0 where there is none.
  private func sums(_ values: [(from: Instant, value: Double)]) -> [IntervalValue] {
    var byStart: [Instant: Double] = [:]
    for item in values { byStart[item.from, default: 0] += item.value }
    return judged.map {
      IntervalValue(from: $0.lowerBound, to: $0.upperBound, value: byStart[$0.lowerBound] ?? 0)
    }
  }

  private func groups(
    _ scope: ObjectiveScope, _ value: (GroupRow) -> Double
  ) -> [IntervalValue] {
    let groups = Set(scope.lanes.map { run.groupOfLane[$0] })
    guard !groups.isEmpty else { return [] }
    return sums(run.rows.filter { groups.contains($0.group) }.map { ($0.from, value($0)) })
  }

  private func pools(_ measure: Objective.Measure, _ pools: Set<Int>) -> [IntervalValue] {
    guard !pools.isEmpty else { return [] }
    return sums(
      run.poolSamples.filter { pools.contains($0.pool) }.map { sample in
        let value =
          switch measure {
          case .poolTakes: Double(sample.takes)
          case .poolMisses: Double(sample.misses)
          case .poolLevel: Double(sample.level)
          default: Double(sample.level) * (sample.at - sample.from).seconds / 3600
          }
        return (sample.from, value)
      })
  }

  private func utilisation(_ zones: Set<Int>) -> [IntervalValue] {
    // Machines may come and go: each interval is measured by what it had at its end.
    let samples = run.zoneSamples.filter { zones.contains($0.zone) }
    var cores: [Instant: Double] = [:]
    for sample in samples { cores[sample.from, default: 0] += sample.cores }
    guard cores.values.contains(where: { $0 > 0 }) else { return [] }  // order-free: any
    return sums(
      samples.map { sample in
        let all = cores[sample.from] ?? 0
        return (sample.from, all > 0 ? sample.usedCores / all : 0)
      })
  }

  // MARK: For a while

  func value(of objective: Objective, for duration: Nanoseconds) -> ObjectiveValue {
    let series = series(of: objective)
    guard let first = series.first, let last = series.last else {
      return ObjectiveValue(note: "no sample")
    }
    guard last.to - first.from >= duration else {
      return ObjectiveValue(note: "less was judged than the objective allows a break to last")
    }
    guard series.contains(where: { $0.value != nil }) else {
      return ObjectiveValue(note: "no sample")
    }
    let sustained = Sustained(series, for: duration, objective.comparison)
    let broken = sustained.firstBreak(of: objective.limit)
    var value = ObjectiveValue(value: sustained.worst, isBroken: broken != nil, broken: broken)
    value.longestBreak = sustained.longestBreak(of: objective.limit)
    return value
  }

  private func series(of objective: Objective) -> [IntervalValue] {
    let top = series(objective.numerator)
    guard let term = objective.denominator else { return top }
    let bottom = series(term)
    guard top.count == bottom.count else { return [] }
    return zip(top, bottom).map { top, bottom in
      var item = top
      item.value = nil
      if let above = top.value, let below = bottom.value, below != 0 { item.value = above / below }
      return item
    }
  }
}

/// How bad a series was for at least some time without a break. An interval without a sample breaks
/// no limit.
struct Sustained {
  private let series: [IntervalValue]
  private let duration: Nanoseconds
  private let comparison: Objective.Comparison

  init(_ series: [IntervalValue], for duration: Nanoseconds, _ comparison: Objective.Comparison) {
    self.series = series
    self.duration = duration
    self.comparison = comparison
  }

  private var isCeiling: Bool { comparison == .less || comparison == .lessOrEqual }

  /// For a ceiling the highest value that was not undershot for that long; for a floor the lowest
  /// that was not exceeded. It breaks the limit exactly when the limit was broken for that long.
  /// Nil: there was never a sample for so long.
  ///
  /// O(n w) for n intervals and w of them in the duration.
  var worst: Double? {
    var worst: Double?
    for start in series.indices {
      var mildest: Double?
      for item in series[start...] {
        guard let value = item.value else { break }
        mildest = mildest.map { isCeiling ? min($0, value) : max($0, value) } ?? value
        if item.to - series[start].from >= duration {
          worst =
            worst.map { known in
              isCeiling ? max(known, mildest ?? known) : min(known, mildest ?? known)
            } ?? mildest
          break
        }
      }
    }
    return worst
  }

  /// The first time for which every interval broke a limit, if it was as long.
  func firstBreak(of limit: Double) -> Range<Instant>? {
    breaks(of: limit).first { $0.upperBound - $0.lowerBound >= duration }
  }

  /// The longest time for which every interval broke a limit.
  func longestBreak(of limit: Double) -> Nanoseconds {
    breaks(of: limit).map { $0.upperBound - $0.lowerBound }.max() ?? .zero
  }

  /// Times for which every interval broke a limit, in order.
  private func breaks(of limit: Double) -> [Range<Instant>] {
    var breaks: [Range<Instant>] = []
    for item in series {
      guard let value = item.value, !comparison.holds(value, limit) else { continue }
      if let last = breaks.last, last.upperBound == item.from {
        breaks[breaks.count - 1] = last.lowerBound..<item.to
      } else {
        breaks.append(item.from..<item.to)
      }
    }
    return breaks
  }
}
