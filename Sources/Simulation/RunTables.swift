import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

/// One run as rows of the tables.
struct RunTables {
  let outcome: RunOutcome
  let run: Int
  let document: ScenarioDocument

  var configuration: ClusterConfiguration { outcome.configuration }
  var collected: CollectedRun { outcome.collected }

  func regions() -> [RegionRow] {
    outcome.regionDigests.filter { !$0.region.isEmpty }.map {
      RegionRow(run: run, region: $0.region, digest: HexadecimalWord.text($0.digest))
    }
  }

  func zones() -> [ZoneRow] {
    configuration.zones.enumerated().map { index, zone in
      var row = ZoneRow(
        run: run, zone: zone.name,
        cluster: configuration.part(ofZone: index)?.path ?? document.cluster.name)
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
    let sections = Dictionary(
      document.services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    return configuration.services.enumerated().map { index, service in
      var row = ServiceRow(run: run, service: index, name: service.name)
      row.kind = sections[service.group]?.kind ?? ""
      row.trigger = sections[service.group]?.calledBy ?? ""
      row.`protocol` = sections[service.group]?.protocolName ?? ""
      row.tenant = service.tenantName
      row.serviceClass = service.trafficClass.rawValue
      row.runtime = configuration.runtimes[service.runtime].name
      row.shape = configuration.shapes[service.shape].name
      row.zones = service.zones.map { configuration.zones[$0.index].name }.joined(separator: ",")
      let counters = totals[index]
      row.arrivals = Int(counters.arrivals)
      row.completed = Int(counters.completed)
      row.refused = Int(counters.refused)
      row.limitedRate = Int(counters.limitedByRate)
      row.limitedConcurrency = Int(counters.limitedByConcurrency)
      row.shed = Int(counters.shed)
      row.downstreamCalls = Int(counters.downstreamCalls)
      row.downstreamRefused = Int(counters.downstreamRefused)
      row.failed = Int(counters.failed)
      row.timedOut = Int(counters.timedOut)
      row.retries = Int(counters.retries)
      row.left = Int(counters.abandoned)
      row.late = Int(counters.late)
      row.givenUp = Int(counters.givenUp)
      row.keyReads = Int(counters.keyReads)
      row.keyHits = Int(counters.keyHits)
      row.staleReads = Int(counters.staleReads)
      row.redelivered = Int(counters.redelivered)
      row.repeated = Int(counters.repeated)
      row.coldStarts = Int(counters.coldStarts)
      row.coldStartsPool = Int(counters.coldPool)
      row.coldStartsFallback = Int(counters.coldFallback)
      row.coldStartsVirtual = Int(counters.coldVirtual)
      row.coldStartsIsolate = Int(counters.coldIsolate)
      row.peakReadyInstances = outcome.readyPeaks.services[index]
      row.instanceSeconds = counters.readySeconds
      row.idleInstanceSeconds = counters.idle
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

  func serviceMinutes() -> [ServiceMinuteRow] { serviceMinutes(collected.minutes[...]) }

  func serviceMinutes(_ some: Slice<PackedRows<ServiceMinute>>) -> [ServiceMinuteRow] {
    some.map { minute in
      let zone = configuration.zones[collected.groups[collected.groupOfLane[minute.lane]].zone].name
      var row = ServiceMinuteRow(
        run: run, service: collected.serviceOfLane[minute.lane], time: minute.from, zone: zone)
      row.arrivals = Int(minute.counters.arrivals)
      row.completed = Int(minute.counters.completed)
      row.refused = Int(minute.counters.refused)
      row.failed = Int(minute.counters.failed)
      row.timedOut = Int(minute.counters.timedOut)
      row.coldStarts = Int(minute.counters.coldStarts)
      row.inFlight = minute.gauges.inFlight
      row.waiting = minute.gauges.waiting
      row.lag = minute.gauges.lag
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

  func series() -> [SeriesRow] { series(collected.rows[...]) }

  func series(_ some: Slice<PackedRows<GroupRow>>) -> [SeriesRow] {
    some.map { item in
      let group = collected.groups[item.group]
      var row = SeriesRow(
        run: run, time: item.from, zone: configuration.zones[group.zone].name,
        class: group.trafficClass.rawValue, runtime: configuration.runtimes[group.runtime].name)
      row.arrivals = Int(item.counters.arrivals)
      row.completed = Int(item.counters.completed)
      row.refused = Int(item.counters.refused)
      row.limited = Int(item.counters.limited)
      row.shed = Int(item.counters.shed)
      row.downstreamRefused = Int(item.counters.downstreamRefused)
      row.failed = Int(item.counters.failed)
      row.timedOut = Int(item.counters.timedOut)
      row.coldStarts = Int(item.counters.coldStarts)
      row.inFlight = item.gauges.inFlight
      row.waiting = item.gauges.waiting
      row.lag = item.gauges.lag
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
}
