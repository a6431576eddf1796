import ControlPlane
import Policies
import Primitives
import Statistics
import Testing

/// Stocks against closed forms of another module, and what a pool makes of what it sees.
@Suite struct BaseStockTests {
  private static func stock(
    _ demand: StockLaw.Demand, _ rule: PoolRule, _ share: Double, most: Int = 10_000
  ) -> Int {
    StockLaw.stock(for: demand, rule: rule, missShare: share, most: most)
  }

  private static func stock(
    _ demand: StockLaw.Demand, _ share: Double, most: Int = 10_000
  ) -> Int { stock(demand, .lost, share, most: most) }

  /// One pod fewer misses too often.
  @Test func theSmallestThatSuffices() throws {
    for load in [0.02, 0.5, 3, 20, 100, 900] {
      for share in [0.2, 0.01, 0.001] {
        let demand = StockLaw.Demand(load: load)
        let lost = Self.stock(demand, share)
        #expect(try Statistics.WarmPool.missLost(outstandingLoad: load, pods: lost) <= share)
        #expect(try Statistics.WarmPool.missLost(outstandingLoad: load, pods: lost - 1) > share)
        let base = Self.stock(demand, .backorder, share)
        #expect(try Statistics.WarmPool.missBackorder(outstandingLoad: load, pods: base) <= share)
        #expect(
          try Statistics.WarmPool.missBackorder(outstandingLoad: load, pods: base - 1) > share)
      }
    }
    #expect(Self.stock(.init(load: 0), 0.1) == 0)
    #expect(Self.stock(.init(load: 1e9), 0.1, most: 10) == 10)
    #expect(Self.stock(.init(load: 1e9), .backorder, 0.1, most: 10) == 10)
  }

  /// An uncertain load: the negative binomial law is exact where misses are backordered. Five
  /// points of a Gamma law come to within a pod or three in a hundred of it.
  @Test func uncertainLoads() throws {
    for load in [0.05, 0.5, 3, 20, 100] {
      for shape in [5.0, 20, 200] {
        for share in [0.05, 0.01, 0.001] {
          let exact = try Statistics.WarmPool.smallest(target: share) {
            pods throws(StatisticsError) in
            try Statistics.WarmPool.missBackorder(
              outstandingLoad: load, pods: pods, dayFactorShape: shape, weight: .time)
          }
          let found = Self.stock(.init(load: load, shape: shape), .backorder, share)
          // Shapes of 5 at great loads are a matter of a few windows with few, long refills.
          let most = max(1, (shape < 20 ? 0.09 : 0.015) * Double(exact))
          #expect(Double(abs(found - exact)) <= most, "\(load), \(shape): \(found), \(exact)")
          #expect(found >= Self.stock(.init(load: load), .backorder, share))
        }
      }
    }
  }

  /// What a take misses on average over all windows that there may be is what was asked for, or
  /// less: at 2 takes a window a rule that takes the count for the rate misses 136 times as often.
  @Test(arguments: [0.5, 2, 10, 40, 139, 600, 4000], [0.01, 0.001])
  func countsAreNoRates(mean: Double, share: Double) throws {
    let ratio = 8.0 / 600
    var asked = 0.0
    var naive = 0.0
    let spread = 7 * mean.squareRoot() + 10
    for count in max(0, Int(mean - spread))...Int(mean + spread) {
      let weight = Elementary.exp(
        Double(count) * Elementary.log(mean) - mean - Elementary.logGamma(Double(count) + 1))
      func miss(_ pods: Int) throws -> Double {
        try Statistics.WarmPool.missLost(outstandingLoad: mean * ratio, pods: pods)
      }
      let seen = Double(count + 1)
      asked += try weight * miss(Self.stock(.init(load: seen * ratio, shape: seen), share))
      naive += try weight * miss(Self.stock(.init(load: Double(count) * ratio), share))
    }
    #expect(asked <= share && asked > share / 600, "\(asked)")
    #expect(naive > asked)
    if mean == 2, share == 0.001 { #expect(naive > 130 * share && naive < 140 * share) }
  }

  /// Refills that wait for their turn: M/M/k where misses are backordered, M/M/k/w where not.
  @Test(arguments: [1, 3, 10])
  func refillsThatWait(parallelism: Int) throws {
    for part in [0.3, 0.7, 0.95] {
      let load = part * Double(parallelism)
      for share in [0.3, 0.05, 0.002] {
        var demand = StockLaw.Demand(load: load)
        demand.parallelism = parallelism
        func backordered(_ pods: Int) throws -> Double {
          try Statistics.WarmPool.missBackorder(
            outstandingLoad: load, pods: pods, parallelRefills: parallelism)
        }
        let base = Self.stock(demand, .backorder, share)
        #expect(try backordered(base) <= share + 1e-12)
        #expect(try backordered(base - 1) > share - 1e-12)
        let lost = Self.stock(demand, share)
        #expect(Self.full(load, parallelism, lost) <= share + 1e-12)
        #expect(Self.full(load, parallelism, lost - 1) > share - 1e-12)
      }
    }
    // More than refills can follow: as if nothing held them up, since no stock would do.
    var beyond = StockLaw.Demand(load: 2 * Double(parallelism))
    beyond.parallelism = parallelism
    #expect(Self.stock(beyond, 0.01) == Self.stock(.init(load: beyond.load), 0.01))
  }

  /// P(all w orders are under way or wait) of M/M/k/w, from its states one by one.
  private static func full(_ load: Double, _ parallelism: Int, _ stock: Int) -> Double {
    guard stock > 0 else { return 1 }
    var states = [1.0]
    for state in 1...stock {
      states.append(states[state - 1] * load / Double(min(state, parallelism)))
    }
    return states[stock] / states.reduce(0, +)
  }

  // MARK: What a pool sees

  /// Ten takes a second and refills of eight seconds are a load of 80.
  @Test func measuredDemand() {
    var pool = BaseStockPool(BaseStockPool.Settings(rule: .lost, missShare: 0.001))
    #expect(pool.target(readyNow: 0, readyAtPeak: 0, at: .origin) == 0)
    for take in 0..<12_000 {
      let now = Instant.origin + .milliseconds(100 * Int64(take))
      pool.observeTake(at: now)
      if take % 100 == 0 { pool.observeRefill(took: .seconds(take % 200 == 0 ? 6 : 10)) }
    }
    // 6,001 takes; 60 refills of 6 or 10 s.
    let demand = StockLaw.Demand(
      load: 6001.0 / 600 * 8, shape: 1 / (1 / 6001.0 + 4.0 / 59 / 64))
    let target = pool.target(readyNow: 0, readyAtPeak: 0, at: .seconds(1200))
    #expect(target == Self.stock(demand, 0.001))
    #expect(pool.unchangedUntil(at: .seconds(1201)) == .seconds(1201))
    // Windows without a take: as many as one take in 600 s wants, and never none.
    let last = pool.target(readyNow: 0, readyAtPeak: 0, at: .seconds(2400))
    #expect(last == Self.stock(.init(load: 8.0 / 600, shape: 1), 0.001) && last > 0)
  }

  /// Takes that come by fives: what is asked for is kept, which Poisson's law would not do.
  @Test func batchesNeedMore() throws {
    let (refill, window) = (8.0, 600.0)
    var settings = BaseStockPool.Settings(rule: .lost, missShare: 0.02)
    settings.window = Nanoseconds(seconds: window)
    var pool = BaseStockPool(settings)
    var bits = Xoshiro256PlusPlus(seed: 8)
    var now = 0.0
    var pods: [Double] = []
    var counted = (takes: 0, misses: 0, poisson: 0)
    var poissonPods: [Double] = []
    let poisson = Self.stock(.init(load: 5 * refill), 0.02)
    while now < 100 * window {
      now += ZigguratExponential.sample(using: &bits)
      let target = pool.target(
        readyNow: 0, readyAtPeak: 0, at: Instant(nanoseconds: Int64(now * 1e9)))
      pods.removeAll { $0 <= now }
      poissonPods.removeAll { $0 <= now }
      for _ in 0..<5 {
        pool.observeTake(at: Instant(nanoseconds: Int64(now * 1e9)))
        pool.observeRefill(took: Nanoseconds(seconds: refill))
        guard now > 20 * window else { continue }
        counted.takes += 1
        if pods.count < target { pods.append(now + refill) } else { counted.misses += 1 }
        if poissonPods.count < poisson {
          poissonPods.append(now + refill)
        } else {
          counted.poisson += 1
        }
      }
    }
    let share = Double(counted.misses) / Double(counted.takes)
    #expect(share < 0.025 && share > 0.008, "\(share)")
    let without = Double(counted.poisson) / Double(counted.takes)
    #expect(without > 0.06, "\(without)")
  }
}
