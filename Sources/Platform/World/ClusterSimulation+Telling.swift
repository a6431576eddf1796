import ControlPlane
import Primitives
import SimulationKernel

// What a run tells: rows of the series, totals, and whether everything adds up.
extension ClusterSimulation {
  func closeSeriesRow() {
    let seconds = (now - seriesStart).seconds
    for index in laneSet.takeTouched() {
      let lane = laneSet.lanes[index]
      lane.settle(at: now, recorder: recorder)
      if !lane.isAtRest { laneSet.touch(index) }
      let (counters, gauges) = (lane.counters, lane.gauges)
      // What waits has a row although nothing happens to it: lag that nobody works off is lag.
      guard counters != reported[index] || gauges.lag > 0 || gauges.waiting > 0 else { continue }
      recorder.series(
        lane: LaneID(index), from: seriesStart, to: now,
        delta: counters.difference(from: reported[index]), now: gauges)
      reported[index] = counters
    }
    control.report(at: now, zoneCoreSeconds: demand.zoneCoreSeconds, seconds: seconds)
    recorder.seriesEnds(at: now)
    seriesStart = now
  }

  /// Closes the row of the series that is open, so that what comes is apart from what was.
  public func closeRow() {
    if seriesStart < now { closeSeriesRow() }
  }

  /// A lane's counts so far and what it is now.
  public func lane(_ lane: LaneID) -> (counters: LaneCounters, gauges: LaneGauges) {
    lanes[lane.index].bringGauges(to: now)
    return (lanes[lane.index].counters, lanes[lane.index].gauges)
  }

  /// The partitions of a lane's topic now; none where it has no topic, or is at flow fidelity.
  public func partitions(of lane: LaneID) -> [PartitionGauges] { lanes[lane.index].partitions }

  public var laneCount: Int { lanes.count }

  public func place(of lane: LaneID) -> (service: ServiceID, zone: ZoneID) {
    let place = topology.lanes[lane.index]
    return (place.service, place.zone)
  }

  /// From here on peaks, levels of pools and what they cost are counted afresh.
  public func restartCounts() {
    laneSet.ready.restart()
    control.restartCounts(at: now)
  }

  /// The most ready pods at once since the last restart of counts.
  public var readyPeaks: ReadyPeaks { laneSet.ready.peaks }

  public var controlSummary: ControlSummary { control.summary }

  /// Invocations that were represented, and events that were executed, so far.
  public var work: (represented: UInt64, executed: UInt64) {
    lanes.reduce((represented: 0, executed: control.executed)) {
      ($0.represented + $1.represented, $0.executed + $1.executed)
    }
  }

  /// Folds, in the order of lanes and then the shared part, everything that happened.
  public var digest: UInt64 {
    var digest = Digest()
    // The grid on which what is sent unasked takes effect is a part of what was simulated.
    digest.fold(UInt64(bitPattern: configuration.epoch.count))
    for lane in lanes { digest.combine(lane.digest) }
    digest.combine(control.digest)
    return digest.value
  }

  /// Every term of conservation by a counter or gauge of its own, and whether they add up.
  public func conservation() -> [ConservationTerms] {
    lanes.indices.map { index in
      let counters = lanes[index].counters
      let gauges = lanes[index].gauges
      return ConservationTerms(
        lane: LaneID(index), arrivals: expectedArrivals(index), admitted: counters.arrivals,
        retries: counters.retries,
        completed: counters.completed, refused: counters.refused, failed: counters.failed,
        expired: counters.expired, deadLettered: counters.deadLettered,
        waiting: UInt64(gauges.waiting), inFlight: UInt64(gauges.inFlight),
        instancesAdded: counters.instancesAdded, instancesRetired: counters.instancesRetired,
        ready: UInt64(gauges.ready))
    }
  }

  private func expectedArrivals(_ index: Int) -> UInt64 { lanes[index].delivered }

