import ControlPlane
import Primitives

/// The smallest stock that misses no more than a share of takes, by what the last whole window
/// showed: how many takes there were, how they came, and what refills took (`StockLaw`).
public struct BaseStockPool: PoolSizing, Equatable {
  public struct Settings: Sendable, Equatable {
    public var rule: PoolRule
    /// Share of takes that may miss, greater than 0.
    public var missShare: Double
    /// Takes and refills are counted over so long a time.
    public var window = Nanoseconds.seconds(600)
    /// A refill takes so long until a window has shown it.
    public var refillTime = Nanoseconds.seconds(10)
    /// Refills under way at a time.
    public var refillParallelism = Int.max
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
  /// Of the window that is being counted.
  private var begun: Instant?
  private var takes: Int64 = 0
  private var blocks: TakeBlocks
  private var refills = RefillTimes()
  /// What whole windows have shown; nil: there was none yet.
  private var demand: StockLaw.Demand?
  private var dispersion = 1.0
  private var refillTime: Double
  /// Of its mean, as far as it is known.
  private var refillVariance = 0.0
  /// The stock for `demand`.
  private var stock = 0

  /// Precondition: the share lies between 0 and 1 and the window has a length.
  public init(_ settings: Settings) {
    precondition(
      settings.missShare > 0 && settings.missShare < 1 && settings.window.count > 0,
      "a stock without misses is infinite")
    self.settings = settings
    refillTime = settings.refillTime.seconds
    blocks = TakeBlocks(length: settings.refillTime, window: settings.window)
  }

  public mutating func observeTake(at instant: Instant) {
    turn(to: instant)
    takes += 1
    if let begun { blocks.add(instant - begun) }
  }

  public mutating func observeRefill(took length: Nanoseconds) { refills.add(length.seconds) }

  /// O(1) within a window, and O(target) for the first question after one.
  public func target(readyNow: Int, readyAtPeak: Int, at now: Instant) -> Int {
    var counted = self
    counted.turn(to: now)
    if counted.demand == nil {
      if let beginning = settings.beginning { return beginning }
      counted.stock = counted.stock(for: StockLaw.Demand(load: counted.loadSoFar(at: now)))
    }
    return min(max(counted.stock, settings.least), settings.most)
  }

  /// The end of the window. In the first one the rate of takes falls with time.
  public func unchangedUntil(at now: Instant) -> Instant {
    guard let begun else { return .distantFuture }
    if demand == nil, settings.beginning == nil { return now }
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
    close()
    if windows > 1 { close() }
    begun = start + settings.window * windows
  }

  /// A window is over. The rate of takes has a Gamma law then, by a prior that prefers no scale and
  /// as the next take sees it: of one take more than were counted.
  private mutating func close() {
    if let mean = refills.mean {
      refillTime = mean
      refillVariance = refills.relativeVarianceOfMean
    }
    if let found = blocks.dispersion { dispersion += (found - dispersion) * Self.newest }
    let seen = Double(takes + 1)
    var demand = StockLaw.Demand(
      load: seen / settings.window.seconds * refillTime, shape: 1 / (1 / seen + refillVariance))
    demand.dispersion = dispersion
    demand.parallelism = settings.refillParallelism
    self.demand = demand
    stock = stock(for: demand)
    takes = 0
    refills = RefillTimes()
    blocks = TakeBlocks(length: Nanoseconds(seconds: refillTime), window: settings.window)
  }

  /// Weight of the last window in how takes come (assumed).
  private static let newest = 0.25

  private func stock(for demand: StockLaw.Demand) -> Int {
    StockLaw.stock(
      for: demand, rule: settings.rule, missShare: settings.missShare, most: settings.most)
  }

  /// By what there is of the first window.
  private func loadSoFar(at now: Instant) -> Double {
    guard let begun, takes > 0 else { return 0 }
    return Double(takes) / max(1, (now - begun).seconds) * (refills.mean ?? refillTime)
  }
}

/// What refills took within a window, seconds.
private struct RefillTimes: Sendable, Equatable {
  private var count = 0.0
  private var sum = 0.0
  private var squares = 0.0

  mutating func add(_ seconds: Double) {
    count += 1
    sum += max(0, seconds)
    squares += max(0, seconds) * max(0, seconds)
  }

  /// Nil: there was none.
  var mean: Double? { count > 0 ? sum / count : nil }

  /// Variance of the mean ÷ its square; 0 where nothing is known of it.
  var relativeVarianceOfMean: Double {
    guard count > 1, sum > 0 else { return 0 }
    let mean = sum / count
    return max(0, squares / count - mean * mean) / (count - 1) / (mean * mean)
  }
}

/// Takes counted in blocks as long as a refill, from the beginning of a window on.
private struct TakeBlocks: Sendable, Equatable {
  private let length: Int64
  /// Whole ones in a window.
  private let count: Int64
  private var block: Int64 = 0
  private var inBlock = 0.0
  private var sum = 0.0
  private var squares = 0.0

  /// Fewer say too little of a variance.
  private static let fewest: Int64 = 8

  init(length: Nanoseconds, window: Nanoseconds) {
    self.length = max(1, length.count)
    count = window.count / self.length
  }

  /// - Parameter time: since the beginning of the window.
  mutating func add(_ time: Nanoseconds) {
    let index = time.count / length
    guard index < count else { return }
    if index > block {
      squares += inBlock * inBlock
      inBlock = 0
      block = index
    }
    inBlock += 1
    sum += 1
  }

  /// Variance ÷ mean of a block's takes; nil where too little is known.
  var dispersion: Double? {
    guard count >= Self.fewest, sum > 0 else { return nil }
    let (blocks, all) = (Double(count), squares + inBlock * inBlock)
    return (all - sum * sum / blocks) / (blocks - 1) / (sum / blocks)
  }
}
