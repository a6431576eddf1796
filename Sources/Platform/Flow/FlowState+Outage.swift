import ControlPlane
import Primitives
import SimulationKernel
import Workload

// The lane's zone is lost and comes back, at flow fidelity: the same counts as single requests
// have.
extension FlowState {
  /// Begins to follow losses of the zone, beside those that it knows.
  mutating func arm(_ more: [Range<Instant>]) {
    outages = (outages + more.filter { $0.upperBound > now }).sorted {
      $0.lowerBound < $1.lowerBound
    }
    // The step that is under way ends there at the latest; to plan it anew would go back in time.
    if let edge = nextOutageEdge { endStep(before: edge) }
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

  /// When the zone is lost or comes back next.
  var nextOutageEdge: Instant? {
    outages.flatMap { [$0.lowerBound, $0.upperBound] }.filter { $0 > now && $0 < .distantFuture }
      .min()
  }

  /// Does what an edge that has just been reached asks for.
  mutating func followOutages() {
    guard !outages.isEmpty else { return }
    let mustBeDown = outages.contains { $0.contains(now) }
    if mustBeDown, !isDown { lose() }
    if !mustBeDown, isDown { comeBack() }
  }

  /// Everything that runs here ends. Requests are lost; messages come again.
  private mutating func lose() {
    isDown = true
    digest.record(RecordKind.zoneLost, at: now, 0)
    if settings.isTopic {
      counters.redelivered &+= UInt64(inService + inDraining)
      ledger.reopenAll()
    } else {
      counters.lost &+= UInt64(inService + inDraining + waiting)
      ledger = WaitLedger()
    }
    counters.instancesRetired &+= UInt64(instances.count + draining.count)
    instances = FlowInstances()
    draining = []
    (inService, settledWaiting, backlog, peakWaiting, levelAtEnd) = (0, 0, 0, 0, 0)
    isBacklogKnown = false
    law = nil
    isDemandOld = true
    unknownGone = 0
    for index in groups.indices { groups[index].outstanding = 0 }
    control.loseGateway()
    keepAlive = settings.keepAlive.map { KeepAliveWatch($0()) }
  }

  /// Gateways with empty caches, no instances.
  private mutating func comeBack() {
    isDown = false
    digest.record(RecordKind.zoneBack, at: now, 0)
    if settings.isTopic { armSampling() }
  }

  /// Takes arrivals up to an instant while nobody is there: connections are refused, and messages
  /// go into their log.
  mutating func advanceDown(to end: Instant, arrivals: Int) {
    steps &+= 1
    if settings.isTopic {
      ledger.append(came(arrivals, from: now, to: end))
    } else {
      counters.unreachable &+= UInt64(arrivals)
    }
    now = end
    digest.fold(UInt64(bitPattern: end.nanoseconds), UInt64(arrivals))
  }
}

extension FlowControl {
  /// Forgets what a gateway loses. Ordinals go on, so that no old start is taken for a new one.
  fileprivate mutating func loseGateway() {
    starts = []
    route = RouteEntry()
    askAttempt = 0
    newsReceived = 0
    inbox = []
    retirements = RetirementLedger()
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
