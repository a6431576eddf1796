import ControlPlane
import Primitives

/// The smallest stock that misses no more than a share of takes, by what was measured: takes a
/// second and the time of a refill.
///
/// Poisson takes at rate r and refills that take R on average: a take misses with Erlang B(rR, w)
/// where a miss orders nothing, and with P(Poisson(rR) >= w) where it does. Both hold for any law
/// of the refill time.
public struct BaseStockPool: PoolSizing, Equatable {
  public struct Settings: Sendable, Equatable {
    public var rule: PoolRule
    /// Share of takes that may miss, greater than 0.
    public var missShare: Double
    /// Takes are counted over so long a time.
    public var window = Nanoseconds.seconds(600)
    /// A refill takes so long until one was measured.
    public var refillTime = Nanoseconds.seconds(10)
    /// Weight of the latest refill (assumed).
    public var refillAlpha = 0.05
    /// The target until takes have been counted for a whole window; nil: by what there is of it.
    public var beginning: Int?
    public var least = 0
    public var most = 100_000

    public init(rule: PoolRule, missShare: Double) {
      self.rule = rule
      self.missShare = missShare
    }
  }

  public let settings: Settings
  /// Takes of the window that is being counted and of the one before.
  private var begun: Instant?
  private var takes: Int64 = 0
  private var takesBefore: Int64?
  private var refill: HoltSmoothing

  /// Precondition: the share lies between 0 and 1 and the window has a length.
  public init(_ settings: Settings) {
    precondition(
      settings.missShare > 0 && settings.missShare < 1 && settings.window.count > 0,
      "a stock without misses is infinite")
    self.settings = settings
    refill = HoltSmoothing(alpha: settings.refillAlpha, level: settings.refillTime.seconds)
  }

  public mutating func observeTake(at instant: Instant) {
    turn(to: instant)
    takes += 1
  }

  public mutating func observeRefill(took length: Nanoseconds) {
    refill.observe(max(0, length.seconds))
  }

  /// O(target).
  public func target(readyNow: Int, readyAtPeak: Int, at now: Instant) -> Int {
    var counted = self
    counted.turn(to: now)
    if let beginning = settings.beginning, counted.takesBefore == nil { return beginning }
    let load = counted.takesPerSecond(at: now) * refill.level
    let stock = Self.stock(
      load: load, rule: settings.rule, missShare: settings.missShare, most: settings.most)
    return min(max(stock, settings.least), settings.most)
  }

  /// The end of the window. In the first one the rate of takes falls with time.
  public func unchangedUntil(at now: Instant) -> Instant {
    guard let begun else { return .distantFuture }
    if takesBefore == nil, settings.beginning == nil { return now }
    return max(now, begun + settings.window)
  }

  public borrowing func clone() -> Self { copy self }

  // MARK: Demand

  private mutating func turn(to now: Instant) {
    guard let start = begun else {
      begun = now
      return
    }
    let windows = (now - start).count / settings.window.count
    guard windows > 0 else { return }
    takesBefore = windows == 1 ? takes : 0
    takes = 0
    begun = start + settings.window * windows
  }

  /// Of the last whole window; in the first one, of what there is of it.
  private func takesPerSecond(at now: Instant) -> Double {
    if let takesBefore { return Double(takesBefore) / settings.window.seconds }
    guard let begun, takes > 0 else { return 0 }
    return Double(takes) / max(1, (now - begun).seconds)
  }

  // MARK: Theory

  /// The smallest stock for an offered load (takes a second times refill time). O(stock)
  /// where misses are lost.
  public static func stock(load: Double, rule: PoolRule, missShare: Double, most: Int) -> Int {
    guard load > 0 else { return 0 }
    switch rule {
    case .lost:
      var blocking = 1.0
      var stock = 0
      while blocking > missShare && stock < most {
        stock += 1
        blocking = load * blocking / (Double(stock) + load * blocking)
      }
      return stock
    case .backorder:
      // The share falls with the stock, so halve.
      var low = 0
      var high = max(0, most)
      while low < high {
        let middle = low + (high - low) / 2
        if atLeast(middle, load: load) > missShare { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  /// P(Poisson(a) >= w), the regularized lower gamma function of w at a.
  private static func atLeast(_ stock: Int, load: Double) -> Double {
    stock == 0 ? 1 : Elementary.regularizedGammaP(Double(stock), load)
  }
}
