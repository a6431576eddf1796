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

  /// About the middle of what it gives, for warnings: no formula needs more than arithmetic.
  var middle: Double {
    switch self {
    case .constant(let value), .exponential(let value), .lognormal(let value, _): value
    case .gamma(let shape, let scale): shape * scale
    case .weibull(_, let scale): scale
    case .pareto(_, let minimum): minimum
    case .uniform(let low, let high): (low + high) / 2
    case .empirical(let values): values.isEmpty ? 0 : values.sorted()[values.count / 2]
    case .mixture(let parts):
      parts.reduce(0) { $0 + $1.weight * $1.1.middle }
        / max(1e-9, parts.reduce(0) { $0 + $1.weight })
    }
  }
}

/// A scenario, decoded: what the file says, with defaults filled in.
public struct ScenarioDocument: Sendable {
  public enum Size: Sendable, Equatable {
    case none
    case percent(Double)
    case count(Int)
    /// A share of the ready pods of the moment.
    case following(ScalingSection)
    case baseStock(ScalingSection)
    /// Shares of the peak of ready pods, by the hour of the day.
    case hourly([Double])

    /// Whether it is one number of pods for the whole run.
    public var isFixed: Bool {
      switch self {
      case .none, .percent, .count: true
      case .following, .baseStock, .hourly: false
      }
    }

    /// Whether it is a share of the peak of ready pods, which a first pass finds.
    public var needsPeak: Bool {
      switch self {
      case .percent, .hourly: true
      case .none, .count, .following, .baseStock: false
      }
    }
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
  /// How long a quiet lane may rest at flow fidelity.
  public var longestFlowStep = Nanoseconds.seconds(1)
  /// When every request is an event, whatever the fidelity.
  public var zoom: Range<Nanoseconds>?
  /// What a rehearsal is judged over, where that is not all after the warm-up.
  public var rehearsal = RehearsalSection()
  /// The only cluster; where there are regions, all of theirs as one.
  public var cluster = ClusterSection()
  public var regions: [RegionSection] = []
  /// Of a part: its cluster as `north/online`; and how far each cluster's clock is ahead.
  public var clusterPath = ""
  public var clocks: [String: Nanoseconds] = [:]
  /// Share of the groups, their traffic and the machines that the run has.
  public var scale = 1.0
  var origin = DocumentPart()
  public var network = NetworkSection()
  public var code = CodeSection()
  public var startComponents = StartSection()
  public var runtimes: [RuntimeSection] = []
  public var shapes: [ShapeSection] = []
  public var pools = PoolsSection()
  public var tenants: [TenantSection] = []
  /// What each protocol costs.
  public var protocols: [ProtocolSection] = []
  /// What services call that is not of the platform.
  public var downstreams: [DownstreamSection] = []
  public var services: [ServiceSection] = []
  public var objectives: [Objective] = []
  /// Conditions that end a run early; each has a duration.
  public var stopWhen: [Objective] = []
  public var faults: [FaultSection] = []
  /// What regions' APIs are asked for.
  public var changes: [ChangeSection] = []

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
  public var consumersPerZone = 1
  public var consumersPerLane = 1
  /// Nil: a consumer is never slow.
  public var consumerCapacityPerSecond: Double?
  public var consumerHandling = Nanoseconds.zero
  public var brokersPerZone = 1
  /// From a broker's crash until others lead its partitions.
  public var brokerElection = Nanoseconds.zero
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
  /// A node that has not been heard of for so long is taken for gone.
  public var nodeGrace = Nanoseconds.zero
  /// Nil: traffic stays in its zone, whatever becomes of that.
  public var balancer: BalancerSection? = BalancerSection()
  public var coordinator = CoordinatorSection()
  /// Of the region; that of its first cluster counts.
  public var api = APISection()
  /// How gateways refuse the less important; nil: they do not.
  public var shedding: SheddingSection?
  /// Nil: there is no AutoScale, whatever services ask for.
  public var autoscaleTick: Nanoseconds?
  /// How often lanes tell AutoScale their signals, nil: as the policies of their service want it;
  /// and how late these are there.
  public var signalPeriod: Nanoseconds?
  public var signalDelay = Nanoseconds.zero
  public var placement = "least_allocated"
  public var evict = "none"
  public var workerHosts = WorkerHostsSection()
  public var nodePools: [NodePoolSection] = []
  public var nodeScaling = NodeScalingSection()
  public var virtualNodes: VirtualNodesSection?
}

/// How the region's balancer finds out that a zone is gone, and what it does then.
public struct BalancerSection: Sendable {
  public var interval = Nanoseconds.zero
  /// When the first question comes; nil: drawn by cluster and replication.
  public var phase: Nanoseconds?
  public var timeout = Nanoseconds.zero
  public var unhealthyAfter = 1
  public var healthyAfter = 1
  public var window = Nanoseconds.zero
}

public struct ZoneSection: Sendable {
  public var name: String
  public var nodes: Int
  public var cpuMilli: Int64
  public var memoryBytes: Int64
  public var pricePerHour = 0.0
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
  /// Of runtimes that have sizes of their own.
  public var sizes: [String: ScenarioDocument.Size] = [:]
  /// How often what a size looks at is told and looked at.
  public var sizingTick = Nanoseconds.seconds(10)
  public var rule = "lost"
  public var refill: DistributionSpec?
  public var refillParallelism: Int?
  /// Share of the size below which the alarm is raised.
  public var alarmBelow = 0.0
  /// Runtimes that have pools; nil: all.
  public var only: [String]?

