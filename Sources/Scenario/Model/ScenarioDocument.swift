import Primitives

/// A distribution as a scenario gives it; times in seconds.
public indirect enum DistributionSpec: Sendable, Equatable {
  case constant(Double)
  case exponential(mean: Double)
  case lognormal(median: Double, sigma: Double)
  case gamma(shape: Double, scale: Double)
  case weibull(shape: Double, scale: Double)
  case pareto(shape: Double, minimum: Double)
  case uniform(Double, Double)
  case empirical([Double])
  case mixture([(weight: Double, DistributionSpec)])

  public static func == (a: DistributionSpec, b: DistributionSpec) -> Bool {
    "\(a)" == "\(b)"
  }
}

/// A scenario, decoded: what the file says, with defaults filled in.
public struct ScenarioDocument: Sendable {
  public enum Size: Sendable, Equatable {
    case none
    case percent(Double)
    case count(Int)
  }

  public var name = ""
  public var about = ""
  public var note = ""
  public var duration = Nanoseconds.seconds(60)
  public var warmup = Nanoseconds.zero
  public var start = "warm"
  public var seed: UInt64 = 1
  public var replications = 1
  public var fidelity = "request"
  public var contention = "epoch"
  public var queue = "ladder"
  public var epoch = Nanoseconds.milliseconds(100)
  public var cluster = ClusterSection()
  public var network = NetworkSection()
  public var code = CodeSection()
  public var startComponents = StartSection()
  public var runtimes: [RuntimeSection] = []
  public var shapes: [ShapeSection] = []
  public var pools = PoolsSection()
  public var services: [ServiceSection] = []
  public var objectives: [Objective] = []
  public var faults: [FaultSection] = []

  public init() {}
}

public struct ClusterSection: Sendable {
  public var name = "main"
  public var zones: [ZoneSection] = []
  public var gatewaysPerZone = 1
  /// Nil: as many as a lane's rate asks for.
  public var gatewaysPerLane: Int?
  public var gatewayCapacityPerSecond: Double?
  public var gatewayHandling = Nanoseconds.zero
  public var routeTTL = Nanoseconds.zero
  public var routeStale = Nanoseconds.zero
  public var negativeTTL = Nanoseconds.zero
  /// Nil: requests wait for as long as it takes.
  public var requestTimeout: Nanoseconds?
  /// Nil: calls are waited for as long as it takes.
  public var callTimeout: Nanoseconds?
  public var startTimeout = Nanoseconds.zero
  /// How long a gateway waits for a Dispatcher's answer about a route.
  public var askTimeout = Nanoseconds.zero
  public var startAttempts = 1
  /// How long a service asks for no instance after a start has failed.
  public var startBackoff = Nanoseconds.zero
  /// Nil: without bound.
  public var queueLimit: Int?
  public var dispatchers = 1
  public var dispatcherTimeout = Nanoseconds.zero
  public var dispatcherRetries = 0
  public var dispatcherHandling = Nanoseconds.zero
  public var workerManagers = 1
  public var shards = 1
  public var leaseTTL = Nanoseconds.zero
  public var clockMargin = Nanoseconds.zero
  /// How often a Worker Manager repeats a question to etcd, and how long each rank of a shard's
  /// order waits longer before it reaches for a free token.
  public var managerRetry = Nanoseconds.zero
  public var campaignStep = Nanoseconds.zero
  public var workerManagerHandling = Nanoseconds.zero
  public var etcdHandling = Nanoseconds.zero
  public var podsPerSecond: Double?
  public var podBurst = 1
  public var podCreate = DistributionSpec.constant(0)
  /// A pod that was claimed and is not ready after this is deleted.
  public var startDeadline = Nanoseconds.zero
  /// Nil: there is no AutoScale, whatever services ask for.
  public var autoscaleTick: Nanoseconds?
  public var placement = "least_allocated"
  public var evict = "none"
}

public struct ZoneSection: Sendable {
  public var name: String
  public var nodes: Int
  public var cpuMilli: Int64
  public var memoryBytes: Int64
}

public struct NetworkSection: Sendable {
  public var sameNode = Nanoseconds.zero
  public var sameZone = Nanoseconds.zero
  public var crossZone = Nanoseconds.zero
  public var controlPlane = Nanoseconds.zero
  public var loss = 0.0
}

