/// How much of the traffic each level of priority takes, in whole percent.
///
/// Envoy's rule (`load_balancer_impl.cc`; published), with its integer divisions. A level is as
/// healthy as its healthy hosts × overprovisioning, at most 100; it takes that much, and what it
/// cannot take spills over to the next level, healthy hosts before degraded ones. Where all levels
/// together have less than 100, the load is scaled up, and a level with too few healthy hosts is in
/// panic: there all hosts are used, as if all were healthy. With all levels in panic the load goes
/// by hosts.
///
/// Envoy's documentation rounds otherwise in two rows of its tables; this is what Envoy computes.
public struct PriorityLoads: Sendable, Equatable {
  public struct Level: Sendable, Equatable {
    public var hosts: Int
    public var healthy: Int
    /// Hosts that serve, but are to be avoided.
    public var degraded: Int
    /// Hosts that do not count, as those whose first check is still to come.
    public var excluded: Int
    /// In percent: with 140, a level takes all of its traffic down to 71.4 % healthy hosts.
    public var overprovisioning: Int
    /// Weights that health is reckoned in, where hosts differ; nil: hosts.
    public var weights: Weights?

    public struct Weights: Sendable, Equatable {
      public var total: Int
      public var healthy: Int
      public var degraded: Int

      public init(total: Int, healthy: Int, degraded: Int) {
        self.total = total
        self.healthy = healthy
        self.degraded = degraded
      }
    }

    public init(
      hosts: Int, healthy: Int, degraded: Int = 0, excluded: Int = 0,
      overprovisioning: Int = PriorityLoads.overprovisioning, weights: Weights? = nil
    ) {
      self.hosts = hosts
      self.healthy = healthy
      self.degraded = degraded
      self.excluded = excluded
      self.overprovisioning = overprovisioning
      self.weights = weights
    }

    /// Hosts that count.
    var counted: Int { hosts - excluded }

    /// Health by healthy and by degraded hosts, 0...100.
    var health: (healthy: Int, degraded: Int) {
      guard counted > 0 else { return (0, 0) }
      let of = weights ?? Weights(total: counted, healthy: healthy, degraded: degraded)
      guard of.total > 0 else { return (0, 0) }
      return (
        min(100, overprovisioning * of.healthy / of.total),
        min(100, overprovisioning * of.degraded / of.total)
      )
    }

    func isBelow(_ threshold: Int) -> Bool {
      counted <= 0 ? threshold > 0 : 100 * (healthy + degraded) < threshold * counted
    }
  }

  /// Percent; published (Envoy).
  public static let overprovisioning = 140
  /// Percent; published (Envoy).
  public static let panicThreshold = 50

  /// Percent of the traffic by level that goes to healthy hosts, and to degraded ones. All numbers
  /// of both add up to 100. In panic the first stands for all hosts.
  public private(set) var healthy: [Int]
  public private(set) var degraded: [Int]
  public private(set) var isInPanic: [Bool]
  /// Health of all levels together, at most 100.
  public private(set) var totalHealth: Int

  /// - Parameters:
  ///   - levels: the most preferred first. Precondition: not empty.
  ///   - panicThreshold: percent; 0: no panic.
  /// - Complexity: O(levels).
  public init(_ levels: [Level], panicThreshold: Int = PriorityLoads.panicThreshold) {
    precondition(!levels.isEmpty, "no level of priority")
    let health = levels.map(\.health)
    totalHealth = min(100, health.reduce(0) { $0 + $1.healthy + $1.degraded })
    healthy = Array(repeating: 0, count: levels.count)
    degraded = healthy
    isInPanic = Array(repeating: false, count: levels.count)
    if totalHealth > 0 { spread(health) }
    guard panicThreshold > 0 else {
      if totalHealth == 0 { healthy[0] = 100 }
      return
    }
    guard totalHealth < 100 else { return }
    isInPanic = levels.map { $0.isBelow(panicThreshold) }
    if isInPanic.allSatisfy({ $0 }) { spreadByHosts(levels) }
  }

  private mutating func spread(_ health: [(healthy: Int, degraded: Int)]) {
    var left = 100
    for (level, health) in health.enumerated() {
      healthy[level] = min(left, health.healthy * 100 / totalHealth)
      left -= healthy[level]
    }
    for (level, health) in health.enumerated() {
      degraded[level] = min(left, health.degraded * 100 / totalHealth)
      left -= degraded[level]
    }
    // What is left is of rounding.
    if let first = health.firstIndex(where: { $0.healthy > 0 }) {
      healthy[first] += left
    } else if let first = health.firstIndex(where: { $0.degraded > 0 }) {
      degraded[first] += left
    }
  }

  private mutating func spreadByHosts(_ levels: [Level]) {
    degraded = Array(repeating: 0, count: levels.count)
    let hosts = levels.reduce(0) { $0 + $1.hosts }
    guard hosts > 0, let first = levels.firstIndex(where: { $0.hosts > 0 }) else {
      healthy = degraded
      healthy[0] = 100
      return
    }
    healthy = levels.map { 100 * $0.hosts / hosts }
    healthy[first] += 100 - healthy.reduce(0, +)
  }

  /// The level of one request, and whether it goes to a degraded host: the first at which the
  /// loads, healthy ones before degraded ones, have come to a number drawn from 0..<100.
  public func level(of draw: Int) -> (level: Int, isDegraded: Bool) {
    var sum = 0
    for (level, load) in healthy.enumerated() {
      sum += load
      if draw < sum { return (level, false) }
    }
    for (level, load) in degraded.enumerated() {
      sum += load
      if draw < sum { return (level, true) }
    }
    return (0, false)
  }
}
