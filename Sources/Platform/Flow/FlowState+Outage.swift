import ControlPlane
import Primitives
import SimulationKernel
import Workload

// The lane's zone is lost and comes back, at flow fidelity: the same counts as single requests
// have.
extension FlowState {
  /// Begins to follow what goes wrong, losses of the zone beside those that it knows.
  mutating func arm(_ faults: LaneFaults) {
    outages = (outages + faults.outages.filter { $0.upperBound > now }).sorted {
      $0.lowerBound < $1.lowerBound
    }
    nodeLosses += faults.nodeLosses.filter { $0.at > now }
    podLosses += faults.podLosses.filter { $0.at > now }
    breaking.spoils += faults.spoils.filter { $0.span.lowerBound > now }
    if !faults.gateways.isEmpty {
      gatewayCourse = faults.gateways
      takeGateways()
    }
    if !faults.conditions.isEmpty {
      conditions = faults.conditions
      takeCondition()
    }
    if !faults.isGroupEmpty { armGroup(faults) }
    // The step that is under way ends there at the latest; to plan it anew would go back in time.
    let edges = [nextOutageEdge, nextGroupEdge, settings.topic?.rules.nextPauseEdge(after: now)]
    for edge in edges.compactMap({ $0 }) { endStep(before: edge) }
  }

  /// Goes on with other arrivals from a whole second on. All that came before is taken in first.
  mutating func reroute(
    _ arrivals: any ArrivalSource, at second: Instant, recorder: any LatencyRecorder
  ) {
    advance(to: second, recorder: recorder)
    if now == stepEnd {
      endStep()
      followOutages()
    }
    feed.goOn(with: arrivals, at: second)
    planStep()
  }

  /// Whether anything goes wrong here at a known instant, now or later.
  private var isFaulted: Bool {
    !(outages.isEmpty && conditions.isEmpty && nodeLosses.isEmpty && podLosses.isEmpty
      && gatewayCourse.isEmpty && breaking.spoils.isEmpty && breaking.pushes.isEmpty)
  }

  /// When the zone is lost or comes back next.
  var nextOutageEdge: Instant? {
    guard isFaulted else { return nil }
    let edges =
      outages.flatMap { [$0.lowerBound, $0.upperBound] } + conditions.map(\.at)
      + nodeLosses.map(\.at) + podLosses.map(\.at) + gatewayCourse.map(\.at)
    let edge = edges.filter { $0 > now && $0 < .distantFuture }.min()
    guard let spoil = nextSpoilEdge else { return edge }
    return min(edge ?? spoil, spoil)
  }

  /// Does what an edge that has just been reached asks for.
  mutating func followOutages() {
    if !conditions.isEmpty { takeCondition() }
    if !nodeLosses.isEmpty, !isDown {
      for loss in nodeLosses where loss.at == now { loseInstances(on: loss.nodes) }
      nodeLosses.removeAll { $0.at <= now }
    }
    losePods()
    if !breaking.spoils.isEmpty || !breaking.pushes.isEmpty { followSpoils() }
    guard !outages.isEmpty || !gatewayCourse.isEmpty else { return }
    if !gatewayCourse.isEmpty { takeGateways() }
    let isLost = outages.contains { $0.contains(now) }
    let mustBeDown = isLost || isGatewayDown
    if mustBeDown, !isDown { lose(remembering: isLost ? nil : control.retirements) }
    if !mustBeDown, isDown { comeBack() }
  }

  /// From now on things take as long as they do.
  mutating func takeCondition() {
    guard let condition = conditions.last(where: { $0.at <= now }),
      settings.hop != condition.hop || settings.serviceFactor != condition.serviceFactor
    else { return }
    settings.hop = condition.hop
    settings.serviceFactor = condition.serviceFactor
    // What has been settled of those that wait was settled for services as they were.
    if settledWaiting > 0 {
      openCohorts()
      law = nil
    }
    adjustService()
  }

