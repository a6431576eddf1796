import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// One lane, at either fidelity, as the cluster drives it: the seam between the two.
///
/// A lane shares nothing with other lanes while it runs. It is told things by `deliver`, says
/// things through its outbox, and reads what the cluster publishes for an epoch.
protocol LaneModel: AnyObject {
  var settings: LaneSettings { get }
  /// The place in the order of events of what happens next here.
  var next: Bound { get }
  /// Whether a reply may come at any time, so that the lane must not run ahead of it.
  var isAwaiting: Bool { get }
  var counters: LaneCounters { get }
  var gauges: LaneGauges { get }
  /// Instances that are ready, as `gauges` tells among other things.
  var readyCount: Int { get }
  /// Of a topic, where the lane tells them apart.
  var partitions: [PartitionGauges] { get }
  var digest: Digest { get }
  var violation: String? { get }
  /// Whether its zone is lost.
  var isDown: Bool { get }
  /// Invocations that were represented and not executed one by one.
  var represented: UInt64 { get }
  /// Requests that the workload has handed over, counted there.
  var delivered: UInt64 { get }
  /// Events that were executed.
  var executed: UInt64 { get }

  /// Runs what comes before `bound`. After a message that awaits a reply the bound moves to
  /// `roundTrip` after it; nil: the lane stops after any message. Returns the bound that was
  /// reached.
  func run(
    until bound: Bound, roundTrip: Nanoseconds?, epochEnd: Instant,
    recorder: any LatencyRecorder
  ) -> Bound
  /// A message will be here at an instant that the lane has not reached.
  func deliver(_ delivery: Delivery, at instant: Instant)
  /// Empties the outbox in the order of sending.
  func drainOutbox(_ body: (OutMessage) -> Void)
  /// Tells nodes and gateways how demand has changed in this epoch.
  func publishDemand(_ demand: inout Demand)
  /// Puts an instance there before the run begins.
  func adopt(_ pod: PodID, origin: Delivery.Origin, part: Int)
  /// Learns the route of the instances that were put there, at the Dispatcher's version.
  func adoptRoute(version: UInt32)
  /// Instances now, pods and nodes, for hand-over and checks.
  func forEachInstance(_ body: (PodID, _ isIdle: Bool) -> Void)
  /// Whether nothing is there that a count could grow by without an event.
  var isAtRest: Bool { get }
  /// Whether a request waits although its gateway knows the route and has an instance with a free
  /// slot, in a lane that has nothing more to do at `now`.
  func isIdleWhileWaiting(at now: Instant) -> Bool
  /// Hands all that is measured to the recorder and brings the integrals up to `now`.
  func settle(at now: Instant, recorder: any LatencyRecorder)
  /// Brings what gauges tell up to `now`; nothing that happens later depends on it.
  func bringGauges(to now: Instant)
  func clone(surroundings: LaneSurroundings) -> any LaneModel
  /// Things will go wrong here: outages beside those that are known, and conditions in the place of
  /// those that are.
  func arm(_ faults: LaneFaults, after now: Instant)
  /// Goes on with other arrivals from a whole second on, which the lane has not reached.
  func reroute(_ arrivals: any ArrivalSource, at now: Instant, recorder: any LatencyRecorder)
  /// The lane may have, and keeps, other numbers of instances: by part, and where it has no parts.
  func limit(_ rules: [RouterRules], whole: RouterRules)
  /// What was pushed holds from an instant on that the lane has not passed.
  func configure(_ configuration: LaneConfiguration, at now: Instant)
  /// Whether the balancer sends nothing here any more: clients that try again do so elsewhere.
  var isAway: Bool { get set }
  /// Hands over, and forgets, those that will try again elsewhere.
  func drainTransfers(_ body: (ClientRetry) -> Void)
  /// Clients of another lane try again here at an instant that the lane has not reached.
  func takeOver(_ retry: ClientRetry, at instant: Instant)
  /// Its zone gets so many times an even share of the traffic, and its limits with it.
  func changeLimits(_ limits: [PartLimits], at now: Instant)
  /// Continues with the draws of another replication, from a whole second on.
  func reseed(
    _ settings: LaneSettings, choiceKey: StreamKey, arrivals: any ArrivalSource, at now: Instant)
}
