import Policies
import Primitives
import Testing

/// Policies against plain accounts that keep everything and look at all of it.
@Suite struct PolicyReferenceTests {
  /// Kubernetes' rules on a whole history: no entry is ever given up or reused.
  private struct History {
    var up: ScalingRules
    var down: ScalingRules
    var least: Int
    var most: Int
    var replicas: Int
    var recommendations: [(replicas: Int, at: Int64)] = []
    var changes: [(change: Int, at: Int64)] = []

    mutating func decide(lag: Int64, perPod: Int64, at now: Int64) {
      let ratio = Double(lag) / Double(perPod * Int64(replicas))
      let wanted =
        abs(1 - ratio) <= 0.1 ? replicas : Int((lag + perPod - 1) / perPod)
      recommendations.append((wanted, now))
      let lowest = recommended(within: up, now).min() ?? wanted
      let highest = recommended(within: down, now).max() ?? wanted
      var desired = min(max(replicas, min(lowest, wanted)), max(highest, wanted))
      if desired > replicas {
        desired = min(desired, max(replicas, limit(up, now, isUp: true)), most)
      } else if desired < replicas {
        desired = max(desired, min(replicas, limit(down, now, isUp: false)), least)
      }
      desired = min(max(desired, least), most)
      if desired != replicas { changes.append((desired - replicas, now)) }
      replicas = desired
    }

    private func recommended(within rules: ScalingRules, _ now: Int64) -> [Int] {
      let begin = now - rules.stabilizationWindow.count / 1_000_000_000
      return recommendations.filter { $0.at > begin }.map(\.replicas)
    }

    private func limit(_ rules: ScalingRules, _ now: Int64, isUp: Bool) -> Int {
      let limits = rules.rates.map { rate -> Int in
        let begin = now - rate.period.count / 1_000_000_000
        let start = replicas - changes.filter { $0.at > begin }.map(\.change).reduce(0, +)
        switch rate.amount {
        case .pods(let pods): return isUp ? start + pods : start - pods
        case .percent(let percent):
          let share = Double(isUp ? 100 + percent : 100 - percent) / 100
          let limit = Double(start) * share
          return Int(isUp ? limit.rounded(.up) : limit.rounded(.towardZero))
        }
      }
      let isMost = (rules.selection == .most) == isUp
      return (isMost ? limits.max() : limits.min()) ?? replicas
    }
  }

  @Test(arguments: UInt64(0)..<8) func kubernetesAgainstAWholeHistory(seed: UInt64) {
    var bits = Xoshiro256PlusPlus(seed: seed)
    func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
    var settings = KubernetesPodAutoscaler.Settings(
      metrics: [.lag(perPod: 100)], maxReplicas: 60)
    settings.minReplicas = 1 + below(3)
    settings.scaleUp = ScalingRules(
      stabilizationWindow: .seconds([0, 45, 120][below(3)]),
      selection: [.most, .least][below(2)],
      rates: [
        .init(.percent([50, 100][below(2)]), each: .seconds(15)),
        .init(.pods(1 + below(5)), each: .seconds(60)),
      ])
    settings.scaleDown = ScalingRules(
      stabilizationWindow: .seconds([0, 60, 300][below(3)]),
      selection: [.most, .least][below(2)],
      rates: [
        .init(.percent([20, 50][below(2)]), each: .seconds(30)),
        .init(.pods(1 + below(9)), each: .seconds(90)),
      ])
    var policy = KubernetesPodAutoscaler(settings, replicas: 5)
    var history = History(
      up: settings.scaleUp, down: settings.scaleDown, least: settings.minReplicas, most: 60,
      replicas: 5)
    // What was there at first counts as recommended then.
    history.recommendations = [(5, 0)]
    var lag: Int64 = 0
    var seen = Set<Int>()
    for sync in 0..<Int64(3000) {
      // Steps between quiet times of up to ten minutes.
      if sync % 40 == 0 || (sync / 40 % 2 == 0 && below(4) == 0) { lag = Int64(below(6000)) }
      let now = 15 * sync
      policy.observe(ScalingSample(lag: lag), at: .seconds(now))
      history.decide(lag: lag, perPod: 100, at: now)
      let found = policy.desiredPods(ready: 0, at: .seconds(now))
      seen.insert(found)
      guard found == history.replicas else {
        Issue.record("sync \(sync), seed \(seed): \(found) instead of \(history.replicas)")
        return
      }
    }
    #expect(seen.count > 10)
  }

  /// The greatest number wanted in the last five minutes, by what was wanted in each second.
  @Test func trackingAgainstEverySecond() {
    var bits = Xoshiro256PlusPlus(seed: 6)
    var settings = CPUTargetTracking.Settings(
      targetPercent: 50, podCPUMilli: 1000, maxPods: 1000)
    settings.tolerancePercent = 0
    var policy = CPUTargetTracking(settings)
    // What was wanted in the second that begins at each.
    var wanted: [Int] = []
    var now = 1
    for second in 0..<5000 {
      if bits.uniform() < 0.02 {
        let used = Int64(bits.integer(below: 20_000))
        policy.observe(ScalingSample(cpuMilli: used), at: .seconds(Int64(second)))
        now = Int((used + 499) / 500)
      }
      wanted.append(now)
      let found = policy.desiredPods(ready: 0, at: .seconds(Int64(second)))
      // The second that ended a moment less than five minutes ago is among them.
      let expected = max(1, wanted.suffix(301).max() ?? 1)
      #expect(found == expected, "second \(second)")
      let until = policy.unchangedUntil(at: .seconds(Int64(second)))
      #expect(until > .seconds(Int64(second)))
    }
  }

  /// A season that repeats is foretold as it was, once two of them are known.
  @Test func aSeasonThatRepeats() {
    var settings = PredictiveAutoscaler.Settings(
      method: .holtWinters(alpha: 0.3, beta: 0.1, gamma: 0.2, season: 6), milliPerPod: 1000,
      maxPods: 1000)
    settings.marginPercent = 0
    settings.horizon = 1
    var policy = PredictiveAutoscaler(settings)
    let season: [Int64] = [5, 20, 80, 64, 32, 11]
    for minute in 0..<60 {
      for second in 1...60 {
        policy.observe(
          ScalingSample(concurrencyMilli: season[minute % 6] * 1000 - 500),
          at: .seconds(Int64(60 * minute + second)))
      }
      guard minute >= 12 else { continue }
      let found = policy.desiredPods(ready: 0, at: .seconds(Int64(60 * minute + 60)))
      #expect(found == Int(season[(minute + 1) % 6]), "minute \(minute)")
    }
  }

  /// Concurrency reaches Knative's autoscaler as a sample as it does by itself.
  @Test func knativeBySamples() {
    var bits = Xoshiro256PlusPlus(seed: 7)
    var told = KnativePodAutoscaler(.init(containerConcurrency: 10))
    var sampled: any ScalingPolicy = told
    for second in 0..<Int64(600) {
      let milli = second / 100 % 2 == 0 ? Int64(bits.integer(below: 90_000)) : 0
      told.observe(concurrency: Double(milli) / 1000, lane: 0, at: .seconds(second))
      let isNews = sampled.observe(
        ScalingSample(concurrencyMilli: milli), at: .seconds(second))
      #expect(isNews == (milli != 0))
      guard second % 2 == 0 else { continue }
      let expected = told.desiredPods(ready: 4, at: .seconds(second))
      let found = sampled.desiredPods(ready: 4, at: .seconds(second))
      #expect(found == expected)
    }
  }
}
