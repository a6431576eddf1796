import ControlPlane
import Platform
import Primitives
import ResultStore

// Pools, zones, caches, leases, components, conservation and events as rows.
extension RunTables {
  func pools() -> [ResultStore.PoolRow] {
    let peaks = outcome.peakReady()
    return configuration.pools.enumerated().map { index, pool in
      var row = ResultStore.PoolRow(
        run: run, pool: index, runtime: configuration.runtimes[pool.runtime].name,
        shape: configuration.shapes[pool.shape].name,
        zone: configuration.zones[pool.zone.index].name)
      let summary = outcome.control.pools[index]
      row.peakReady = peaks[index]
      row.size = summary.target
      row.rule = pool.rules.rule.rawValue
      row.takes = collected.poolTakes[index]
      row.misses = collected.poolMisses[index]
      row.hits = row.takes - row.misses
      row.refills = Int(summary.refills)
      row.idlePodSeconds = summary.idlePodSeconds
      let levels = collected.poolSamples.filter { $0.pool == index }.map(\.level)
      row.leastLevel = levels.min() ?? 0
      row.firstLevel = levels.first ?? 0
      row.lastLevel = levels.last ?? 0
      return row
    }
  }

  func poolSeries() -> [PoolSeriesRow] {
    collected.poolSamples.map { sample in
      var row = PoolSeriesRow(run: run, time: sample.at, pool: sample.pool)
      row.level = sample.level
      row.target = sample.target
      row.outstanding = sample.outstanding
      return row
    }
  }

  func zoneSeries() -> [ZoneSeriesRow] {
    collected.zoneSamples.map { sample in
      var row = ZoneSeriesRow(
        run: run, time: sample.at, zone: configuration.zones[sample.zone].name)
      row.cpuUsedCores = sample.usedCores
      row.cpuAllocatedCores = Double(sample.allocatedCPUMilli) / 1000
      row.memoryAllocatedMiB = Double(sample.allocatedMemoryMiB)
      row.pods = sample.pods
      return row
    }
  }

  func caches() -> [CacheRow] {
    configuration.zones.enumerated().flatMap { index, zone in
      let levels: [(String, UInt64)] = [
        ("node", outcome.control.codeHitsNode[index]),
        ("zone", outcome.control.codeHitsZone[index]),
        ("origin", outcome.control.codeFetches[index]),
      ]
      return levels.map { level, hits in
        var row = CacheRow(run: run, zone: zone.name, level: level)
        row.hits = Int(hits)
        return row
      }
    }
  }

  func leases() -> [ResultStore.LeaseRow] {
    var freedAt: [Int: Instant] = [:]
    return collected.leases.enumerated().map { ordinal, change in
      // Rows of one shard at one instant keep their order.
      var row = ResultStore.LeaseRow(run: run, time: change.at, shard: change.shard)
      row.fromHolder = change.from.map { "worker-manager-\($0)" }
      row.toHolder = change.to.map { "worker-manager-\($0)" }
      if change.to == nil {
        row.reason = "expired"
        freedAt[change.shard] = change.at
      } else {
        row.reason = "acquired"
        row.gap = freedAt[change.shard].map { change.at - $0 }
      }
      return row
    }
  }

  func components() -> [ComponentRow] {
    var rows = outcome.control.components.map { component in
      var row = ComponentRow(
        run: run, component: component.kind, instance: "\(component.kind)-\(component.index)")
      row.messagesIn = Int(component.messagesIn)
      row.messagesOut = Int(component.messagesOut)
      row.busy = Nanoseconds(seconds: component.busySeconds)
      return row
    }
    var gateways = ComponentRow(run: run, component: "gateway", instance: "all")
    for lane in outcome.lanes {
      gateways.messagesIn += Int(lane.messagesIn)
      gateways.messagesOut += Int(lane.messagesOut)
    }
    rows.append(gateways)
    return rows
  }

