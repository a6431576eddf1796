import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

/// Puts what a run came to into a results file.
public struct ResultRecording {
  let writer: ResultWriter

  public init(_ writer: ResultWriter) { self.writer = writer }

  /// Writes everything about a run. `run` is its number in the file.
  public func record(
    _ outcome: RunOutcome, run: Int, study: Int, document: ScenarioDocument, wallSeconds: Double
  ) throws(StoreError) {
    let tables = RunTables(outcome: outcome, run: run, document: document)
    try writer.append(tables.zones())
    try writer.append(tables.services())
    try writer.append(tables.series())
    try writer.append(tables.serviceMinutes())
    try writer.append(tables.histograms())
    try writer.append(tables.coldStarts())
    try writer.append(tables.pools())
    try writer.append(tables.poolSeries())
    try writer.append(tables.zoneSeries())
    try writer.append(tables.caches())
    try writer.append(tables.leases())
    try writer.append(tables.components())
    try writer.append(tables.conservation())
    try writer.append(tables.measures())
    try writer.append(tables.events())
    var row = RunRow(id: run, study: study, scenario: 1, seed: String(outcome.configuration.seed))
    row.replication = outcome.replication
    row.fidelity = document.fidelity
    row.digest = HexadecimalWord.text(outcome.digest)
    row.status = outcome.isInterrupted ? .interrupted : .complete
    row.wallSeconds = wallSeconds
    row.simulated = outcome.simulated
    row.warmup = document.warmup
    row.seriesStep = outcome.configuration.seriesInterval
    row.eventsExecuted = Int(clamping: outcome.executed)
    row.invocationsRepresented = Int(clamping: outcome.represented)
    try writer.replace(row)
  }
}

