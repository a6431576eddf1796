import ControlPlane
import Primitives

/// How large a stock must be, by the laws of pools.
///
/// Takes come by Poisson's law, with a mean of `load` in the time of a refill: a take misses with
/// Erlang B(load, w) where a miss orders nothing, and with P(Poisson(load) >= w) where it does,
/// whatever law the time of a refill has. What the load was measured by leaves it uncertain, and
/// misses grow faster above it than they fall below: they are averaged over its Gamma law.
public enum StockLaw {
  /// What is known of takes and refills.
  public struct Demand: Sendable, Equatable {
    /// Takes in the time of a refill.
    public var load: Double
    /// Shape of the Gamma law of the load, given what was counted; nil: it is known.
    public var shape: Double?
    /// Variance ÷ mean of the takes within the time of a refill: 1 is Poisson's law, and less
    /// counts as 1.
    public var dispersion = 1.0
    /// Refills under way at a time.
    public var parallelism = Int.max

    public init(load: Double, shape: Double? = nil) {
      self.load = load
      self.shape = shape
    }
  }

  /// The smallest stock that misses no more than a share of takes, `most` where none does. O(stock)
  /// where misses are lost, else O(log most).
  ///
  /// With a dispersion z it is z times the stock for a z-th of the load (Hayward's approximation;
  /// A. A. Fredericks, Congestion in blocking systems, 1980). A limit of refills at a time is
  /// taken at the mean load with exponential refills (M/M/k): one that takes exceed is not looked
  /// at, since no stock would do.
  public static func stock(
    for demand: Demand, rule: PoolRule, missShare: Double, most: Int
  ) -> Int {
    guard demand.load > 0 else { return 0 }
    let batch = max(1, demand.dispersion)
    let loads = points(of: demand.load / batch, shape: demand.shape)
    let free = smallest(loads, rule, missShare, most)
    var stock = Double(free.stock)
    if batch > 1, free.stock > 0 { stock = (batch * free.between).rounded(.up) }
    // As many lost refills are under way as there are pods at most: a greater limit is none.
    let mayBind = rule == .backorder || stock > Double(demand.parallelism)
    if demand.parallelism < .max, mayBind, stock > 0, demand.load < Double(demand.parallelism) {
      let limited = behindLimit(demand.load, demand.parallelism, rule, missShare, most)
      stock = max(stock, Double(limited))
    }
    return Int(min(stock, Double(most)))
  }

  // MARK: The law of the load

  private typealias Point = (load: Double, weight: Double)

  /// Gauss and Hermite's five points of a normal law.
  private static let normal: [(at: Double, weight: Double)] = [
    (-2.856970013872806, 0.011257411327720693), (-1.355626179974266, 0.22207592200561266),
    (0, 0.5333333333333333), (1.355626179974266, 0.22207592200561266),
    (2.856970013872806, 0.011257411327720693),
  ]

  /// A Gamma law at five points: its cube root is nearly normal (Wilson and Hilferty, 1931).
  private static func points(of load: Double, shape: Double?) -> [Point] {
    guard let shape else { return [(load, 1)] }
    let spread = 1 / (9 * max(shape, 0.5))
    return normal.map { point in
      let root = max(0, 1 - spread + point.at * spread.squareRoot())
      return (load * root * root * root, point.weight)
    }
  }

  // MARK: Misses

  /// The smallest stock, and where between it and one less the share is met.
  private static func smallest(
    _ loads: [Point], _ rule: PoolRule, _ missShare: Double, _ most: Int
  ) -> (stock: Int, between: Double) {
    let found =
      rule == .lost
      ? smallestLost(loads, missShare, most) : smallestBackordered(loads, missShare, most)
    guard found.stock > 0, found.share < found.before, found.share > 0 else {
      return (found.stock, Double(found.stock))
    }
    let part =
      Elementary.log(found.before / missShare) / Elementary.log(found.before / found.share)
    return (found.stock, Double(found.stock) - 1 + min(1, max(0, part)))
  }

  private typealias Found = (stock: Int, share: Double, before: Double)

  private static func smallestLost(_ loads: [Point], _ missShare: Double, _ most: Int) -> Found {
    var blocking = loads.map { _ in 1.0 }
    var found: Found = (0, 1, 1)
    while found.share > missShare && found.stock < most {
      found.stock += 1
      found.before = found.share
      found.share = 0
      for (index, point) in loads.enumerated() {
        let load = point.load * blocking[index]
        blocking[index] = load / (Double(found.stock) + load)
        found.share += point.weight * blocking[index]
      }
    }
    return found
  }

  /// The share falls with the stock, so halve.
  private static func smallestBackordered(
    _ loads: [Point], _ missShare: Double, _ most: Int
  ) -> Found {
    func share(_ stock: Int) -> Double {
      loads.reduce(0) { $0 + $1.weight * atLeast(stock, load: $1.load) }
    }
    var low = 0
    var high = max(0, most)
    while low < high {
      let middle = low + (high - low) / 2
      if share(middle) > missShare { low = middle + 1 } else { high = middle }
    }
    return (low, share(low), share(max(0, low - 1)))
  }

  /// P(Poisson(a) >= w), the regularized lower gamma function of w at a.
  private static func atLeast(_ stock: Int, load: Double) -> Double {
    if stock == 0 { return 1 }
    return load > 0 ? Elementary.regularizedGammaP(Double(stock), load) : 0
  }

  // MARK: Refills that wait for their turn

  /// The smallest stock behind k exponential refills at a time, of a load below k. O(stock).
  ///
  /// Where misses are lost it is the queue M/M/k/w: as in Erlang's recursion, with what the next
  /// refill ends by no more than k. Else it is M/M/k: P(at least n orders under way or waiting).
  private static func behindLimit(
    _ load: Double, _ parallelism: Int, _ rule: PoolRule, _ missShare: Double, _ most: Int
  ) -> Int {
    var blocking = 1.0
    var stock = 0
    guard rule == .backorder else {
      while blocking > missShare && stock < most {
        stock += 1
        blocking *= load / Double(min(stock, parallelism))
        blocking /= 1 + blocking
      }
      return stock
    }
    while stock < parallelism && blocking > 0 {
      stock += 1
      blocking = load * blocking / (Double(stock) + load * blocking)
    }
    let share = load / Double(parallelism)
    var tail = blocking / (1 - share * (1 - blocking))
    if stock < parallelism { return 0 }
    while tail > missShare && stock < most {
      stock += 1
      tail *= share
    }
    // The other way: from P(k orders) down, as long as it stays below.
    var point = tail * (1 - share)
    while stock > 0, stock <= parallelism {
      point *= Double(stock) / load
      guard tail + point <= missShare else { break }
      tail += point
      stock -= 1
    }
    return min(stock, most)
  }
}