  func conservation() -> [ConservationRow] {
    var sums = [UInt64](repeating: 0, count: 6)
    for terms in outcome.conservation {
      let values = [
        terms.arrivals, terms.completed, terms.refused, terms.failed, terms.waiting,
        terms.inFlight,
      ]
      for index in values.indices { sums[index] += values[index] }
    }
    let names = ["arrivals", "completed", "refused", "failed", "waiting", "in flight"]
    var rows = names.indices.map { index in
      ConservationRow(
        run: run, scope: "all", quantity: "requests", term: names[index],
        side: index == 0 ? 1 : -1, count: Int(sums[index]))
    }
    let control = outcome.control
    let pods: [(String, Int, Int)] = [
      ("created", 1, Int(control.podsCreated)), ("deleted", -1, Int(control.podsDeleted)),
      ("creating", -1, control.podsCreating), ("warm", -1, control.podsWarm),
      ("loading", -1, control.podsLoading), ("ready", -1, control.podsReady),
    ]
    rows += pods.map {
      ConservationRow(
        run: run, scope: "all", quantity: "pods", term: $0.0, side: $0.1, count: $0.2)
    }
    return rows
  }

  /// Totals that tests and people ask for by name.
  func measures() -> [MeasureRow] {
    var sum = LaneCounters()
    for lane in outcome.lanes { sum.add(lane) }
    let seconds = outcome.simulated.seconds
    let values: [(String, Double)] = [
      ("arrivals", Double(sum.arrivals)), ("completed", Double(sum.completed)),
      ("refused", Double(sum.refused)), ("timed_out", Double(sum.timedOut)),
      ("cold_starts", Double(sum.coldStarts)), ("cold_starts_pool", Double(sum.coldPool)),
      ("cold_starts_fallback", Double(sum.coldFallback)), ("waited", Double(sum.waited)),
      ("instances_made", Double(sum.instancesAdded)),
      ("ready_instances_mean", seconds > 0 ? sum.readySeconds / seconds : 0),
      ("idle_instances_mean", seconds > 0 ? sum.idleSeconds / seconds : 0),
      ("in_flight_mean", seconds > 0 ? sum.inFlightSeconds / seconds : 0),
      ("idle_instance_seconds", sum.idleSeconds), ("stale_route_uses", Double(sum.staleUses)),
      ("route_questions", Double(sum.routeQuestions)), ("evictions", Double(sum.evictions)),
    ]
    return values.map { MeasureRow(run: run, name: $0.0, scope: "all", value: $0.1) }
  }

  func events() -> [EventRow] {
    collected.events.map { event in
      EventRow(
        run: run, time: event.at, severity: event.kind == .crash ? .error : .warning,
        kind: event.kind.rawValue, subject: subject(event), text: text(event))
    }
  }

  private func subject(_ event: NotableEvent) -> String {
    switch event.kind {
    case .alarmRaised, .alarmCleared: return poolName(event.subject)
    case .crash, .restart: return "worker-manager-\(event.subject)"
    case .leaseLost, .leaseTaken: return "shard-\(event.subject)"
    case .noCapacity: return configuration.zones[event.subject].name
    }
  }

  private func poolName(_ index: Int) -> String {
    let pool = configuration.pools[index]
    return [
      configuration.runtimes[pool.runtime].name, configuration.shapes[pool.shape].name,
      configuration.zones[pool.zone.index].name,
    ].joined(separator: "/")
  }

  private func text(_ event: NotableEvent) -> String {
    switch event.kind {
    case .alarmRaised: "level \(event.detail) is below the alarm's"
    case .alarmCleared: "level \(event.detail) is at the target again"
    case .crash: "stopped and lost its state"
    case .restart: "started with nothing"
    case .leaseLost: "worker-manager-\(event.detail) serves it no more"
    case .leaseTaken: "worker-manager-\(event.detail) serves it"
    case .noCapacity: "no node had room for a pod"
    }
  }
}

extension RunOutcome {
  /// By pool: most ready pods of its runtime, shape and zone at the end of a row, without the
  /// warm-up.
  public func peakReady() -> [Int] {
    var shapeOfGroup: [Int: Int] = [:]
    for (lane, group) in collected.groupOfLane.enumerated() {
      shapeOfGroup[group] = configuration.services[collected.serviceOfLane[lane]].shape
    }
    return configuration.pools.map { pool in
      var byTime: [Instant: Int] = [:]
      for row in collected.rows where row.from >= collected.warmup {
        let group = collected.groups[row.group]
        guard group.runtime == pool.runtime, group.zone == pool.zone.index,
          shapeOfGroup[row.group] == pool.shape
        else { continue }
        byTime[row.to, default: 0] += row.gauges.ready
      }
      return byTime.values.max() ?? 0
    }
  }
}
