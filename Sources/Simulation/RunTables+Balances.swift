import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

// Conservation, single figures and events as rows.
extension RunTables {
  func conservation() -> [ConservationRow] {
    requests() + pods() + tokens() + nodes() + hosts()
  }

  private func requests() -> [ConservationRow] {
    let names = [
      "arrivals", "retries", "completed", "refused", "failed", "expired", "dead letters",
      "waiting", "in flight",
    ]
    var sums = [UInt64](repeating: 0, count: names.count)
    var rows: [ConservationRow] = []
    for terms in outcome.conservation {
      let values = [
        terms.arrivals, terms.retries, terms.completed, terms.refused, terms.failed, terms.expired,
        terms.deadLettered, terms.waiting, terms.inFlight,
      ]
      for index in values.indices {
        sums[index] += values[index]
        guard values[index] > 0 else { continue }
        rows.append(
          ConservationRow(
            run: run, scope: name(of: terms.lane.index), quantity: "requests", term: names[index],
            side: index < 2 ? 1 : -1, count: Int(values[index])))
      }
    }
    return names.indices.map { index in
      ConservationRow(
        run: run, scope: "all", quantity: "requests", term: names[index],
        side: index < 2 ? 1 : -1, count: Int(sums[index]))
    } + rows
  }

  private func name(of lane: Int) -> String {
    let zone = configuration.zones[collected.groups[collected.groupOfLane[lane]].zone].name
    return "\(configuration.services[collected.serviceOfLane[lane]].name)@\(zone)"
  }

  private func balance(
    _ quantity: String, scope: String = "all", _ terms: [(String, side: Int, Int)]
  ) -> [ConservationRow] {
    terms.map {
      ConservationRow(
        run: run, scope: scope, quantity: quantity, term: $0.0, side: $0.side, count: $0.2)
    }
  }

  private func pods() -> [ConservationRow] {
    let control = outcome.control
    return balance(
      "pods",
      [
        ("created", 1, Int(control.podsCreated)), ("deleted", -1, Int(control.podsDeleted)),
        ("creating", -1, control.podsCreating), ("warm", -1, control.podsWarm),
        ("loading", -1, control.podsLoading), ("ready", -1, control.podsReady),
      ])
  }

  /// Tokens of shards: taken at etcd, lost there with their lease, held at the end.
  private func tokens() -> [ConservationRow] {
    balance(
      "tokens",
      [
        ("taken", 1, collected.leases.count { $0.to != nil }),
        ("lost", -1, collected.leases.count { $0.to == nil }),
        ("held", -1, outcome.control.tokensHeld),
      ])
  }

  private func nodes() -> [ConservationRow] {
    zip(configuration.zones, outcome.control.nodes).flatMap { zone, nodes in
      balance(
        "node_cpu_milli", scope: zone.name,
        [
          ("placed", 1, Int(nodes.placed.cpuMilli)), ("released", -1, Int(nodes.released.cpuMilli)),
          ("allocated", -1, Int(nodes.allocated.cpuMilli)),
        ])
        + balance(
          "node_memory_mib", scope: zone.name,
          [
            ("placed", 1, Int(nodes.placed.memoryMiB)),
            ("released", -1, Int(nodes.released.memoryMiB)),
            ("allocated", -1, Int(nodes.allocated.memoryMiB)),
          ])
    }
  }

  /// Memory of worker processes that isolates took, gave back and have.
  private func hosts() -> [ConservationRow] {
    guard configuration.pools.contains(where: { $0.hosts != nil }) else { return [] }
    let memory = outcome.control.hosts
    return balance(
      "host_memory_bytes",
      [
        ("taken", 1, Int(memory.takenBytes)), ("returned", -1, Int(memory.returnedBytes)),
        ("used", -1, Int(memory.usedBytes)),
      ])
  }

