import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

// Histograms, cold starts and starts of instances as rows.
extension RunTables {
  func histograms() -> [HistogramRow] {
    LatencyMeasure.allCases.flatMap { measure in
      all(measure) + groups(measure) + lanes(measure)
    } + objectives()
  }

  private func all(_ measure: LatencyMeasure) -> [HistogramRow] {
    var all = LatencyHistogram()
    for group in collected.totals { all.merge(group[Int(measure.rawValue)]) }
    return row("all", measure, all) { _ in }
  }

  private func groups(_ measure: LatencyMeasure) -> [HistogramRow] {
    collected.groups.enumerated().flatMap { index, group in
      row("group", measure, collected.totals[index][Int(measure.rawValue)]) { row in
        row.zone = configuration.zones[group.zone].name
        row.serviceClass = group.trafficClass.rawValue
        row.runtime = configuration.runtimes[group.runtime].name
      }
    }
  }

  private func lanes(_ measure: LatencyMeasure) -> [HistogramRow] {
    collected.lanes.enumerated().flatMap { lane, measures in
      row("lane", measure, measures[Int(measure.rawValue)]) { row in
        row.zone = configuration.zones[collected.groups[collected.groupOfLane[lane]].zone].name
        row.service = collected.serviceOfLane[lane]
      }
    }
  }

  /// What objectives have followed by themselves, in the order of the objectives.
  private func objectives() -> [HistogramRow] {
    collected.followers.flatMap { follower -> [HistogramRow] in
      guard let measure = follower.measure else { return [] }
      let scope = follower.term.scope
      return row("objective", measure, follower.total) { row in
        row.zone = scope["zone"]
        row.serviceClass = scope["class"]
        row.runtime = scope["runtime"]
        row.service = configuration.services.firstIndex { $0.name == scope["service"] }
        row.tenant = scope["tenant"]
      }
    }
  }

  /// None where nothing was recorded.
  private func row(
    _ scope: String, _ measure: LatencyMeasure, _ histogram: LatencyHistogram,
    _ place: (inout HistogramRow) -> Void
  ) -> [HistogramRow] {
    guard histogram.count > 0 else { return [] }
    var row = HistogramRow(run: run, scope: scope, measure: measure.name)
    place(&row)
    row.fill(histogram)
    return [row]
  }

  func coldStarts() -> [ColdStartRow] {
    var counts = [[UInt64]](
      repeating: Array(repeating: 0, count: StartPath.allCases.count),
      count: collected.groups.count)
    for (lane, counters) in collected.laneCounters.enumerated() {
      for path in StartPath.allCases {
        counts[collected.groupOfLane[lane]][Int(path.rawValue)] += counters[path]
      }
    }
    return collected.groups.enumerated().flatMap { index, group in
      StartPath.allCases.filter { counts[index][Int($0.rawValue)] > 0 }.map { path in
        var row = ColdStartRow(run: run, path: path.stored)
        row.zone = configuration.zones[group.zone].name
        row.serviceClass = group.trafficClass.rawValue
        row.runtime = configuration.runtimes[group.runtime].name
        row.count = Int(counts[index][Int(path.rawValue)])
        return row
      }
    }
  }

  func starts() -> [StartRow] {
    configuration.zones.indices.flatMap { zone in
      configuration.runtimes.indices.flatMap { runtime in
        StartPath.allCases.flatMap { starts(zone: zone, runtime: runtime, $0) }
      }
    }
  }

  private func starts(zone: Int, runtime: Int, _ path: StartPath) -> [StartRow] {
    StartTotals.Component.allCases.compactMap { component in
      let histogram = collected.starts.histogram(
        zone: zone, runtime: runtime, path: path, component)
      guard histogram.count > 0 else { return nil }
      var row = StartRow(run: run, path: path.stored, component: component.rawValue)
      row.runtime = configuration.runtimes[runtime].name
      row.zone = configuration.zones[zone].name
      row.count = Int(histogram.count)
      row.meanNs = histogram.mean
      row.p50 = Nanoseconds(histogram.quantile(0.5))
      row.p90 = Nanoseconds(histogram.quantile(0.9))
      row.p99 = Nanoseconds(histogram.quantile(0.99))
      row.max = Nanoseconds(histogram.maximum)
      return row
    }
  }
}

extension StartPath {
  /// As in tables.
  fileprivate var stored: ColdStartPath {
    switch self {
    case .pool: .pool
    case .fallback: .fallback
    case .virtualNode: .virtualNode
    case .isolate: .isolate
    }
  }
}

extension LatencyMeasure {
  /// As in objectives and tables.
  public var name: String {
    switch self {
    case .latency: "latency"
    case .startLatency: "start_latency"
    case .wait: "wait"
    }
  }
}

extension HistogramRow {
  mutating func fill(_ histogram: LatencyHistogram) {
    count = Int(histogram.count)
    meanNs = histogram.mean
    min = Nanoseconds(histogram.minimum)
    max = Nanoseconds(histogram.maximum)
    p50 = Nanoseconds(histogram.quantile(0.5))
    p90 = Nanoseconds(histogram.quantile(0.9))
    p99 = Nanoseconds(histogram.quantile(0.99))
    p999 = Nanoseconds(histogram.quantile(0.999))
    data = histogram.encoded()
  }
}