  /// Throws if anything is lost, made from nothing, or held twice.
  public func checkInvariants() throws {
    for terms in conservation() {
      if let what = terms.violation {
        throw InvariantViolation(what: what, at: now, seed: configuration.seed)
      }
    }
    if let what = control.violation() ?? instanceViolation ?? idleViolation {
      throw InvariantViolation(what: what, at: now, seed: configuration.seed)
    }
  }

  /// Every instance of a lane is a pod of that lane, and no pod is two instances.
  private var instanceViolation: String? {
    var seen: [PodID: LaneID] = [:]
    var violation: String?
    for (index, lane) in lanes.enumerated() {
      lane.forEachInstance { pod, _ in
        if !control.isInstance(pod, of: LaneID(index)) {
          violation = "lane \(index) has pod \(pod.raw) as an instance, which is none of its own"
        }
        if let other = seen.updateValue(LaneID(index), forKey: pod) {
          violation = "pod \(pod.raw) is an instance of lane \(other.raw) and of lane \(index)"
        }
      }
    }
    return violation
  }

  /// Nobody waits where an instance is free.
  private var idleViolation: String? {
    for (index, lane) in lanes.enumerated() where lane.isIdleWhileWaiting(at: now) {
      return "requests wait in lane \(index) although an instance is free"
    }
    return nil
  }
}

/// The terms of one lane's conservation of requests and of instances.
public struct ConservationTerms: Sendable {
  public var lane: LaneID
  /// Handed over by the workload, as the source counted.
  public var arrivals: UInt64
  /// Taken in at the gateways.
  public var admitted: UInt64
  /// What came again of requests that had no answer.
  public var retries: UInt64
  public var completed: UInt64
  public var refused: UInt64
  public var failed: UInt64
  /// Messages that were deleted before they were answered, and those that failed too often.
  public var expired: UInt64
  public var deadLettered: UInt64
  public var waiting: UInt64
  public var inFlight: UInt64
  public var instancesAdded: UInt64
  public var instancesRetired: UInt64
  public var ready: UInt64

  /// What does not add up, if anything.
  public var violation: String? {
    let accounted =
      completed + refused + failed + expired + deadLettered + waiting + inFlight
    if arrivals + retries != accounted || admitted != arrivals {
      return """
        lane \(lane.raw): \(arrivals) requests arrived, \(admitted) were admitted and \(retries) \
        came again, but \
        \(completed) completed + \(refused) refused + \(failed) failed + \(expired) expired + \
        \(deadLettered) dead letters + \(waiting) waiting + \(inFlight) in flight = \
        \(accounted)
        """
    }
    if instancesAdded != instancesRetired + ready {
      return """
        lane \(lane.raw): \(instancesAdded) instances came, \(instancesRetired) went, \(ready) \
        are there
        """
    }
    return nil
  }
}

extension LaneCounters {
  /// Adds the counts of another lane or time.
  public mutating func add(_ other: LaneCounters) {
    arrivals += other.arrivals
    completed += other.completed
    refusedQueueFull += other.refusedQueueFull
    refusedNoCapacity += other.refusedNoCapacity
    limitedByRate += other.limitedByRate
    limitedByConcurrency += other.limitedByConcurrency
    shed += other.shed
    downstreamCalls += other.downstreamCalls
    downstreamRefused += other.downstreamRefused
    timedOut += other.timedOut
    lost += other.lost
    unreachable += other.unreachable
    erred += other.erred
    ejections += other.ejections
    migrations += other.migrations
    retries += other.retries
    abandoned += other.abandoned
    late += other.late
    givenUp += other.givenUp
    handedOver += other.handedOver
    takenOver += other.takenOver
    redelivered += other.redelivered
    repeated += other.repeated
    keyReads += other.keyReads
    keyHits += other.keyHits
    staleReads += other.staleReads
    expired += other.expired
    deadLettered += other.deadLettered
    coldPool += other.coldPool
    coldFallback += other.coldFallback
    coldVirtual += other.coldVirtual
    coldIsolate += other.coldIsolate
    waited += other.waited
    instancesAdded += other.instancesAdded
    instancesRetired += other.instancesRetired
    messagesOut += other.messagesOut
    messagesIn += other.messagesIn
    startsAsked += other.startsAsked
    startsFailed += other.startsFailed
    evictions += other.evictions
    staleUses += other.staleUses
    staleFailures += other.staleFailures
    routeQuestions += other.routeQuestions
    readySeconds += other.readySeconds
    idleSeconds += other.idleSeconds
    inFlightSeconds += other.inFlightSeconds
    coreSeconds += other.coreSeconds
    leaseGranted += other.leaseGranted
    leaseUsed += other.leaseUsed
    leasedSeconds += other.leasedSeconds
    unleasedSeconds += other.unleasedSeconds
  }

