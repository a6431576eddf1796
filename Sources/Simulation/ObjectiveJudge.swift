import Platform
import Primitives
import ResultStore
import Scenario

/// The value of an objective's measure in one run, without its warm-up.
public struct ObjectiveValue: Sendable, Equatable {
  /// Nil: there was no sample, so that nothing can be said.
  public var value: Double?
  /// With a duration: whether the limit was broken for that long without a break.
  public var isBroken: Bool?
}

/// Reads measures out of what a run has collected.
public struct ObjectiveJudge: Sendable {
  let run: CollectedRun
  let configuration: ClusterConfiguration

  public init(_ run: CollectedRun, _ configuration: ClusterConfiguration) {
    self.run = run
    self.configuration = configuration
  }

  public func value(of objective: Objective) -> ObjectiveValue {
    if let duration = objective.duration {
      return ObjectiveValue(
        value: total(objective), isBroken: isBroken(objective, for: duration))
    }
    return ObjectiveValue(value: total(objective), isBroken: nil)
  }

  private func total(_ objective: Objective) -> Double? {
    guard let top = value(objective.numerator) else { return nil }
    guard let term = objective.denominator else { return top }
    guard let bottom = value(term), bottom != 0 else { return nil }
    return top / bottom
  }

  // MARK: Terms

  func value(_ term: Objective.Term) -> Double? {
    switch term.measure {
    case .latency: return time(term, .latency)
    case .startLatency: return time(term, .startLatency)
    case .wait: return time(term, .wait)
    case .requests: return count(term) { $0.arrivals }
    case .completed: return count(term) { $0.completed }
    case .refused: return count(term) { $0.refused }
    case .failed: return count(term) { $0.timedOut }
    case .coldStarts: return count(term) { $0.coldStarts }
    case .poolTakes: return pools(term, run.poolTakes)
    case .poolMisses: return pools(term, run.poolMisses)
    case .idlePodHours: return idlePodHours(term)
    case .poolLevel:
      return series(
        term,
        run.poolSamples(judgedOnly: true).filter { matches(term, pool: $0.pool) }.map {
          Double($0.level)
        })
    case .readyPods: return series(term, readyPods(term).map(\.value))
    case .utilisation: return series(term, utilisation(term).map(\.value))
    }
  }

  private func time(_ term: Objective.Term, _ measure: LatencyMeasure) -> Double? {
    var merged = LatencyHistogram()
    if let name = term.scope["service"] {
      merged = .coarse()
      for (index, service) in configuration.services.enumerated()
      where service.name == name || service.group == name {
        merged.merge(run.services[index][Int(measure.rawValue)])
      }
    } else {
      for group in run.groups.indices where matches(term, group: run.groups[group]) {
        merged.merge(run.totals[group][Int(measure.rawValue)])
      }
    }
    guard merged.count > 0 else { return nil }
    switch term.statistic {
    case .mean, .total: return merged.mean * 1e-9
    case .maximum: return Double(merged.maximum) * 1e-9
    case .quantile(let p): return Double(merged.quantile(p)) * 1e-9
    }
  }

  private func count(_ term: Objective.Term, _ field: (LaneCounters) -> UInt64) -> Double? {
    if let name = term.scope["service"] { return countOfServices(named: name, term, field) }
    var sum: UInt64 = 0
    for row in run.rows where row.from >= run.warmup && matches(term, group: run.groups[row.group])
    {
      sum += field(row.counters)
    }
    return Double(sum)
  }

  /// Of a service, or of all services of a group.
  private func countOfServices(
    named name: String, _ term: Objective.Term, _ field: (LaneCounters) -> UInt64
  ) -> Double? {
    let lanes = run.laneCounters.indices.filter { lane in
      let service = configuration.services[run.serviceOfLane[lane]]
      return (service.name == name || service.group == name)
        && matches(term, group: run.groups[run.groupOfLane[lane]])
    }
    guard !lanes.isEmpty else { return nil }
    return Double(lanes.reduce(0) { $0 + field(run.laneCounters[$1]) })
  }

  private func pools(_ term: Objective.Term, _ counts: [Int]) -> Double? {
    Double(counts.indices.reduce(0) { matches(term, pool: $1) ? $0 + counts[$1] : $0 })
  }

  private func idlePodHours(_ term: Objective.Term) -> Double? {
    var sum = 0.0
    var last: [Int: Instant] = [:]
    for sample in run.poolSamples(judgedOnly: true) where matches(term, pool: sample.pool) {
      let from = last[sample.pool] ?? run.warmup
      sum += Double(sample.level) * (sample.at - from).seconds / 3600
      last[sample.pool] = sample.at
    }
    return sum
  }

  private func series(_ term: Objective.Term, _ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    switch term.statistic {
    case .mean, .total: return values.reduce(0, +) / Double(values.count)
    case .maximum: return values.max()
    case .quantile(let p):
      let sorted = values.sorted()
      let rank = Int((p * Double(sorted.count)).rounded(.up)) - 1
      return sorted[min(max(rank, 0), sorted.count - 1)]
    }
  }

