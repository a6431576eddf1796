import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Workload

/// Traffic class of a service.
public enum TrafficClass: String, Sendable, CaseIterable { case online, offline, timer, other }

/// A service as the model sees it.
public struct ServiceConfiguration: Sendable {
  public var name: String
  /// What the scenario calls the services that it describes together.
  public var group = ""
  public var trafficClass = TrafficClass.online
  public var runtime: Int
  public var shape: Int
  /// Zones that it runs in; one lane each.
  public var zones: [ZoneID]
  /// What gateways may do for it; numbers of instances are those of the whole service.
  public var router: RouterRules
  /// Time of a request on an instance that was there, seconds.
  public var serviceTime: Distribution
  /// Time of the first request of an instance that was made for it, seconds; nil: as any other.
  public var coldServiceTime: Distribution?
  /// Share of the service time that is processor time; only that is stretched by contention.
  public var cpuFraction = 0.0
  /// Processors that a request wants while it computes.
  public var cpuShare = 1.0
  public var codeBytes: Int64 = 0
  /// By position among the cluster's tenants.
  public var tenant = 0
  /// Its name, which is there also where the cluster knows no tenants.
  public var tenantName = "default"
  /// Whether its pods come from a warm pool; else each is made when it is wanted.
  public var usesPool = true
  /// Instances of each lane when the run begins, by position in `zones`.
  public var initialInstances: [Int]
  /// Requests a second when the run begins, for a warm start's caches.
  public var initialRatePerSecond = 0.0
  /// Requests a second that are expected, by which services are compared.
  public var meanRatePerSecond = 0.0
  /// Gateways that share one of its lanes; nil: as the cluster says.
  public var gatewaysPerLane: Int?
  /// The topic that its traffic comes through; nil: requests through the gateways.
  public var topic: TopicConfiguration?
  /// A store whose notifications make its invocations; nil: each arrival is a call.
  public var notifications: NotificationConfiguration?
  /// Clients that leave or try again; nil: they wait for any answer and take it.
  public var clients: ClientConfiguration?
  /// When callers break its instances; nil: never.
  public var breaking: BreakerRules?
  /// What it may be asked for, whatever its instances bear; nil: without bound.
  public var limits: LimitConfiguration?
  /// 0 is the most important; a gateway that has too much to do refuses the others first.
  public var importance = 0
  /// What its instances call for each request, by position among the cluster's downstreams; nil:
  /// nothing that others call too.
  public var downstream: Int?
  /// A fault may make its instances bad, also one that is armed later: where flow has no form for
  /// that its requests are single ones from the beginning.
  public var mayBeSpoiled = false
  /// The same of a configuration that changes what gateways go by, for which flow has no form.
  public var mayBePushed = false
  /// The same of crashes of its consumers and of the brokers that they read from.
  public var mayLoseConsumers = false
  public var mayLoseBrokers = false
  /// Memory of an isolate, of a worker; nil: its instances are pods.
  public var isolateBytes: Int64?
  /// What the requests of a worker read; nil: nothing.
  public var keyValue: KeyValueConfiguration?
  /// What each call costs beside the service time.
  public var overhead = CallOverhead()
  /// The way from the client to the gateway and back; latency has it, and nothing waits for it.
  public var wayThrough = Nanoseconds.zero
  /// Whether an objective names it.
  public var isNamed = false
  /// Scales the service ahead of its requests; nil: starts on demand only.
  public var scaling: ScalingConfiguration?
  /// Decides on idle instances, with a state of its own in each lane; nil: `router.keepAlive` does.
  /// Where there is one, that is the longest that it keeps them.
  public var keepAlive: (@Sendable () -> any KeepAlivePolicy)?
  /// Its places in all clusters of the region that have it; nil: this one has it alone.
  public var spread: ServiceSpread?
  /// The arrivals of a zone, by position in `zones`; of a place, where it is spread.
  public var arrivals: @Sendable (_ position: Int) -> any ArrivalSource

  public init(
    name: String, runtime: Int, shape: Int, zones: [ZoneID], router: RouterRules,
    serviceTime: Distribution, initialInstances: [Int],
    arrivals: @escaping @Sendable (Int) -> any ArrivalSource
  ) {
    self.name = name
    self.runtime = runtime
    self.shape = shape
    self.zones = zones
    self.router = router
    self.serviceTime = serviceTime
    self.initialInstances = initialInstances
    self.arrivals = arrivals
  }
}

extension ServiceConfiguration {
  /// What one gateway may do for its part of a lane: numbers of instances are divided evenly over
  /// lanes, then over the parts of each, and add up to those of the service.
  func rules(lane position: Int, part: Int, of parts: Int) -> RouterRules {
    func share(_ total: Int) -> Int {
      let lane = EvenShare.of(total, at: position, among: zones.count)
      return EvenShare.of(lane, at: part, among: parts)
    }
    var rules = router
    rules.maximumInstances = share(router.maximumInstances)
    rules.minimumInstances = share(router.minimumInstances)
    return rules
  }

  /// Gateways or consumers that can share a lane: each must be allowed an instance at least, and
  /// have a partition.
  func parts(lane position: Int, wanted: Int) -> Int {
    let most = EvenShare.of(router.maximumInstances, at: position, among: zones.count)
    let partitions = topic?.partitions(lane: position, of: zones.count) ?? .max
    return max(1, min(wanted, most, partitions))
  }

  /// Whether consumers call its instances, and not gateways.
  public var isConsumed: Bool { topic.map { !$0.usesGateways } ?? false }

  /// Whether its requests want processors of their node.
  var computes: Bool { cpuFraction > 0 || overhead.processor > .zero }
}

/// AutoScale for one service: a factory, since a policy has state of its own.
public struct ScalingConfiguration: Sendable {
  public var makePolicy: @Sendable () -> any ScalingPolicy
  /// For so long after its last load a lane counts as in use, and keeps an instance.
  public var memory: Nanoseconds
  /// How often lanes tell their signals, over which each is a mean; whole seconds.
  public var signalPeriod = Nanoseconds.seconds(1)
  /// How late signals are known to the policy.
  public var signalDelay = Nanoseconds.zero
  /// Memory of an instance without requests, and what a request in flight adds.
  public var podMemoryBaseMiB: Int64 = 0
  public var memoryPerRequestMiB = 0.0
  /// Where the region's API may change the service's limits: those that hold at first, within which
  /// what a policy wants is kept; nil: policies know their limits.
  public var bounds: ClosedRange<Int>?

  public init(
    memory: Nanoseconds = KnativeDefaults().stableWindow,
    makePolicy: @escaping @Sendable () -> any ScalingPolicy
  ) {
    self.memory = memory
    self.makePolicy = makePolicy
  }
}
