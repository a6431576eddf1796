import Primitives

// What a flow lane asks of nodes and gateways.
extension FlowState {
  /// Replaces what nodes were told last by what the requests in service want now, spread evenly
  /// over the instances. O(instances), where the level has changed.
  mutating func publishDemand(_ demand: inout Demand) {
    publishRequests(&demand)
    guard settings.computes else { return }
    let each = coresPerInstance
    // A mean moves with every step; a hundredth of it is not worth telling all nodes.
    let tolerance = followsPlaces ? 0.01 : 0
    let isSame =
      !isDemandOld && draining.isEmpty && publishedCores.count == instances.count
      && publishedCores.first.map { abs($0.cores - each) <= tolerance * each } ?? true
    guard !isSame else { return }
    withdrawDemand(&demand)
    isDemandOld = false
    if each > 0 {
      for entry in instances.entries { publish(each, on: entry, &demand) }
    }
    for instance in draining {
      publish(Double(instance.calls) * coresPerRequest, on: instance.entry, &demand)
    }
  }

  private mutating func publish(
    _ cores: Double, on entry: FlowInstances.Entry, _ demand: inout Demand
  ) {
    demand.add(cores: cores, sinceThen: 0, node: entry.node.index)
    publishedCores.append((entry.node.index, cores))
  }

  /// Takes back what nodes were told.
  mutating func withdrawDemand(_ demand: inout Demand) {
    for published in publishedCores {
      demand.add(cores: -published.cores, sinceThen: 0, node: published.node)
    }
    publishedCores.removeAll(keepingCapacity: true)
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
  private var coresPerInstance: Double {
    guard instances.count > 0 else { return 0 }
    let level = (followsPlaces ? recent.mean : nil) ?? Double(callsInService)
    return level / Double(instances.count) * coresPerRequest
  }

  /// Arrivals are known by the step, which may be longer than an epoch: a gateway bears their rate.
  private mutating func publishRequests(_ demand: inout Demand) {
    if let downstream = settings.downstream {
      demand.downstreams.add(
        counters.downstreamCalls - publishedCalls,
        refused: counters.downstreamRefused - publishedRefused, downstream)
      (publishedCalls, publishedRefused) = (counters.downstreamCalls, counters.downstreamRefused)
    }
    let requests = counters.attempts - publishedArrivals
    guard requests > 0, settings.gatewayHandling.count > 0 || settings.sheds else { return }
    publishedArrivals = counters.attempts
    if settings.sheds {
      demand.shedding.add(
        Double(requests), gateway: settings.gateways[0], importance: settings.importance)
    }
    guard settings.gatewayHandling.count > 0 else { return }
    let epoch = (surroundings.epochEnd - .origin).seconds
    demand.addRequests(
      epoch > 0 ? min(Double(requests), rate.perSecond * 0.1) : Double(requests),
      gateway: settings.gateways[0])
  }
}