  /// Ready pods of the scope at the end of each row's interval.
  private func readyPods(_ term: Objective.Term) -> [(at: Instant, value: Double)] {
    var byTime: [Instant: Double] = [:]
    for row in run.rows where row.from >= run.warmup && matches(term, group: run.groups[row.group])
    {
      byTime[row.to, default: 0] += Double(row.gauges.ready)
    }
    return byTime.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func utilisation(_ term: Objective.Term) -> [(at: Instant, value: Double)] {
    var byTime: [Instant: (used: Double, cores: Double)] = [:]
    for sample in run.zoneSamples where sample.at > run.warmup {
      let zone = configuration.zones[sample.zone]
      if let name = term.scope["zone"], name != zone.name { continue }
      byTime[sample.at, default: (0, 0)].used += sample.usedCores
      byTime[sample.at, default: (0, 0)].cores +=
        Double(zone.nodeCPUMilli) / 1000 * Double(zone.nodeCount)
    }
    return byTime.sorted { $0.key < $1.key }.map { ($0.key, $0.value.used / $0.value.cores) }
  }

  // MARK: Scope

  private func matches(_ term: Objective.Term, group: LaneGroup) -> Bool {
    for (key, value) in term.scope {
      switch key {
      case "runtime" where configuration.runtimes[group.runtime].name != value: return false
      case "zone" where configuration.zones[group.zone].name != value: return false
      case "class" where group.trafficClass.rawValue != value: return false
      default: break
      }
    }
    return true
  }

  private func matches(_ term: Objective.Term, pool index: Int) -> Bool {
    let pool = configuration.pools[index]
    if let runtime = term.scope["runtime"], configuration.runtimes[pool.runtime].name != runtime {
      return false
    }
    if let zone = term.scope["zone"], configuration.zones[pool.zone.index].name != zone {
      return false
    }
    return true
  }

  // MARK: For a while

  /// Whether the limit is broken row after row for as long as the objective allows; for a latency
  /// in any of the groups that it is about, since quantiles of groups have no sum.
  private func isBroken(_ objective: Objective, for duration: Nanoseconds) -> Bool? {
    let series = series(of: objective.numerator).filter { !$0.isEmpty }
    guard !series.isEmpty else { return nil }
    return series.contains { isBroken(objective, $0, for: duration) }
  }

  private func isBroken(
    _ objective: Objective, _ rows: [Row], for duration: Nanoseconds
  ) -> Bool {
    var brokenSince: Instant?
    for row in rows {
      if objective.comparison.holds(row.value, objective.limit) {
        brokenSince = nil
      } else {
        let since = brokenSince ?? row.from
        brokenSince = since
        if row.to - since >= duration { return true }
      }
    }
    return false
  }

  private typealias Row = (from: Instant, to: Instant, value: Double)

  /// The measure interval by interval: one series, or for a latency one of each group.
  private func series(of term: Objective.Term) -> [[Row]] {
    switch term.measure {
    case .readyPods, .utilisation:
      let points = term.measure == .readyPods ? readyPods(term) : utilisation(term)
      return [zip([(at: run.warmup, value: 0)] + points, points).map { ($0.at, $1.at, $1.value) }]
    case .poolLevel:
      var byTime: [Instant: Double] = [:]
      for sample in run.poolSamples(judgedOnly: true) where matches(term, pool: sample.pool) {
        byTime[sample.at, default: 0] += Double(sample.level)
      }
      let points = byTime.sorted { $0.key < $1.key }
      return [zip([run.warmup] + points.map(\.key), points).map { ($0, $1.key, $1.value) }]
    case .latency:
      return run.groups.indices.filter { matches(term, group: run.groups[$0]) }.map { group in
        run.rows.filter { $0.from >= run.warmup && $0.group == group }
          .map { ($0.from, $0.to, rowValue(term, $0)) }
      }
    default: return [sums(term)]
    }
  }

  /// Counts of all groups by interval; intervals in which nothing happened have no row.
  private func sums(_ term: Objective.Term) -> [Row] {
    var byTime: [Instant: Row] = [:]
    for row in run.rows where row.from >= run.warmup && matches(term, group: run.groups[row.group])
    {
      byTime[row.from, default: (row.from, row.to, 0)].value += rowValue(term, row)
    }
    return byTime.sorted { $0.key < $1.key }.map(\.value)
  }

  private func rowValue(_ term: Objective.Term, _ row: GroupRow) -> Double {
    switch term.measure {
    case .latency, .startLatency, .wait:
      switch term.statistic {
      case .quantile(let p): return Double(p <= 0.5 ? row.p50 : row.p99) * 1e-9
      case .maximum: return Double(row.maximum) * 1e-9
      default: return row.mean * 1e-9
      }
    case .requests: return Double(row.counters.arrivals)
    case .completed: return Double(row.counters.completed)
    case .refused: return Double(row.counters.refused)
    case .failed: return Double(row.counters.timedOut)
    default: return Double(row.counters.coldStarts)
    }
  }
}

extension CollectedRun {
  /// Levels of pools, without those of the warm-up.
  func poolSamples(judgedOnly: Bool) -> [PoolSample] {
    judgedOnly ? poolSamples.filter { $0.at > warmup } : poolSamples
  }
}

extension ObjectiveJudge {
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
}
