import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

// Pools, zones, caches, leases and components as rows.
extension RunTables {
  /// The pools that there are; numbers of others are left out.
  func pools() -> [ResultStore.PoolRow] {
    configuration.pools.enumerated().filter(\.element.isWarm).map { index, pool in
      var row = ResultStore.PoolRow(
        run: run, pool: index, runtime: configuration.runtimes[pool.runtime].name,
        shape: configuration.shapes[pool.shape].name,
        zone: configuration.zones[pool.zone.index].name)
      let summary = outcome.control.pools[index]
      row.tenants = configuration.ownerNames(pool)
      row.peakReady = outcome.readyPeaks.pools[index]
      row.size = summary.target
      row.firstPassPeak = pool.sizedBy
      row.rule = pool.rules.rule.rawValue
      row.takes = collected.poolTakes[index]
      row.misses = collected.poolMisses[index]
      row.hits = row.takes - row.misses
      row.refills = Int(summary.refills)
      row.idlePodSeconds = summary.idlePodSeconds
      row.leastLevel = summary.leastLevel
      row.firstLevel = summary.firstLevel
      row.lastLevel = summary.level
      return row
    }
  }

  /// Intervals of a pool in which nothing changed have no row.
  func poolSeries() -> [PoolSeriesRow] {
    var last = [PoolSample?](repeating: nil, count: configuration.pools.count)
    return collected.poolSamples.filter { sample in
      defer { last[sample.pool] = sample }
      guard let before = last[sample.pool], sample.takes == 0 else { return true }
      return (before.level, before.target, before.outstanding)
        != (sample.level, sample.target, sample.outstanding)
    }.map { sample in
      var row = PoolSeriesRow(run: run, time: sample.from, pool: sample.pool)
      row.level = sample.level
      row.target = sample.target
      row.outstanding = sample.outstanding
      row.takes = sample.takes
      row.misses = sample.misses
      return row
    }
  }

  func alarms() -> [AlarmRow] {
    collected.log.alarms.map { alarm in
      var row = AlarmRow(run: run, pool: alarm.pool, raised: alarm.raised)
      row.cleared = alarm.cleared
      row.level = alarm.level
      row.threshold = configuration.pools[alarm.pool].rules.alarmBelow
      return row
    }
  }

  func zoneSeries() -> [ZoneSeriesRow] {
    collected.zoneSamples.map { sample in
      var row = ZoneSeriesRow(
        run: run, time: sample.from, zone: configuration.zones[sample.zone].name)
      row.cpuUsedCores = sample.usedCores
      row.cpuCores = sample.cores
      row.cpuAllocatedCores = Double(sample.allocatedCPUMilli) / 1000
      row.memoryAllocatedMiB = Double(sample.allocatedMemoryMiB)
      row.pods = sample.pods
      return row
    }
  }

  func caches() -> [CacheRow] {
    configuration.zones.enumerated().flatMap { index, zone in
      CodeLevel.allCases.map { level in
        let loads = collected.starts.loads(zone: index, level)
        var row = CacheRow(run: run, zone: zone.name, level: "\(level)")
        row.hits = loads.count
        row.bytes = Int(loads.bytes)
        return row
      }
    }
  }

  func leases() -> [ResultStore.LeaseRow] {
    var freedAt: [Int: Instant] = [:]
    return collected.leases.enumerated().map { ordinal, change in
      // Rows of one shard at one instant keep their order.
      var row = ResultStore.LeaseRow(run: run, time: change.at, shard: change.shard)
      row.fromHolder = change.from.map {
        configuration.name(of: "worker-manager", $0, in: \.managers)
      }
      row.toHolder = change.to.map {
        configuration.name(of: "worker-manager", $0, in: \.managers)
      }
      if change.to == nil {
        row.reason = "expired"
        freedAt[change.shard] = change.at
      } else {
        row.reason = change.at == .origin ? "start" : "acquired"
        row.gap = freedAt[change.shard].map { change.at - $0 }
      }
      return row
    }
  }

  func components() -> [ComponentRow] {
    let control = outcome.control
    var rows = (control.components + control.others).map { component in
      let range =
        component.kind == "dispatcher" ? \ClusterPart.dispatchers : \ClusterPart.managers
      let instance =
        component.index.map { configuration.name(of: component.kind, $0, in: range) } ?? "all"
      var row = ComponentRow(run: run, component: component.kind, instance: instance)
      row.messagesIn = Int(component.messagesIn)
      row.messagesOut = Int(component.messagesOut)
      row.retries = component.retries.map { Int($0) }
      row.busy = component.busySeconds.map { Nanoseconds(seconds: $0) }
      return row
    }
    for zone in configuration.zones.indices { rows.append(gateways(zone)) }
    return rows
  }

  /// The gateways of a zone: requests and the messages of the control plane.
  private func gateways(_ zone: Int) -> ComponentRow {
    var row = ComponentRow(
      run: run, component: "gateway", instance: configuration.zones[zone].name)
    var requests = 0
    for (lane, counters) in outcome.lanes.enumerated()
    where collected.groups[collected.groupOfLane[lane]].zone == zone {
      requests += Int(counters.arrivals)
      row.messagesIn += Int(counters.arrivals + counters.messagesIn)
      row.messagesOut += Int(counters.messagesOut)
    }
    row.busy = configuration.gateways.handling * Int64(requests)
    return row
  }
}
