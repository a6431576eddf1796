import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// A lane at flow fidelity: it advances in steps, and a step takes a count of arrivals and gives
/// counts, distributions and messages. The control plane sees the same signals from it as from a
/// `RequestLane`.
final class FlowLane: LaneModel {
  // Checks of exclusive access at run time cost as much as a quiet step. Only the thread that runs
  // the cluster is here, one call at a time, and none of them comes back to the lane.
  @exclusivity(unchecked) var state: FlowState
  /// The lane's request form, where it has had one: its router goes on counting starts.
  var parked: RequestLane?

  init(_ state: consuming FlowState) { self.state = state }

  var settings: LaneSettings { state.settings }
  var next: Bound { state.next }
  var isAwaiting: Bool { state.isAwaiting }
  var counters: LaneCounters { state.counters }
  var gauges: LaneGauges { state.gauges }
  var readyCount: Int { state.instances.count + state.draining.count }
  var digest: Digest { state.digest }
  var violation: String? { state.violation ?? parked?.violation }
  var isDown: Bool { state.isDown }
  var represented: UInt64 { state.represented }
  var delivered: UInt64 { state.feed.delivered }
  var executed: UInt64 { state.steps + (parked?.executed ?? 0) }

  func run(
    until bound: Bound, roundTrip: Nanoseconds?, epochEnd: Instant,
    recorder: any LatencyRecorder
  ) -> Bound {
    state.run(until: bound, roundTrip: roundTrip, recorder: recorder)
  }

  func deliver(_ delivery: Delivery, at instant: Instant) {
    state.control.put(delivery, at: instant)
  }

  func drainOutbox(_ body: (OutMessage) -> Void) {
    for message in state.control.outbox { body(message) }
    state.control.outbox.removeAll(keepingCapacity: true)
  }

  /// Replaces what nodes were told last by what the requests in service want now.
  func publishDemand(_ demand: inout Demand) { state.publishDemand(&demand) }

  func adopt(_ pod: PodID, origin: Delivery.Origin, part: Int) {
    state.join(pod, origin)
  }

  func adoptRoute(version: UInt32) {
    guard state.instances.count > 0 else { return }
    state.control.route.learn(
      version: version, negative: false, at: state.now, lifetimes: state.rules.routeLifetimes)
  }

  func forEachInstance(_ body: (PodID, Bool) -> Void) {
    for (position, entry) in state.instances.entries.enumerated() {
      body(entry.pod, state.isIdle(position))
    }
    for instance in state.draining { body(instance.entry.pod, false) }
  }

  /// Steps are ended by whoever looks.
  var isAtRest: Bool { false }

  /// Flow counts what waits by laws, which know no single instance.
  func isIdleWhileWaiting(at now: Instant) -> Bool { false }

  func settle(at now: Instant, recorder: any LatencyRecorder) {
    // A settled instant lies within the step that the lane is in, or at its end.
    if now <= state.stepEnd { state.advance(to: now, recorder: recorder) }
    bringGauges(to: now)
    state.prepareLag()
    state.recordPending(recorder)
  }

  /// Steps end at every second, and gauges are those of the last.
  func bringGauges(to now: Instant) {
    state.limits.count(into: &state.counters, at: now)
  }

  func clone(surroundings: LaneSurroundings) -> any LaneModel {
    let copy = FlowLane(state.clone(surroundings: surroundings))
    copy.parked = parked?.copy(surroundings: surroundings)
    return copy
  }

  func arm(_ faults: LaneFaults, after now: Instant) {
    state.arm(faults)
    // It takes its alarms of these when it is taken up again.
    parked?.engine.core.settings.note(faults)
  }

  func reroute(_ arrivals: any ArrivalSource, at now: Instant, recorder: any LatencyRecorder) {
    state.reroute(arrivals, at: now, recorder: recorder)
  }

  func limit(_ rules: [RouterRules], whole: RouterRules) {
    state.rules.minimumInstances = whole.minimumInstances
    state.rules.maximumInstances = whole.maximumInstances
    parked?.limit(rules, whole: whole)
  }

  /// Services whose limits or time-outs are pushed run as requests, from when it is known that they
  /// will be; versions that err are what flow knows of.
  func configure(_ configuration: LaneConfiguration, at now: Instant) {
    state.configure(configuration, at: now)
  }

  var isAway: Bool {
    get { state.isAway }
    set { state.isAway = newValue }
  }

  func drainTransfers(_ body: (ClientRetry) -> Void) {
    for retry in state.transfers { body(retry) }
    state.transfers.removeAll(keepingCapacity: true)
  }

  func takeOver(_ retry: ClientRetry, at instant: Instant) { state.takeOver(retry, at: instant) }

  func changeLimits(_ limits: [PartLimits], at now: Instant) {
    state.limits.change(to: limits, at: now)
  }

  func reseed(
    _ settings: LaneSettings, choiceKey: StreamKey, arrivals: any ArrivalSource, at now: Instant
  ) {
    state.reseed(settings, arrivals: arrivals, at: now)
    // When it is taken up again it goes on with the arrivals that it is given.
    parked?.reseed(settings, choiceKey: choiceKey, arrivals: arrivals.clone(), at: now)
  }
}