  public func size(of runtime: String) -> ScenarioDocument.Size { sizes[runtime] ?? size }

  /// Whether all sizes are one number of pods for the whole run.
  public var isFixed: Bool { size.isFixed && sizes.values.allSatisfy(\.isFixed) }

  /// Whether one is a share of the peak of ready pods, which a first pass finds.
  public var needsPeaks: Bool { size.needsPeak || sizes.values.contains(where: \.needsPeak) }
}

public struct ServiceSection: Sendable {
  public var name: String
  public var mark: Mark
  /// How many services of this kind there are, numbered if more than one.
  public var count = 1
  /// How its members differ; nil: by their numbers alone.
  public var members: MembersSection?
  public var kind = "function"
  public var trafficClass = "online"
  public var tenant = "default"
  public var runtime = ""
  public var shape = ""
  /// Each service of a trace has the smallest shape that holds its memory.
  public var shapeFromMemory = false
  /// By which faults may name it, among others.
  public var labels: [String: String] = [:]
  /// Where there are regions one of these: its cluster, as `north/online`; several clusters of a
  /// region; or the region alone, whose rules assign it.
  public var cluster: String?
  public var clusters: [ClusterShare] = []
  public var region: String?
  /// By the rules of its region, where it names no cluster.
  var assigned: [ClusterShare] = []
  /// In a part of a document: where it is besides.
  public var spread: SpreadSection?
  public var zones: [(name: String, weight: Double)] = []
  public var concurrency = 1
  public var arrivals = ArrivalsSection()
  public var serviceTime = DistributionSpec.constant(0)
  /// Of one member of a group: its times ÷ those of the group.
  public var serviceTimeFactor = 1.0
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
  /// Nil: for ever. Under a policy, how long it keeps idle instances while it knows nothing.
  public var keepAlive: Nanoseconds?
  public var keepAlivePolicy: ScalingSection?
  public var queueLimit: Int??
  public var coldStart = "on_demand"
  public var usesPool = true
  /// The topic that it consumes; nil: it serves requests.
  public var topic: TopicSection?
  /// What calls it, of a function; nil: nothing is said of it.
  public var trigger: TriggerSection?
  public var clients: ClientSection?
  /// When callers break its instances; nil: never.
  public var breaking: BreakingSection?
  /// What it may be asked for; nil: without bound.
  public var limits: LimitSection?
  /// 0: the most important.
  public var importance = 0
  /// A name of `downstreams`.
  public var downstream: String?
  /// What a worker is besides; nil: it is none.
  public var worker: WorkerSection?
  /// Of a native service: a name of `protocols`.
  public var protocolName: String?
  /// The one that wants the most instances decides; none: they start on demand only.
  public var scaling: [ScalingSection] = []
  public var scalingWindows: [ScalingWindowSection] = []
  /// Memory of an idle instance, nil: half of its shape's; and what each request in flight adds.
  public var memoryBaseBytes: Int64?
  public var memoryPerRequestBytes: Int64 = 0
}

/// A topic and how its consumers deliver it.
public struct TopicSection: Sendable, Equatable {
  /// `kafka` or `rocketmq`.
  public var brokerKind = "kafka"
  public var partitions = 1
  public var window = 32
  public var batch = 1
  public var skew = 0.0
  public var deliveryOverhead = Nanoseconds.zero
  /// `consumers` or `gateways`.
  public var via = "consumers"
  public var assignor = "range"
  /// `dynamic` or `static`.
  public var membership = "dynamic"
  public var sessionTimeout = Nanoseconds.zero
  public var rebalancePause = Nanoseconds.zero
  public var fetchMessages = 1
  /// Nil: nothing is deleted for its age, or for the number of messages.
  public var retention: Nanoseconds?
  public var retentionMessages: Int?
  /// Nil: with every commit.
  public var persistInterval: Nanoseconds?
  /// Nil: members are told of one another at once.
  public var rebalanceInterval: Nanoseconds?
  /// Nil: what has failed is delivered again at once.
  public var retryAttempts: Int?
  public var pauses: [Range<Nanoseconds>] = []

