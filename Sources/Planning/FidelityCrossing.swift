import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Workload

/// A cell of a design in which every two settings of different axes meet: flow, and what `auto`
/// makes of the lane, against single requests.
public struct FidelityCrossing: FidelityCell, Hashable {
  // Where processors are what a cell is about it has epochs all the same.
  public static let sides = [
    FidelitySide(.request, .exact), FidelitySide(.flow, .exact), FidelitySide(.auto, .exact),
  ]

  public enum Law: String, Sendable, CaseIterable { case constant, exponential, lognormal }

  /// What happens to the lane.
  public enum Regime: String, Sendable, CaseIterable {
    /// Nothing: as many instances, and one rate.
    case steady
    /// The rate of every second is multiplied by a gamma factor of shape 10.
    case dispersed
    /// The rate rises from a quarter and falls again.
    case ramp
    /// The rate is a third, and the whole for a while.
    case burst
    /// No instance is there; each is made for a request that finds none, in a second.
    case fromZero = "from zero"
    /// The same, with so few pods a second that the last is there after half a minute.
    case poolLimited = "pool-limited"
    /// A topic that is not read for half a minute.
    case lag
    /// One of three zones is lost for a minute, and the others have its traffic.
    case zoneLoss = "zone loss"
    /// All of the service is computing, on a node of which it takes nine tenths.
    case contention = "epoch contention"
  }

  public static let rates = [0.1, 1, 10, 100, 1000, 1e4, 1e5]
  public static let instanceCounts = [1, 2, 5, 20, 100, 1000]
  public static let concurrencies = [1, 10, 100]
  public static let utilisations = [0.3, 0.6, 0.8, 0.95, 1.2]

  /// Requests a second at the most.
  public var rate: Double
  public var instances: Int
  public var concurrency: Int
  /// What all slots want at that rate ÷ what they have.
  public var utilisation: Double
  public var law: Law
  public var regime: Regime

  /// Two designs that share no draw: the second confirms what is said of the first.
  public static let published: [FidelityCrossing] = design(variant: 1)
  public static let confirming: [FidelityCrossing] = design(variant: 2)

  /// Every pair of settings that can be, at least once.
  public static func design(variant: UInt64) -> [FidelityCrossing] {
    let levels = [
      rates.count, instanceCounts.count, concurrencies.count, utilisations.count,
      Law.allCases.count, Regime.allCases.count,
    ]
    let design = PairwiseDesign(levels: levels, variant: variant) { Self($0).isPossible }
    return design.rows.map { Self($0) }
  }

  private init(_ row: [Int]) {
    rate = Self.rates[row[0]]
    instances = Self.instanceCounts[row[1]]
    concurrency = Self.concurrencies[row[2]]
    utilisation = Self.utilisations[row[3]]
    law = Law.allCases[row[4]]
    regime = Regime.allCases[row[5]]
  }

  /// Seconds; it follows from the other axes.
  public var meanService: Double {
    utilisation * Double(instances * concurrency) / rate
  }

  /// Services of 0.2 ms to 30 s, and no more requests in a run than a study can bear.
  var isPossible: Bool {
    meanService >= 0.2e-3 && meanService <= 30
      && Double(warmUpSeconds + judgedSeconds) * rate * Double(zones) <= 4e6
  }

  var zones: Int { regime == .zoneLoss ? 3 : 1 }

  // MARK: Time

  /// What a phase of a regime lasts: long against the service and a step.
  private var phase: Int64 {
    max(
      regime == .lag || regime == .poolLimited || regime == .zoneLoss ? 30 : 10,
      Int64((10 * meanService).rounded(.up)))
  }

  public var warmUpSeconds: Int64 {
    switch regime {
    case .steady, .dispersed, .contention: utilisation < 1 ? 2 * phase : 0
    case .ramp, .burst, .zoneLoss, .lag: phase
    case .fromZero, .poolLimited: 0
    }
  }

  public var judgedSeconds: Int64 {
    // Enough requests to tell, where that takes longer than the regime.
    let enough = min(200_000, Int64((200_000 / rate).rounded(.up)))
    switch regime {
    case .steady, .dispersed, .contention:
      return utilisation < 1 ? max(2 * phase, enough) : 4 * phase
    case .ramp, .burst, .fromZero: return 6 * phase
    case .poolLimited: return 4 * phase
    case .lag: return 6 * phase
    case .zoneLoss: return 300
    }
  }

