import Primitives

// What a flow lane asks of nodes and gateways.
extension FlowState {
  /// Replaces what nodes were told last by what the requests in service want now, spread over the
  /// instances as the choice has it. O(instances), where the level has changed.
  mutating func publishDemand(_ demand: inout Demand) {
    publishRequests(&demand)
    publishRate(&demand)
    guard settings.computes else { return }
    settleDemand(&demand)
    let level = publishedLevel
    let each = instances.count > 0 ? level / Double(instances.count) * coresPerRequest : 0
    // A mean moves with every step; a hundredth of it is not worth telling all nodes.
    let tolerance = 0.01
    let isSame =
      !isDemandOld && draining.isEmpty && publishedCores.count == instances.count
      && abs(told.cores - each * Double(instances.count)) <= tolerance * told.cores
    guard !isSame else { return }
    withdrawDemand(&demand)
    isDemandOld = false
    if each > 0 {
      spreadCalls(level)
      for (position, entry) in instances.entries.enumerated() {
        publish(each * spread.weight(position), on: entry, &demand)
      }
    }
    for instance in draining {
      publish(Double(instance.calls) * coresPerRequest, on: instance.entry, &demand)
    }
  }

  /// Accounts for the difference between what calls have worked and what nodes were told that they
  /// would, to the zone. A node that has too much to do has worked all the time anyway.
  private mutating func settleDemand(_ demand: inout Demand) {
    told.meant += told.cores * (now - told.until).seconds
    told.until = now
    guard let entry = instances.entries.first ?? draining.first?.entry else { return }
    if !service.isStretched {
      demand.correct(coreSeconds: told.used - told.meant, zoneOf: entry.node.index)
    }
    (told.used, told.meant) = (0, 0)
  }

  /// Prepares how the calls lie on the instances, where the choice has the first ones busier.
  private mutating func spreadCalls(_ level: Double) {
    guard rules.choice == .leastRequests, instances.count > 1 else {
      spread = CallSpread()
      return
    }
    spread.prepare(
      count: instances.count, concurrency: rules.concurrencyLimit,
      load: max(level, min(offeredLoad, Double(slots))))
  }

  private mutating func publish(
    _ cores: Double, on entry: FlowInstances.Entry, _ demand: inout Demand
  ) {
    demand.add(cores: cores, sinceThen: 0, node: entry.node.index)
    publishedCores.append((entry.node.index, cores))
    told.cores += cores
  }

  /// Takes back what nodes were told.
  mutating func withdrawDemand(_ demand: inout Demand) {
    for published in publishedCores {
      demand.add(cores: -published.cores, sinceThen: 0, node: published.node)
    }
    publishedCores.removeAll(keepingCapacity: true)
    told.cores = 0
  }

  /// Processors that one request in service wants, averaged over its time there. Only processor
  /// time is stretched, so its part of the whole grows with the slowdown.
  var coresPerRequest: Double {
    let whole = service.mean
    guard whole > 0 else { return 0 }
    let computing = service.scale - (1 - settings.cpuFraction) * service.unitScale
    return settings.cpuShare * (computing * service.shape.mean + processorOverhead) / whole
  }

  /// Steps that end at an arrival end when there is more in service than at other times, so that
  /// there the mean of late is told and not what is there at their end.
  private var publishedLevel: Double { (followsPlaces ? recent.mean : nil) ?? expectedLevel }

  /// Calls in service on average until the step ends that begins now: from what there are to as
  /// many as the rate makes, as e^(-t/m) goes; where some wait, the former.
  private var expectedLevel: Double {
    let calls = Double(callsInService)
    let (h, m) = ((stepEnd - now).seconds, service.mean)
    guard h > 0.01 * m, waiting == 0, !isBatching else { return calls }
    let weight = m > 0 ? (1 - Elementary.exp(-h / m)) * m / h : 0
    return weight * calls + (1 - weight) * min(offeredLoad, Double(slots))
  }

  private mutating func publishRequests(_ demand: inout Demand) {
    if let downstream = settings.downstream { tellCalls(of: downstream, &demand.downstreams) }
    guard settings.sheds else {
      publishedArrivals = counters.attempts
      return
    }
    tellOffers(&demand.shedding)
  }

  /// Gateways bear a rate: that of the present second, or of a rest that may be longer than one.
  private mutating func publishRate(_ demand: inout Demand) {
    guard settings.boundsEntries else { return }
    let each = isDown ? 0 : callsPerSecond / Double(settings.gateways.count)
    guard each != toldRate.each || settings.gateways != toldRate.gateways else { return }
    withdrawRate(&demand)
    for gateway in settings.gateways { demand.gateways.addRate(each, gateway: gateway) }
    toldRate = (each, settings.gateways)
  }

  /// Calls are made as instances become free, where some wait for them.
  private var callsPerSecond: Double {
    if waiting > 0, service.mean > 0 {
      return Double(callsInService) / service.mean
    }
    let isLong = stepEnd - now > .seconds(1)
    return isLong ? rate.perSecond : Double(feed.ofSecond + retriesOfPassed)
  }

  /// Takes back what gateways were told.
  mutating func withdrawRate(_ demand: inout Demand) {
    for gateway in toldRate.gateways { demand.gateways.addRate(-toldRate.each, gateway: gateway) }
    toldRate = (0, [])
  }

  /// How much longer what is before its instances takes for a call, on average.
  var entrySlowdown: Double {
    guard settings.boundsEntries else { return 1 }
    let sum = settings.gateways.reduce(0) { $0 + surroundings.gatewaySlowdowns[$1] }
    return sum / Double(settings.gateways.count)
  }
}

/// What nodes were told of a lane's demand, and what came of it.
struct ToldDemand: Sendable, BitwiseCopyable {
  /// All that was told last, and from when on it is to be accounted for.
  var cores = 0.0
  var until: Instant
  /// Core seconds that calls have taken since, and those that they would have by what was told.
  var used = 0.0
  var meant = 0.0
}
