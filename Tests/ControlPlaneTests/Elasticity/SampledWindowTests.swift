import ControlPlane
import Policies
import Primitives
import Testing

/// Windows of samples that are means over longer than a second, or that come late.
@Suite struct SampledWindowTests {
  /// Knative's rule, told a load by second as means over a period that are known late, and asked at
  /// each tick.
  ///
  /// - Parameter load: by second; the second that ends at an instant has its number less 1.
  /// - Returns: what it wants at each tick, up to the end of the load.
  private static func answers(
    _ load: [Double], period: Int64, delay: Int64 = 0, ready: Int, weighted: Bool = false
  ) -> [Int] {
    var settings = KnativePodAutoscaler.Settings(containerConcurrency: 1)
    settings.samplePeriod = .seconds(period)
    settings.sampleDelay = .seconds(delay)
    settings.isWeighted = weighted
    var policy = KnativePodAutoscaler(settings, ready: ready)
    var told = Int64(0)
    return stride(from: Int64(2), through: Int64(load.count) + delay, by: 2).map { second in
      // A sample of the tick's own instant is on its way still.
      while told + period + delay < second {
        let mean = load[Int(told)..<Int(told + period)].reduce(0, +) / Double(period)
        told += period
        policy.observe(concurrency: mean, lane: 0, at: .seconds(told))
      }
      return policy.desiredPods(ready: ready, at: .seconds(second))
    }
  }

  /// A load of 30 wants 30 / 0.7 pods, however seldom and however late it is told.
  @Test(
    arguments: [Int64(1), 2, 5, 15, 60, 90], [Int64(0), 1, 10, 58, 59, 60, 61, 120])
  func aSteadyLoadIsSeenAsItIs(period: Int64, delay: Int64) {
    for weighted in [false, true] {
      let load = Array(repeating: 30.0, count: 900)
      let found = Self.answers(load, period: period, delay: delay, ready: 43, weighted: weighted)
      let known = found.dropFirst(Int((period + delay) / 2) + 1)
      // A weighted mean begins with few buckets.
      let settled = weighted ? known.dropFirst(60) : known
      #expect(settled.count > 200 && settled.allSatisfy { $0 == 43 }, "\(Set(known))")
    }
  }

  /// A policy that is told everything so much later says the same so much later.
  @Test(arguments: [Int64(2), 10, 58, 60, 120], [false, true])
  func delayIsAShiftOfTime(delay: Int64, weighted: Bool) {
    var bits = Xoshiro256PlusPlus(seed: UInt64(delay))
    var level = 20.0
    let load = (0..<1200).map { second in
      if second % 97 == 0 { level = bits.uniform() * 60 }
      return level * (0.5 + bits.uniform())
    }
    // What is done before the first sample is not compared.
    let prompt = Self.answers(load, period: 1, ready: 1, weighted: weighted)
    let late = Self.answers(load, period: 1, delay: delay, ready: 1, weighted: weighted)
    #expect(late.dropFirst(Int(delay / 2) + 60) == prompt.dropFirst(60))
    #expect(Set(prompt).count >= 5)
  }

  /// A load that begins is seen at the first sample that tells it, and one that ends is forgotten
  /// a window after it.
  @Test(arguments: [Int64(1), 5, 15, 60]) func loadsBeginAndEnd(period: Int64) {
    let load = (0..<900).map { 300..<480 ~= $0 ? 30.0 : 0 }
    let found = Self.answers(load, period: period, ready: 1)
    func at(_ second: Int64) -> Int { found[Int(second / 2) - 1] }
    #expect(at(300) == 0)
    #expect(at(300 + max(60, period) + 2) == 43)
    #expect(at(480) == 43)
    // Panic keeps what it has asked for, a stable window long.
    #expect(at(480 + 2 * 60 + 2 * period + 4) == 0)
  }

  /// A mean over several buckets counts for each of them, as if they were told one by one.
  @Test func aRecordOfSeveralBuckets() {
    var bits = Xoshiro256PlusPlus(seed: 5)
    var one = BucketWindow(length: .seconds(20))
    var other = one
    for step in 1..<200 {
      let (value, count) = (bits.uniform() * 9, 1 + Int(bits.integer(below: 7)))
      let instant = Instant.seconds(Int64(step * 7))
      one.record(value, at: instant, buckets: count)
      for before in (0..<count).reversed() {
        other.record(value, at: instant - .seconds(Int64(before)))
      }
      let now = instant + .seconds(Int64(bits.integer(below: 25)))
      #expect(one.average(at: now) == other.average(at: now))
      #expect(one.weightedAverage(at: now) == other.weightedAverage(at: now))
    }
    // More than the window holds is no more than the window.
    one.record(3, at: .seconds(5000), buckets: 90)
    #expect(one.average(at: .seconds(5000)) == 3 && one.total(at: .seconds(5000)) == 60)
  }

  /// Slots of a forecast learn what was in them, when all of it has been told.
  @Test(arguments: [Int64(1), 15, 60], [Int64(0), 30]) func slotsWait(period: Int64, delay: Int64) {
    var settings = PredictiveAutoscaler.Settings(
      method: .holt(alpha: 1, beta: 0, damping: 1), milliPerPod: 1000, maxPods: 1000)
    settings.marginPercent = 0
    settings.samplePeriod = .seconds(period)
    settings.sampleDelay = .seconds(delay)
    var policy = PredictiveAutoscaler(settings, pods: 7)
    var told = Int64(0)
    for second in stride(from: Int64(2), through: 900, by: 2) {
      while told + period + delay < second {
        told += period
        // Slot n has a load of 10 (n + 1).
        let slot = (told - 1) / 60
        policy.observe(
          ScalingSample(concurrencyMilli: 10_000 * (slot + 1)), at: .seconds(told))
      }
      let pods = policy.desiredPods(ready: 7, at: .seconds(second))
      let ended = (second - delay - period + 1) / 60
      let last = second - delay - period + 1 < 60 ? 7 : Int(10 * ended)
      #expect(pods == last, "second \(second)")
    }
  }
}