  /// Everything that runs here ends. Requests are lost; messages come again.
  ///
  /// - Parameter retirements: where it is the gateway alone that is gone, what of given up
  ///   instances is not confirmed.
  private mutating func lose(remembering retirements: RetirementLedger?) {
    countReads(ended: 0)
    isDown = true
    digest.record(retirements == nil ? RecordKind.zoneLost : .gatewayLost, at: now, 0)
    if settings.isTopic {
      counters.redelivered &+= UInt64(inService + inDraining)
      ledger.reopenAll()
      moveToGate()
    } else {
      let held = inService + inDraining + waiting
      counters.lost &+= UInt64(held)
      clientsMissAll()
      ledger = WaitLedger()
    }
    counters.instancesRetired &+= UInt64(instances.count + draining.count)
    instances = FlowInstances()
    draining = DrainingInstances()
    (inService, settledWaiting, backlog, peakWaiting, levelAtEnd) = (0, 0, 0, 0, 0)
    noteRead()
    isBacklogKnown = false
    if breaking.isMixed { service = service.replaced(by: breaking.well, times: 1) }
    breaking.reset()
    law = nil
    isDemandOld = true
    unknownGone = 0
    for index in groups.indices { groups[index].outstanding = 0 }
    restartBatches()
    limits.dropLeases(at: now)
    control.loseGateway()
    control.retirements = retirements ?? RetirementLedger()
    follow(settings.keepAlive.map { KeepAliveWatch($0()) })
  }

  /// Machines are lost with the instances on them.
  private mutating func loseInstances(on nodes: [NodeID]) {
    lose(instances.entries.indices.filter { nodes.contains(instances.entries[$0].node) })
  }

  /// Instances are lost: of what is in service as much as they are of all, by a draw where places
  /// are not followed.
  ///
  /// - Parameter gone: their positions, ascending.
  mutating func lose(_ gone: [Int]) {
    guard !gone.isEmpty else { return }
    countReads(ended: 0)
    openCohorts()
    law = nil
    let busy =
      followsPlaces
      ? gone.count { !instances.places.isIdle($0) }
      : BinomialDraw.sample(
        callsInService, share: Double(gone.count) / Double(instances.count), using: &bits)
    let calls = min(busy, gone.count * rules.concurrencyLimit, callsInService)
    let lost = isBatching ? takeBackBatches(calls) : calls
    var pieces: [WaitLedger.Settled] = []
    ledger.complete(lost) { pieces.append($0) }
    inService -= lost
    noteRead()
    if settings.isTopic {
      counters.redelivered &+= UInt64(lost)
      ledger.putFirst(pieces.map(\.came))
    } else {
      counters.lost &+= UInt64(lost)
      clientsMiss(pieces)
    }
    for position in gone.reversed() { retire(removeInstance(at: position)) }
    levelAtEnd = min(levelAtEnd, callsInService)
    isDemandOld = true
    digest.record(RecordKind.dropped, at: now, UInt64(lost), UInt64(gone.count))
  }

  /// Gateways with empty caches, no instances.
  private mutating func comeBack() {
    isDown = false
    digest.record(RecordKind.zoneBack, at: now, 0)
    for part in limits.gates.indices { limits.renew(part, settings, at: now) }
    if settings.isTopic { armSampling() }
  }

  /// Takes arrivals up to an instant while nobody is there: connections are refused, and messages
  /// go into their log.
  mutating func advanceDown(to end: Instant, arrivals: Int) {
    steps &+= 1
    if isGated {
      gateLog.append(came(arrivals, from: now, to: end))
    } else if isBatching {
      batches!.log.append(came(arrivals, from: now, to: end))
    } else if settings.isTopic {
      ledger.append(came(arrivals, from: now, to: end))
    } else {
      counters.unreachable &+= UInt64(arrivals)
    }
    let start = now
    lastStep = end - now
    now = end
    if clients != nil { clientsFail(arrivals, after: 0, isSpread: true) }
    clientsLeave(from: start)
    digest.fold(UInt64(bitPattern: end.nanoseconds), UInt64(arrivals))
  }
}

extension FlowControl {
  /// Forgets what a gateway loses. Ordinals go on, so that no old start is taken for a new one.
  fileprivate mutating func loseGateway() {
    starts = []
    route = RouteEntry()
    (askAttempt, answering) = (0, 0)
    newsReceived = 0
    inbox = FlowInbox()
    isSampling = false
    backoffUntil = .origin
  }
}

extension WaitLedger {
  /// All settled invocations wait again, before those that wait, by when they came.
  mutating func reopenAll() {
    var pieces: [Cohort] = []
    complete(settledCount) { pieces.append($0.came) }
    putFirst(pieces)
  }
}