  /// What was counted since an earlier state.
  public func difference(from earlier: LaneCounters) -> LaneCounters {
    var delta = LaneCounters()
    delta.arrivals = arrivals - earlier.arrivals
    delta.completed = completed - earlier.completed
    delta.refusedQueueFull = refusedQueueFull - earlier.refusedQueueFull
    delta.refusedNoCapacity = refusedNoCapacity - earlier.refusedNoCapacity
    delta.limitedByRate = limitedByRate - earlier.limitedByRate
    delta.limitedByConcurrency = limitedByConcurrency - earlier.limitedByConcurrency
    delta.shed = shed - earlier.shed
    delta.downstreamCalls = downstreamCalls - earlier.downstreamCalls
    delta.downstreamRefused = downstreamRefused - earlier.downstreamRefused
    delta.timedOut = timedOut - earlier.timedOut
    delta.lost = lost - earlier.lost
    delta.unreachable = unreachable - earlier.unreachable
    delta.erred = erred - earlier.erred
    delta.ejections = ejections - earlier.ejections
    delta.migrations = migrations - earlier.migrations
    delta.retries = retries - earlier.retries
    delta.abandoned = abandoned - earlier.abandoned
    delta.late = late - earlier.late
    delta.givenUp = givenUp - earlier.givenUp
    delta.handedOver = handedOver - earlier.handedOver
    delta.takenOver = takenOver - earlier.takenOver
    delta.redelivered = redelivered - earlier.redelivered
    delta.repeated = repeated - earlier.repeated
    delta.keyReads = keyReads - earlier.keyReads
    delta.keyHits = keyHits - earlier.keyHits
    delta.staleReads = staleReads - earlier.staleReads
    delta.expired = expired - earlier.expired
    delta.deadLettered = deadLettered - earlier.deadLettered
    delta.coldPool = coldPool - earlier.coldPool
    delta.coldFallback = coldFallback - earlier.coldFallback
    delta.coldVirtual = coldVirtual - earlier.coldVirtual
    delta.coldIsolate = coldIsolate - earlier.coldIsolate
    delta.waited = waited - earlier.waited
    delta.instancesAdded = instancesAdded - earlier.instancesAdded
    delta.instancesRetired = instancesRetired - earlier.instancesRetired
    delta.messagesOut = messagesOut - earlier.messagesOut
    delta.messagesIn = messagesIn - earlier.messagesIn
    delta.startsAsked = startsAsked - earlier.startsAsked
    delta.startsFailed = startsFailed - earlier.startsFailed
    delta.evictions = evictions - earlier.evictions
    delta.staleUses = staleUses - earlier.staleUses
    delta.staleFailures = staleFailures - earlier.staleFailures
    delta.routeQuestions = routeQuestions - earlier.routeQuestions
    delta.readySeconds = readySeconds - earlier.readySeconds
    delta.idleSeconds = idleSeconds - earlier.idleSeconds
    delta.inFlightSeconds = inFlightSeconds - earlier.inFlightSeconds
    delta.coreSeconds = coreSeconds - earlier.coreSeconds
    delta.leaseGranted = leaseGranted - earlier.leaseGranted
    delta.leaseUsed = leaseUsed - earlier.leaseUsed
    delta.leasedSeconds = leasedSeconds - earlier.leasedSeconds
    delta.unleasedSeconds = unleasedSeconds - earlier.unleasedSeconds
    return delta
  }
}
