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
  /// What one gateway may do for it; instance counts are those of one lane.
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
  /// Whether its pods come from the warm pools.
  public var usesPool = true
  /// Instances of each lane when the run begins, by position in `zones`.
  public var initialInstances: [Int]
  /// Requests a second when the run begins, for a warm start's caches.
  public var initialRatePerSecond = 0.0
  /// Requests a second that are expected, by which services are compared.
  public var meanRatePerSecond = 0.0
  /// Whether an objective names it.
  public var isNamed = false
  /// Scales the service ahead of its requests; nil: starts on demand only.
  public var scaling: ScalingConfiguration?
  /// The arrivals of a zone, by position in `zones`.
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

/// AutoScale on concurrency for one service: a factory, since a policy has state of its own.
public struct ScalingConfiguration: Sendable {
  public var makePolicy: @Sendable () -> any ScalingPolicy

  public init(makePolicy: @escaping @Sendable () -> any ScalingPolicy) {
    self.makePolicy = makePolicy
  }
}