  /// Figures after the warm-up that tests and people ask for by name.
  func measures() -> [MeasureRow] {
    var sum = LaneCounters()
    for lane in collected.laneCounters { sum.add(lane) }
    let seconds = (.origin + outcome.simulated - collected.warmup).seconds
    let values: [(String, Double)] = [
      ("arrivals", Double(sum.arrivals)), ("completed", Double(sum.completed)),
      ("refused", Double(sum.refused)), ("failed", Double(sum.failed)),
      ("timed_out", Double(sum.timedOut)), ("lost", Double(sum.lost)),
      ("unreachable", Double(sum.unreachable)), ("erred", Double(sum.erred)),
      ("ejections", Double(sum.ejections)), ("migrations", Double(sum.migrations)),
      ("answered", Double(sum.answered)),
      ("retries", Double(sum.retries)), ("abandoned", Double(sum.abandoned)),
      ("late", Double(sum.late)), ("given_up", Double(sum.givenUp)),
      ("limited_rate", Double(sum.limitedByRate)),
      ("limited_concurrency", Double(sum.limitedByConcurrency)), ("shed", Double(sum.shed)),
      ("downstream_calls", Double(sum.downstreamCalls)),
      ("downstream_refused", Double(sum.downstreamRefused)),
      ("redelivered", Double(sum.redelivered)), ("repeated", Double(sum.repeated)),
      ("expired", Double(sum.expired)), ("dead_lettered", Double(sum.deadLettered)),
      ("cold_starts", Double(sum.coldStarts)), ("cold_starts_pool", Double(sum.coldPool)),
      ("cold_starts_fallback", Double(sum.coldFallback)),
      ("cold_starts_virtual", Double(sum.coldVirtual)),
      ("cold_starts_isolate", Double(sum.coldIsolate)), ("key_reads", Double(sum.keyReads)),
      ("key_hits", Double(sum.keyHits)), ("stale_reads", Double(sum.staleReads)),
      ("waited", Double(sum.waited)),
      ("instances_made", Double(sum.instancesAdded)),
      ("ready_instances_mean", seconds > 0 ? sum.readySeconds / seconds : 0),
      ("idle_instances_mean", seconds > 0 ? sum.idle / seconds : 0),
      ("in_flight_mean", seconds > 0 ? sum.inFlightSeconds / seconds : 0),
      ("idle_instance_seconds", sum.idle), ("stale_route_uses", Double(sum.staleUses)),
      ("stale_route_failures", Double(sum.staleFailures)),
      ("route_questions", Double(sum.routeQuestions)), ("evictions", Double(sum.evictions)),
      ("alarms_left_out", Double(collected.log.alarmsLeftOut)),
    ]
    return values.map { MeasureRow(run: run, name: $0.0, scope: "all", value: $0.1) }
  }

  func events() -> [EventRow] {
    var rows = collected.log.events.map { logged in
      let event = logged.event
      var row = EventRow(
        run: run, time: event.at, severity: event.kind.severity, kind: event.kind.rawValue,
        subject: subject(event), text: text(event))
      row.count = logged.count
      if logged.count > 1 { row.until = logged.until }
      return row
    }
    if collected.log.leftOut > 0 {
      var row = EventRow(
        run: run, time: .origin + outcome.simulated, severity: .info, kind: "left_out",
        subject: "run", text: "so many more events are not told one by one")
      row.count = collected.log.leftOut
      rows.append(row)
    }
    return rows
  }