  // MARK: World

  public func configuration(_ side: FidelitySide, seed: UInt64) -> ClusterConfiguration {
    var cluster = FidelityWorld.cluster(side, seed: seed, cores: cores)
    var rules = FidelityWorld.rules(instances: instances)
    rules.concurrencyLimit = concurrency
    var initial = instances
    switch regime {
    case .fromZero, .poolLimited:
      cluster.kubernetes.create = .constant(1)
      if regime == .poolLimited {
        cluster.kubernetes.podsPerSecond = max(0.1, Double(instances) / 30)
      }
      rules.minimumInstances = 0
      rules.startRule = .onDemand
      rules.keepAlive = .seconds(60)
      initial = 0
    case .contention:
      cluster.contention = .epoch
      // Epochs need a delay to the control plane, which nothing is asked of here.
      rules.routeLifetimes.fresh = .seconds(1_000_000)
      rules.routeLifetimes.stale = .seconds(1_000_000)
    case .zoneLoss: loseZone(&cluster)
    case .steady, .dispersed, .ramp, .burst, .lag: break
    }
    cluster.services = [service(rules, initial: initial, seed: seed)]
    return cluster
  }

  private var cores: Int64 {
    guard regime == .contention else { return 1_000_000 }
    return max(1, Int64((rate * meanService / 0.9).rounded()))
  }

  private func loseZone(_ cluster: inout ClusterConfiguration) {
    let (zone, pool) = (cluster.zones[0], cluster.pools[0])
    cluster.zones = (0..<zones).map { index in
      var other = zone
      other.name = "zone-\(index)"
      return other
    }
    cluster.pools = (0..<zones).map { index in
      var other = pool
      other.zone = ZoneID(index)
      return other
    }
    cluster.balancer = BalancerConfiguration()
    cluster.faults = [
      FaultConfiguration(
        name: "loss", kind: .loseZone(ZoneID(1)), at: .seconds(warmUpSeconds + 60),
        restartAfter: .seconds(60))
    ]
  }

  private func service(
    _ rules: RouterRules, initial: Int, seed: UInt64
  ) -> ServiceConfiguration {
    let key = StreamKey(seed: seed, replication: 0, name: "arrivals")
    let (intensity, zones) = (intensity, zones)
    let factors = regime == .dispersed ? GammaFactorTable(shape: 10) : nil
    var service = ServiceConfiguration(
      name: "lane", runtime: 0, shape: 0, zones: (0..<zones).map { ZoneID($0) }, router: rules,
      serviceTime: time, initialInstances: Array(repeating: initial, count: zones)
    ) { lane in
      KeyedRateSource(
        intensity: intensity, factors: factors, key: key, lane: lane,
        weights: Array(repeating: 1, count: zones))
    }
    service.initialRatePerSecond = intensity.perSecond(0)
    if regime == .contention { service.cpuFraction = 1 }
    if regime == .lag { service.topic = topic }
    return service
  }

  private var time: Distribution {
    switch law {
    case .constant: .constant(meanService)
    case .exponential: .exponential(mean: meanService)
    case .lognormal: .lognormal(mean: meanService, sigma: 1.3)
    }
  }

  private var intensity: Intensity {
    let whole = rate * Double(zones)
    let (start, end) = (Double(warmUpSeconds), Double(warmUpSeconds + judgedSeconds))
    switch regime {
    case .ramp:
      return .profile([
        .init(second: start, perSecond: whole / 4),
        .init(second: (start + end) / 2, perSecond: whole),
        .init(second: end, perSecond: whole / 4),
      ])
    case .burst:
      let from = Int(warmUpSeconds + judgedSeconds / 6)
      return .burst(
        .constant(perSecond: whole / 3), factor: 3, from: from, to: from + Int(judgedSeconds / 6),
        rampSeconds: 0)
    default: return .constant(perSecond: whole)
    }
  }

  /// Windows so wide that instances alone bound what is under way.
  private var topic: TopicConfiguration {
    var topic = TopicConfiguration(partitions: 8)
    topic.window = max(32, 2 * instances * concurrency)
    let from = Instant.seconds(warmUpSeconds + judgedSeconds / 6)
    topic.pauses = [from..<from + .seconds(judgedSeconds / 6)]
    return topic
  }
}