/// Sixteen hexadecimal digits.
public enum HexadecimalWord {
  public static func text(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// One run as rows of the tables.
struct RunTables {
  let outcome: RunOutcome
  let run: Int
  let document: ScenarioDocument

  var configuration: ClusterConfiguration { outcome.configuration }
  var collected: CollectedRun { outcome.collected }

  func zones() -> [ZoneRow] {
    configuration.zones.map { zone in
      var row = ZoneRow(
        run: run, zone: zone.name, cluster: document.cluster.name, region: "")
      row.nodes = zone.nodeCount
      row.cpuCores = Double(zone.nodeCPUMilli) / 1000 * Double(zone.nodeCount)
      row.memoryMiB = Double(zone.nodeMemoryMiB) * Double(zone.nodeCount)
      return row
    }
  }

  func services() -> [ServiceRow] {
    var totals = configuration.services.map { _ in LaneCounters() }
    for (lane, counters) in collected.laneCounters.enumerated() {
      totals[collected.serviceOfLane[lane]].add(counters)
    }
    return configuration.services.enumerated().map { index, service in
      var row = ServiceRow(run: run, service: index, name: service.name)
      row.serviceClass = service.trafficClass.rawValue
      row.runtime = configuration.runtimes[service.runtime].name
      row.shape = configuration.shapes[service.shape].name
      row.zones = service.zones.map { configuration.zones[$0.index].name }.joined(separator: " ")
      let counters = totals[index]
      row.arrivals = Int(counters.arrivals)
      row.completed = Int(counters.completed)
      row.refused = Int(counters.refused)
      row.timedOut = Int(counters.timedOut)
      row.coldStarts = Int(counters.coldStarts)
      row.instanceSeconds = counters.readySeconds
      row.idleInstanceSeconds = counters.idleSeconds
      let latency = collected.services[index][Int(LatencyMeasure.latency.rawValue)]
      if latency.count > 0 {
        row.latencyMean = Nanoseconds(Int64(latency.mean))
        row.latencyP50 = Nanoseconds(latency.quantile(0.5))
        row.latencyP99 = Nanoseconds(latency.quantile(0.99))
        row.latencyMax = Nanoseconds(latency.maximum)
      }
      let start = collected.services[index][Int(LatencyMeasure.startLatency.rawValue)]
      if start.count > 0 {
        row.startMean = Nanoseconds(Int64(start.mean))
        row.startP50 = Nanoseconds(start.quantile(0.5))
        row.startP99 = Nanoseconds(start.quantile(0.99))
        row.startMax = Nanoseconds(start.maximum)
      }
      return row
    }
  }

  func serviceMinutes() -> [ServiceMinuteRow] {
    collected.minutes.map { minute in
      let zone = configuration.zones[collected.groups[collected.groupOfLane[minute.lane]].zone].name
      var row = ServiceMinuteRow(
        run: run, service: collected.serviceOfLane[minute.lane], time: minute.from, zone: zone)
      row.arrivals = Int(minute.counters.arrivals)
      row.completed = Int(minute.counters.completed)
      row.refused = Int(minute.counters.refused)
      row.timedOut = Int(minute.counters.timedOut)
      row.coldStarts = Int(minute.counters.coldStarts)
      row.inFlight = minute.gauges.inFlight
      row.waiting = minute.gauges.waiting
      row.readyInstances = minute.gauges.ready
      if minute.maximum > 0 {
        row.latencyMean = Nanoseconds(Int64(minute.mean))
        row.latencyP50 = Nanoseconds(minute.p50)
        row.latencyP99 = Nanoseconds(minute.p99)
        row.latencyMax = Nanoseconds(minute.maximum)
      }
      return row
    }
  }

  func series() -> [SeriesRow] {
    collected.rows.map { item in
      let group = collected.groups[item.group]
      var row = SeriesRow(
        run: run, time: item.from, zone: configuration.zones[group.zone].name,
        class: group.trafficClass.rawValue, runtime: configuration.runtimes[group.runtime].name)
      row.arrivals = Int(item.counters.arrivals)
      row.completed = Int(item.counters.completed)
      row.refused = Int(item.counters.refused)
      row.timedOut = Int(item.counters.timedOut)
      row.coldStarts = Int(item.counters.coldStarts)
      row.inFlight = item.gauges.inFlight
      row.waiting = item.gauges.waiting
      row.readyInstances = item.gauges.ready
      if item.maximum > 0 {
        row.latencyMean = Nanoseconds(Int64(item.mean))
        row.latencyP50 = Nanoseconds(item.p50)
        row.latencyP99 = Nanoseconds(item.p99)
        row.latencyMax = Nanoseconds(item.maximum)
      }
      return row
    }
  }

  func histograms() -> [HistogramRow] {
    var rows: [HistogramRow] = []
    for (index, group) in collected.groups.enumerated() {
      for measure in LatencyMeasure.allCases {
        let histogram = collected.totals[index][Int(measure.rawValue)]
        guard histogram.count > 0 else { continue }
        var row = HistogramRow(run: run, scope: "group", measure: measure.name)
        row.zone = configuration.zones[group.zone].name
        row.serviceClass = group.trafficClass.rawValue
        row.runtime = configuration.runtimes[group.runtime].name
        row.fill(histogram)
        rows.append(row)
      }
    }
    for measure in LatencyMeasure.allCases {
      var all = LatencyHistogram()
      for index in collected.groups.indices {
        all.merge(collected.totals[index][Int(measure.rawValue)])
      }
      guard all.count > 0 else { continue }
      var row = HistogramRow(run: run, scope: "all", measure: measure.name)
      row.fill(all)
      rows.append(row)
    }
    return rows
  }

  func coldStarts() -> [ColdStartRow] {
    var rows: [ColdStartRow] = []
    for (runtime, settings) in configuration.runtimes.enumerated() {
      for path in StartPath.allCases where collected.starts.count(runtime: runtime, path: path) > 0
      {
        for component in StartTotals.Component.allCases {
          let histogram = collected.starts.histogram(runtime: runtime, path: path, component)
          var row = ColdStartRow(
            run: run, path: path == .pool ? .pool : .fallback, component: component.rawValue)
          row.runtime = settings.name
          row.count = Int(histogram.count)
          row.meanNs = histogram.mean
          row.p50 = Nanoseconds(histogram.quantile(0.5))
          row.p90 = Nanoseconds(histogram.quantile(0.9))
          row.p99 = Nanoseconds(histogram.quantile(0.99))
          row.max = Nanoseconds(histogram.maximum)
          rows.append(row)
        }
      }
    }
    return rows
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
