import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// A lane in which every request is a chain of events: the exact model, and the reference.
///
/// The engine lies behind a pointer of the lane's own: a class property would have each of the many
/// small calls pay for a check of exclusive access.
final class RequestLane: LaneModel {
  private let state: UnsafeMutablePointer<RequestLaneEngine>
  /// Represented while the lane was at flow fidelity.
  var represented: UInt64 = 0

  init(
    settings: LaneSettings, rules: [RouterRules], choiceKey: StreamKey,
    arrivals: any ArrivalSource, surroundings: LaneSurroundings
  ) {
    state = .allocate(capacity: 1)
    state.initialize(
      to: RequestLaneEngine(
        settings: settings, rules: rules, choiceKey: choiceKey, arrivals: arrivals,
        surroundings: surroundings))
  }

  init(engine: consuming RequestLaneEngine) {
    state = .allocate(capacity: 1)
    state.initialize(to: engine)
  }

  deinit {
    state.deinitialize(count: 1)
    state.deallocate()
  }

  var engine: RequestLaneEngine {
    @inline(__always) _read { yield state.pointee }
    @inline(__always) _modify { yield &state.pointee }
  }

  var settings: LaneSettings { engine.core.settings }
  var next: Bound { engine.next() }
  var isAwaiting: Bool { engine.routers.isAwaiting }
  var counters: LaneCounters { engine.counters() }
  var gauges: LaneGauges { engine.gauges() }
  var readyCount: Int { engine.core.ready }
  var digest: Digest { engine.core.digest }
  var violation: String? {
    engine.core.violation ?? engine.core.queue.violation ?? engine.notificationViolation
      ?? engine.core.clientViolation
  }
  var isDown: Bool { engine.core.isDown || !engine.core.partsDown.isEmpty }
  var delivered: UInt64 { engine.feed.delivered }
  var executed: UInt64 { engine.executed }

  func run(
    until bound: Bound, roundTrip: Nanoseconds?, epochEnd: Instant,
    recorder: any LatencyRecorder
  ) -> Bound {
    engine.core.surroundings.epochEnd = epochEnd
    return engine.run(until: bound, roundTrip: roundTrip, recorder: recorder)
  }

  func deliver(_ delivery: Delivery, at instant: Instant) { engine.deliver(delivery, at: instant) }

  func drainOutbox(_ body: (OutMessage) -> Void) {
    guard !engine.core.outbox.isEmpty else { return }
    for message in engine.core.outbox { body(message) }
    engine.core.outbox.removeAll(keepingCapacity: true)
  }

  func publishDemand(_ demand: inout Demand) {
    engine.publishDemand(&demand)
  }

  func adopt(_ pod: PodID, origin: Delivery.Origin, part: Int) {
    engine.adopt(pod, origin: origin, part: part)
  }

  func adoptRoute(version: UInt32) { engine.adoptRoute(version: version) }

  func forEachInstance(_ body: (PodID, Bool) -> Void) { engine.forEachInstance(body) }

  /// Topics delete messages by the clock.
  var isAtRest: Bool { engine.core.ready == 0 && !settings.isTopic }

  func isIdleWhileWaiting(at now: Instant) -> Bool {
    guard engine.next().time > now else { return false }
    for part in 0..<engine.routers.count where engine.routers[part].isIdleWhileWaiting(at: now) {
      return true
    }
    return false
  }

  func settle(at now: Instant, recorder: any LatencyRecorder) {
    engine.core.integrate(to: now)
    engine.core.integrateCores(to: now)
    engine.settleLogs(at: now)
    engine.flush(recorder)
  }

  func bringGauges(to now: Instant) { engine.settleLogs(at: now) }

  func clone(surroundings: LaneSurroundings) -> any LaneModel {
    copy(surroundings: surroundings)
  }

  func copy(surroundings: LaneSurroundings) -> RequestLane {
    let copy = RequestLane(engine: engine.clone(surroundings: surroundings))
    copy.represented = represented
    return copy
  }

  func arm(_ faults: LaneFaults, after now: Instant) {
    engine.core.arm(faults, after: now)
  }

  func configure(_ configuration: LaneConfiguration, at now: Instant) {
    engine.core.configure(configuration, at: now)
  }

  func reroute(_ arrivals: any ArrivalSource, at now: Instant, recorder: any LatencyRecorder) {
    engine.feed.goOn(with: arrivals, at: now)
  }

  func limit(_ rules: [RouterRules], whole: RouterRules) {
    for part in 0..<engine.routers.count {
      engine.routers[part].rules.minimumInstances = rules[part].minimumInstances
      engine.routers[part].rules.maximumInstances = rules[part].maximumInstances
    }
  }

  var isAway: Bool {
    get { engine.core.isAway }
    set { engine.core.isAway = newValue }
  }

  func drainTransfers(_ body: (ClientRetry) -> Void) {
    for retry in engine.core.transfers { body(retry) }
    engine.core.transfers.removeAll(keepingCapacity: true)
  }

  func takeOver(_ retry: ClientRetry, at instant: Instant) {
    engine.takeOver(retry, at: instant)
  }

  func changeLimits(_ limits: [PartLimits], at now: Instant) {
    engine.core.limits.change(to: limits, at: now)
  }

  func reseed(
    _ settings: LaneSettings, choiceKey: StreamKey, arrivals: any ArrivalSource, at now: Instant
  ) {
    engine.core.settings = settings
    engine.core.takeCondition(at: now)
    engine.core.takeGateways(at: now)
    engine.takeConfiguration(at: now)
    engine.core.keyValue?.reseed(key: settings.keyValueKey, zone: settings.zone, at: now)
    for part in 0..<engine.routers.count {
      // By the instant too: else a fork would draw again what its past has drawn.
      let key = choiceKey.appending(UInt64(part)).appending(UInt64(now.nanoseconds))
      engine.routers[part].reseed(choiceSeed: key.raw)
    }
    engine.feed.goOn(with: arrivals, at: now)
  }
}

/// The routers of a lane, one for each gateway that shares it.
struct RouterTable: ~Copyable {
  typealias Router = ServiceRouter<Ticket>

  let count: Int
  private let routers: UnsafeMutablePointer<Router>

  init(count: Int, _ make: (Int) -> Router) {
    self.count = count
    routers = .allocate(capacity: count)
    for index in 0..<count { (routers + index).initialize(to: make(index)) }
  }

  deinit {
    routers.deinitialize(count: count)
    routers.deallocate()
  }

  subscript(index: Int) -> Router {
    @inline(__always) _read { yield routers[index] }
    @inline(__always) nonmutating _modify { yield &routers[index] }
  }

  var isAwaiting: Bool {
    for index in 0..<count
    where routers[index].starting > 0 || routers[index].route.isAsking {
      return true
    }
    return false
  }

  borrowing func clone() -> RouterTable {
    RouterTable(count: count) { routers[$0].clone() }
  }
}