  public init() {}
}

/// A policy by its name, with its parameters by theirs: numbers as they are, durations in
/// nanoseconds, flags as 0 and 1.
public struct ScalingSection: Sendable, Equatable {
  public var policy: String
  private var values: [String: Double] = [:]

  public init(policy: String) { self.policy = policy }

  /// Nil: not given, and without a default.
  public subscript(name: String) -> Double? {
    get { values[name] }
    set { values[name] = newValue }
  }

  public func duration(_ name: String) -> Nanoseconds? {
    self[name].map { Nanoseconds(Int64($0)) }
  }
}

/// A window of time that a user sets: from one schedule to another, as cron has them.
public struct ScalingWindowSection: Sendable, Equatable {
  public var from: String
  public var to: String
  /// That its schedules are on.
  public var clock = Self.clock()
  /// One of the two: so many instances, or at least so many.
  public var replicas: Int?
  public var floor: Int?

  public init(from: String, to: String) {
    self.from = from
    self.to = to
  }

  /// Second 0 is midnight of a Monday: the fifth of January 1970 was one.
  ///
  /// - Parameter offsets: by how much the clock is ahead of the scenario's.
  public static func clock(_ offsets: [CivilClock.Offset] = []) -> CivilClock {
    CivilClock(origin: 4 * 86_400, offsets: offsets)
  }
}

public struct ArrivalsSection: Sendable {
  public enum Process: String, Sendable, CaseIterable {
    case poisson
    case exactPoisson = "exact_poisson"
    case diurnal, profile, list, trace, timer, bytefaas
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
  /// For the process `profile`: rates at instants, in order.
  public var points: [(at: Nanoseconds, perSecond: Double)] = []
  /// For the process `trace`.
  public var trace: TraceSection?
  /// For the process `timer`.
  public var timer: TimerSection?
  /// For the process `bytefaas`.
  public var synthetic: SyntheticSection?
}

/// A value that the model used although the scenario does not give it, or that it gives.
public struct ResolvedValue: Sendable, Equatable {
  public enum Origin: String, Sendable, CaseIterable { case scenario, published, measured, assumed }
  public var path: String
  public var value: String
  public var origin: Origin
  public var source: String
}