  private func subject(_ event: NotableEvent) -> String {
    switch event.kind {
    case .alarmRaised, .alarmCleared: return poolName(event.subject)
    case .crash, .restart:
      return configuration.name(of: "worker-manager", event.subject, in: \.managers)
    case .leaseLost, .leaseTaken:
      return configuration.name(of: "shard", event.subject, in: \.shards)
    case .dispatcherCrash, .dispatcherRestart:
      return configuration.name(of: "dispatcher", event.subject, in: \.dispatchers)
    case .noCapacity, .zoneLost, .zoneBack, .zoneNoticed, .zoneUnhealthy, .zoneHealthy,
      .trafficShifted:
      return configuration.zones[event.subject].name
    case .overQuota: return configuration.tenants[event.subject].name
    case .changed:
      return document.changes.first { $0.numbers.contains(event.subject) }?.name ?? "change"
    case .instanceBroken, .instanceMigrated: return configuration.services[event.subject].name
    case .faultBegins, .faultEnds, .faultNoticed, .faultShifted:
      return configuration.faults[event.subject].name
    case .machinesOrdered, .machinesRefused, .machinesLate, .nodeJoined, .nodeRemoved:
      let group = outcome.control.capacity.groups[event.subject]
      return configuration.nodePools[group.pool].name + "/"
        + configuration.zones[group.zone.index].name
    }
  }

  private func poolName(_ index: Int) -> String {
    let pool = configuration.pools[index]
    let names = [
      configuration.runtimes[pool.runtime].name, configuration.shapes[pool.shape].name,
      configuration.zones[pool.zone.index].name,
    ]
    let owners = pool.tenants.isEmpty ? [] : [configuration.ownerNames(pool)]
    return (names + owners).joined(separator: "/")
  }

  private func manager(_ index: Int) -> String {
    configuration.name(of: "worker-manager", index, in: \.managers)
  }

  private func text(_ event: NotableEvent) -> String {
    switch event.kind {
    case .alarmRaised:
      "level \(event.detail) is below \(configuration.pools[event.subject].rules.alarmBelow)"
    case .alarmCleared: "level \(event.detail) is at the target again"
    case .crash, .dispatcherCrash: "stopped and lost its state"
    case .restart, .dispatcherRestart: "started with nothing"
    case .zoneLost: "machines, gateways and components of the zone are gone"
    case .zoneBack: "the zone is there again, empty"
    case .zoneNoticed: "Kubernetes knows that what ran there runs no more"
    case .zoneUnhealthy: "the balancer takes the zone for gone"
    case .zoneHealthy: "the balancer takes the zone for well"
    case .trafficShifted: "other weights of the balancer hold"
    case .changed: "what the region's API was asked for has come about"
    case .faultBegins: "the fault begins"
    case .faultEnds: "the fault is over"
    case .faultNoticed:
      "\(configuration.faults[event.subject].noticedBy ?? "somebody") has noticed"
    case .faultShifted: "others have what it had"
    case .instanceBroken: "a caller has broken pod \(event.detail)"
    case .instanceMigrated: "pod \(event.detail) was replaced and is gone"
    case .leaseLost: "\(manager(event.detail)) serves it no more"
    case .leaseTaken: "\(manager(event.detail)) serves it"
    case .noCapacity: "no node had room for a pod"
    case .overQuota: "the tenant has its quota: no more pods"
    case .machinesOrdered: "\(event.detail) machines were ordered"
    case .machinesRefused: "the supply is dry: \(event.detail) machines will not come"
    case .machinesLate:
      "\(event.detail) machines have not come within `provision_time`: nobody waits for them"
    case .nodeJoined: "node \(event.detail) takes pods"
    case .nodeRemoved: "node \(event.detail) was not needed and is gone"
    }
  }
}

extension NotableEvent.Kind {
  /// What a component does as it is meant to is no warning.
  fileprivate var severity: Severity {
    switch self {
    case .crash, .dispatcherCrash, .zoneLost, .faultBegins: .error
    case .zoneUnhealthy, .faultNoticed: .warning
    case .alarmRaised, .leaseLost, .noCapacity, .overQuota, .machinesRefused, .machinesLate,
      .instanceBroken:
      .warning
    case .alarmCleared, .restart, .dispatcherRestart, .leaseTaken, .machinesOrdered, .nodeJoined,
      .nodeRemoved, .zoneBack, .zoneNoticed, .zoneHealthy, .trafficShifted, .faultEnds,
      .faultShifted,
      .instanceMigrated, .changed:
      .info
    }
  }
}
