import Primitives

extension ControlSummary {
  /// Adds what another cluster has counted, in the numbering of all clusters.
  public mutating func add(_ other: ControlSummary, of part: ClusterPart) {
    events += other.events
    podsCreated += other.podsCreated
    podsDeleted += other.podsDeleted
    podsCreating += other.podsCreating
    podsWarm += other.podsWarm
    podsLoading += other.podsLoading
    podsReady += other.podsReady
    creationsAsked += other.creationsAsked
    creationsFailed += other.creationsFailed
    startsOpen += other.startsOpen
    codeHitsNode += other.codeHitsNode
    codeHitsZone += other.codeHitsZone
    codeFetches += other.codeFetches
    podsAbandoned += other.podsAbandoned
    pools += other.pools
    autoscaleDecisions += other.autoscaleDecisions
    nodes += other.nodes
    capacity.add(other.capacity, of: part)
    hosts.add(other.hosts)
    tokensHeld += other.tokensHeld
    addComponents(of: other, part)
    tenants =
      tenants.isEmpty ? other.tenants : zip(tenants, other.tenants).map { $0.adding($1) }
  }

  private mutating func addComponents(of other: ControlSummary, _ part: ClusterPart) {
    components += other.components.map { component in
      var component = component
      let first =
        component.kind == "dispatcher" ? part.dispatchers.lowerBound : part.managers.lowerBound
      component.index = component.index.map { $0 + first }
      return component
    }
    for component in other.others {
      guard
        let index = others.firstIndex(where: {
          $0.kind == component.kind && $0.index == component.index
        })
      else {
        others.append(component)
        continue
      }
      others[index].messagesIn += component.messagesIn
      others[index].messagesOut += component.messagesOut
      if let busy = component.busySeconds {
        others[index].busySeconds = (others[index].busySeconds ?? 0) + busy
      }
      if let retries = component.retries {
        others[index].retries = (others[index].retries ?? 0) + retries
      }
    }
  }
}

extension CapacitySummary {
  fileprivate mutating func add(_ other: CapacitySummary, of part: ClusterPart) {
    zones += other.zones
    groups += other.groups.map { group in
      var group = group
      group.pool += part.nodePools.lowerBound
      group.zone = ZoneID(group.zone.index + part.zones.lowerBound)
      return group
    }
    virtual.add(other.virtual)
  }
}

extension CapacitySummary.Item {
  /// The most at once of both together is not known: their sum is a bound.
  fileprivate mutating func add(_ other: Self) {
    units += other.units
    most += other.most
    unitHours += other.unitHours
    coreHours += other.coreHours
    cost += other.cost
  }
}

extension HostSummary {
  fileprivate mutating func add(_ other: HostSummary) {
    hosts += other.hosts
    isolates += other.isolates
    takenBytes += other.takenBytes
    returnedBytes += other.returnedBytes
    usedBytes += other.usedBytes
    memoryBytes += other.memoryBytes
    refusals += other.refusals
  }
}
