import ControlPlane
import Policies
import Primitives
import Testing

@Suite struct KeepAliveTests {
  /// Variation and percentiles against the counts as they are.
  @Test func histogramAgainstItsCounts() {
    var bits = Xoshiro256PlusPlus(seed: 9)
    var policy = HybridHistogram()
    var idle: [Int64] = []
    for _ in 0..<500 {
      let minutes = Int64(bits.integer(below: 12) * bits.integer(below: 12))
      idle.append(minutes)
      policy.observe(idle: .seconds(60 * minutes + Int64(bits.integer(below: 60))))
    }
    let counts: [Double] = (0..<240).map { (bin: Int64) in Double(idle.count { $0 == bin }) }
    let mean = counts.reduce(0, +) / 240
    let squares = counts.map { ($0 - mean) * ($0 - mean) }
    let deviation = (squares.reduce(0, +) / 239).squareRoot()
    #expect(abs(policy.variation - deviation / mean) < 1e-12)
    let sorted = idle.sorted()
    #expect(policy.bin(percentile: 5) == Int(sorted[24]))
    #expect(policy.bin(percentile: 99) == Int(sorted[494]))
  }

  @Test func longIdleTimesAreForetold() {
    var policy = HybridHistogram()
    for _ in 0..<3 { policy.observe(idle: .seconds(20_000)) }
    policy.observe(idle: .seconds(60))
    #expect(policy.mode == .timeSeries)
    let decision = policy.decision()
    #expect(decision.prewarm == .seconds(17_000) && decision.keepAlive == .seconds(23_000))
    for _ in 0..<20 { policy.observe(idle: .seconds(60)) }
    #expect(policy.mode == .histogram)
    #expect(policy.decision() == KeepAliveDecision(prewarm: .seconds(54), keepAlive: .seconds(132)))
  }

  /// Idle times all over the range say nothing: an instance stays for all of it.
  @Test func evenIdleTimesSayNothing() {
    var policy = HybridHistogram()
    for minute in 0..<Int64(240) { policy.observe(idle: .seconds(60 * minute)) }
    #expect(policy.mode == .uncertain && policy.variation == 0)
    #expect(policy.decision() == KeepAliveDecision(keepAlive: .seconds(14_400)))
  }

  @Test func provisionedInstancesStay() {
    var policy = ProvisionedMinimum(3, above: HybridHistogram())
    #expect(policy.leastInstances == 3)
    for _ in 0..<50 { policy.observe(idle: .seconds(605)) }
    #expect(policy.decision().prewarm == .seconds(540))
    #expect(FixedKeepAlive(FixedKeepAlive.azure).decision().keepAlive == .seconds(1200))
    #expect(FixedKeepAlive().leastInstances == 0)
  }

  /// Room is never exceeded, busy instances stay, and what goes is the least of what is idle.
  @Test func greedyDualKeepsItsRoom() {
    var bits = Xoshiro256PlusPlus(seed: 2)
    let functions = (0..<12).map { (index: Int) -> GreedyDualCache.Function in
      let size = Int64(64) << Int64(index % 4)
      return .init(size: size, coldCost: Double(100 + 100 * (index % 5)))
    }
    var cache = GreedyDualCache(capacity: 1500, functions: functions)
    var busy: [Int] = []
    var hits = 0
    var refusals = 0
    for _ in 0..<5000 {
      if bits.uniform() < 0.5, !busy.isEmpty {
        cache.release(busy.remove(at: Int(bits.integer(below: UInt64(busy.count)))))
        continue
      }
      let function = Int(min(bits.integer(below: 12), bits.integer(below: 12)))
      let clock = cache.clock
      switch cache.use(function) {
      case .hit:
        hits += 1
        busy.append(function)
      case .miss: busy.append(function)
      case .refused: refusals += 1
      }
      let running = busy.map { functions[$0].size }.reduce(0, +)
      #expect(cache.used <= 1500 && cache.used >= running && cache.clock >= clock)
    }
    #expect(hits > 500 && refusals > 10)
  }
}