public struct CodeSection: Sendable {
  public var nodeCacheBytes: Int64 = 0
  public var zoneCacheBytes: Int64 = 0
  public var nodeHit = DistributionSpec.constant(0)
  public var zoneHit = DistributionSpec.constant(0)
  public var origin = DistributionSpec.constant(0)
}

public struct StartSection: Sendable {
  public var poolTake = DistributionSpec.constant(0)
  public var agent = DistributionSpec.constant(0)
  public var publish = DistributionSpec.constant(0)
}

public struct RuntimeSection: Sendable {
  public var name: String
  public var initialise: DistributionSpec
}

public struct ShapeSection: Sendable {
  public var name: String
  public var cpuMilli: Int64
  public var memoryBytes: Int64
}

public struct PoolsSection: Sendable {
  public var size = ScenarioDocument.Size.none
  public var rule = "lost"
  public var refill: DistributionSpec?
  public var refillParallelism: Int?
  /// Share of the size below which the alarm is raised.
  public var alarmBelow = 0.0
  /// Runtimes that have pools; nil: all.
  public var only: [String]?
}

public struct ServiceSection: Sendable {
  public var name: String
  public var mark: Mark
  /// How many services of this kind there are, numbered if more than one.
  public var count = 1
  public var kind = "function"
  public var trafficClass = "online"
  public var tenant = "default"
  public var runtime = ""
  public var shape = ""
  /// Each service of a trace has the smallest shape that holds its memory.
  public var shapeFromMemory = false
  public var zones: [(name: String, weight: Double)] = []
  public var concurrency = 1
  public var arrivals = ArrivalsSection()
  public var serviceTime = DistributionSpec.constant(0)
  /// Every request, or service, has its own from the trace.
  public var serviceTimeFromTrace = false
  public var coldServiceTime: DistributionSpec?
  public var cpuFraction = 0.0
  public var cpuShare = 1.0
  public var codeBytes: Int64 = 0
  public var choice = "least_requests"
  public var minimumInstances = 0
  public var maximumInstances = 1000
  public var initialInstances: Int?
  /// Nil: for ever.
  public var keepAlive: Nanoseconds?
  public var queueLimit: Int??
  public var coldStart = "on_demand"
  public var usesPool = true
  /// Nil: instances start on demand only.
  public var scaling: ScalingSection?
}

/// AutoScale on concurrency by Knative's rules; without a target, the service's concurrency is it.
public struct ScalingSection: Sendable, Equatable {
  /// Requests in flight that one instance should carry.
  public var target: Double?
  /// Share of the target that is aimed at.
  public var utilisation: Double?
  public var window: Nanoseconds?
  /// Share of the window.
  public var panicWindow: Double?
  /// Wanted / ready instances at which panic begins, as a share: 200 % is 2.
  public var panicThreshold: Double?
  public var maximumUpRate: Double?
  public var maximumDownRate: Double?
  public var scaleDownDelay: Nanoseconds?
  public var graceToZero: Nanoseconds?
  public var isWeighted = false

  public init() {}
}

public struct ArrivalsSection: Sendable {
  public enum Process: String, Sendable, CaseIterable {
    case poisson
    case exactPoisson = "exact_poisson"
    case diurnal, list, trace
  }

  public var process = Process.poisson
  /// Of one service; at the peak for `diurnal`.
  public var ratePerSecond = 0.0
  /// Of all services of the group together, by popularity; nil: `ratePerSecond` each.
  public var totalRatePerSecond: Double?
  /// Spread of popularity: sigma of a lognormal law; 0: all alike.
  public var popularitySigma = 0.0
  public var curve = "online"
  /// Shape of the gamma factor on the rate of each second; nil: Poisson.
  public var dispersionShape: Double?
  public var times: [Nanoseconds] = []
  /// For the process `trace`.
  public var trace: TraceSection?
}

public struct FaultSection: Sendable {
  public var name: String
  public var at: Nanoseconds
  public var workerManager: Int
  public var restartAfter: Nanoseconds?
}

/// A value that the model used although the scenario does not give it, or that it gives.
public struct ResolvedValue: Sendable, Equatable {
  public enum Origin: String, Sendable, CaseIterable { case scenario, published, measured, assumed }
  public var path: String
  public var value: String
  public var origin: Origin
  public var source: String
}
