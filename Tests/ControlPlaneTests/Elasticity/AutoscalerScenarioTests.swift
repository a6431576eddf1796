import Policies
import Primitives
import Testing

/// Whole stories whose numbers follow from the published rules by hand.
@Suite struct AutoscalerScenarioTests {
  /// Doubling or four more, each 15 s; down only after the greatest recommendation of five minutes.
  @Test func kubernetesUpByRatesAndDownByItsWindow() {
    var policy = KubernetesPodAutoscaler(
      .init(metrics: [.lag(perPod: 10)], maxReplicas: 40), replicas: 1)
    policy.observe(ScalingSample(lag: 400), at: .origin)
    var up: [Int] = []
    for sync in 0..<Int64(5) { up.append(policy.desiredPods(ready: 1, at: .seconds(15 * sync))) }
    #expect(up == [5, 10, 20, 40, 40])
    policy.observe(ScalingSample(lag: 100), at: .seconds(61))
    // The last 40 was recommended at 60 s.
    let held = policy.desiredPods(ready: 40, at: .seconds(345))
    let free = policy.desiredPods(ready: 40, at: .seconds(360))
    let still = policy.desiredPods(ready: 10, at: .seconds(375))
    #expect(held == 40 && free == 10 && still == 10)
    #expect(policy.unchangedUntil(at: .seconds(375)) == .distantFuture)
  }

  /// What is there when an autoscaler begins counts as recommended then: nothing of it goes for
  /// five minutes, by Kubernetes' rule and by KEDA's, which leaves the way down to it.
  @Test func kubernetesKeepsWhatItFinds() throws {
    var settings = KedaAutoscaler.Settings()
    settings.lag.allowIdleConsumers = true
    var policies: [any ScalingPolicy] = [
      KubernetesPodAutoscaler(
        .init(metrics: [.concurrency(milliPerPod: 1000)], maxReplicas: 400), replicas: 100),
      try KedaAutoscaler(settings, replicas: 100),
    ]
    for index in policies.indices {
      for second in stride(from: Int64(0), through: 600, by: 5) {
        policies[index].observe(
          ScalingSample(
            concurrencyMilli: 18_000, ready: 100,
            partitions: [.init(committed: 0, logEnd: 180)]), at: .seconds(second))
        let found = policies[index].desiredPods(ready: 100, at: .seconds(second))
        #expect(found == (second < 300 ? 100 : 18), "policy \(index), second \(second)")
      }
    }
  }

  /// A metric that is missing blocks the way down, not the way up.
  @Test func kubernetesWithoutAMetric() {
    var settings = KubernetesPodAutoscaler.Settings(
      metrics: [.cpu(percent: 50), .lag(perPod: 10)], maxReplicas: 40, podCPUMilli: 1000)
    settings.scaleDown.stabilizationWindow = .zero
    var policy = KubernetesPodAutoscaler(settings, replicas: 4)
    policy.observe(ScalingSample(lag: 10), at: .origin)
    #expect(policy.desiredPods(ready: 4, at: .origin) == 4)
    policy.observe(ScalingSample(lag: 60), at: .seconds(10))
    #expect(policy.desiredPods(ready: 4, at: .seconds(15)) == 6)
    policy.observe(ScalingSample(cpuMilli: 300, lag: 10), at: .seconds(20))
    #expect(policy.desiredPods(ready: 6, at: .seconds(30)) == 1)
  }

  /// From none to one by KEDA, on by Kubernetes, back to none a cooldown after the last activity.
  @Test func kedaFromNoneAndBack() throws {
    var settings = KedaAutoscaler.Settings()
    settings.scaleDown.stabilizationWindow = .zero
    var policy = try KedaAutoscaler(settings)
    func lag(_ messages: Int64) -> ScalingSample {
      ScalingSample(partitions: (0..<8).map { _ in .init(committed: 100, logEnd: 100 + messages) })
    }
    #expect(policy.desiredPods(ready: 0, at: .origin) == 0)
    #expect(policy.unchangedUntil(at: .origin) == .distantFuture)
    policy.observe(lag(10), at: .seconds(7))
    // It polls every 30 s.
    #expect(policy.desiredPods(ready: 0, at: .seconds(10)) == 0)
    #expect(policy.desiredPods(ready: 0, at: .seconds(30)) >= 1)
    // Eight partitions: no more than eight.
    #expect(policy.desiredPods(ready: 5, at: .seconds(60)) == 8)
    policy.observe(lag(0), at: .seconds(61))
    #expect(policy.desiredPods(ready: 8, at: .seconds(90)) == 1)
    // Active for the last time at the poll at 60 s.
    #expect(policy.desiredPods(ready: 1, at: .seconds(360)) == 1)
    #expect(policy.desiredPods(ready: 1, at: .seconds(360) + Nanoseconds(1)) == 0)
    #expect(policy.unchangedUntil(at: .seconds(361)) == .distantFuture)
  }

  @Test func trackingIsSlowOnTheWayDown() {
    var policy = CPUTargetTracking(.init(targetPercent: 50, podCPUMilli: 1000, maxPods: 100))
    let isNews = policy.observe(ScalingSample(cpuMilli: 5000), at: .origin)
    #expect(isNews && policy.desiredPods(ready: 1, at: .origin) == 10)
    // Within a tenth of the target nothing changes.
    let isNear = policy.observe(ScalingSample(cpuMilli: 5400), at: .seconds(1))
    let isFar = policy.observe(ScalingSample(cpuMilli: 900), at: .seconds(100))
    #expect(!isNear && isFar)
    #expect(policy.desiredPods(ready: 10, at: .seconds(100)) == 10)
    #expect(policy.unchangedUntil(at: .seconds(100)) == .seconds(400))
    #expect(policy.desiredPods(ready: 10, at: .seconds(399)) == 10)
    #expect(policy.desiredPods(ready: 10, at: .seconds(400)) == 2)
  }

  /// What is there stays until its use is known, and what comes meanwhile too; afterwards for as
  /// long as pods stay of which fewer are wanted.
  @Test func trackingBeginsWithWhatIsThere() {
    let settings = CPUTargetTracking.Settings(
      targetPercent: 50, podCPUMilli: 1000, maxPods: 100)
    var policy = CPUTargetTracking(settings, pods: 40)
    #expect(policy.desiredPods(ready: 0, at: .origin) == 40)
    #expect(policy.desiredPods(ready: 45, at: .seconds(5)) == 45)
    #expect(policy.desiredPods(ready: 40, at: .seconds(10)) == 40)
    // Within a tenth of the target.
    policy.observe(ScalingSample(cpuMilli: 21_000), at: .seconds(15))
    #expect(policy.desiredPods(ready: 40, at: .seconds(15)) == 40)
    policy.observe(ScalingSample(cpuMilli: 5000), at: .seconds(30))
    #expect(policy.desiredPods(ready: 40, at: .seconds(329)) == 40)
    #expect(policy.desiredPods(ready: 40, at: .seconds(330)) == 10)
  }

  /// A service without pods keeps what a request has started, and gives it up when it was idle for
  /// the time of any other.
  @Test func trackingFromNoneAndBack() {
    var settings = CPUTargetTracking.Settings(
      targetPercent: 50, podCPUMilli: 1000, maxPods: 100)
    settings.minPods = 0
    var policy = CPUTargetTracking(settings)
    #expect(policy.desiredPods(ready: 0, at: .origin) == 0)
    #expect(policy.unchangedUntil(at: .origin) == .distantFuture)
    #expect(policy.desiredPods(ready: 2, at: .seconds(100)) == 2)
    let isNews = policy.observe(ScalingSample(cpuMilli: 0), at: .seconds(115))
    #expect(isNews && policy.desiredPods(ready: 2, at: .seconds(115)) == 2)
    #expect(policy.unchangedUntil(at: .seconds(115)) == .seconds(415))
    #expect(policy.desiredPods(ready: 2, at: .seconds(415)) == 0)
    // Its use is known now: none.
    #expect(policy.desiredPods(ready: 1, at: .seconds(500)) == 0)
  }

  /// KEDA takes a service to zero whatever the CPU of its pods says, and Kubernetes' autoscaler is
  /// heard again when a message has woken it.
  @Test func kedaTakesItsAutoscalerToZero() throws {
    var settings = KubernetesPodAutoscaler.Settings(
      metrics: [.cpu(percent: 50)], maxReplicas: 20, podCPUMilli: 1000)
    settings.minReplicas = 1
    let both: [any ScalingPolicy] = [
      try KedaAutoscaler(.init()), KubernetesPodAutoscaler(settings),
    ]
    var policy = MaximumPolicy(both, following: [1])
    var alone = MaximumPolicy(both)
    func told(_ lag: Int64, cpu: Int64, pods: Int) -> ScalingSample {
      ScalingSample(
        cpuMilli: cpu, ready: pods, partitions: [.init(committed: 0, logEnd: lag)])
    }
    #expect(policy.desiredPods(ready: 0, at: .origin) == 0)
    #expect(alone.desiredPods(ready: 0, at: .origin) == 1, "as two that know nothing of each other")
    policy.observe(told(5, cpu: 0, pods: 0), at: .seconds(10))
    #expect(policy.desiredPods(ready: 0, at: .seconds(30)) == 1)
    // One pod that is busy: both metrics count while the topic is active.
    policy.observe(told(5, cpu: 2000, pods: 1), at: .seconds(40))
    #expect(policy.desiredPods(ready: 1, at: .seconds(60)) == 4)
    policy.observe(told(0, cpu: 2000, pods: 4), at: .seconds(61))
    #expect(policy.desiredPods(ready: 4, at: .seconds(120)) == 4)
    // Active for the last time at 60 s, and idle for the cooldown.
    #expect(policy.desiredPods(ready: 4, at: .seconds(361)) == 0)
    policy.observe(told(7, cpu: 0, pods: 0), at: .seconds(400))
    #expect(policy.desiredPods(ready: 0, at: .seconds(450)) == 1)
  }

  /// What is there stays until a slot has been measured, and what comes meanwhile too.
  @Test func aForecastBeginsWithWhatIsThere() {
    for method in [
      PredictiveAutoscaler.Method.pastDays(3),
      .holtWinters(alpha: 0.5, beta: 0.1, gamma: 0.3, season: 288),
    ] {
      var settings = PredictiveAutoscaler.Settings(
        method: method, milliPerPod: 1000, maxPods: 20)
      settings.marginPercent = 0
      settings.minPods = 1
      var policy = PredictiveAutoscaler(settings, pods: 15)
      for second in 1..<Int64(60) {
        policy.observe(ScalingSample(concurrencyMilli: 5000, ready: 15), at: .seconds(second))
        let found = policy.desiredPods(ready: second < 30 ? 15 : 16, at: .seconds(second))
        #expect(found == (second < 30 ? 15 : 16))
      }
      policy.observe(ScalingSample(concurrencyMilli: 5000, ready: 16), at: .seconds(60))
      #expect(policy.desiredPods(ready: 16, at: .seconds(60)) == 5)
    }
  }

  /// A queue that grew while pods were missing teaches nothing about the load: a line of requests
  /// by hand, 32/s of 200 ms, which one pod cannot serve and eleven are wanted for.
  @Test(arguments: [Int64(1), 10]) func aQueueIsNoLoad(period: Int64) {
    var settings = PredictiveAutoscaler.Settings(
      method: .holtWinters(alpha: 0.5, beta: 0.1, gamma: 0.3, season: 1000), milliPerPod: 700,
      maxPods: 200)
    settings.mostMilliPerPod = 1000
    settings.samplePeriod = .seconds(period)
    var policy = PredictiveAutoscaler(settings, pods: 1)
    var (pods, waiting, sum, most) = (1, 0.0, 0.0, 0)
    for second in 1...Int64(3600) {
      let due = waiting + 32
      let served = min(due, Double(pods) * 5)
      waiting = due - served
      sum += waiting + served * 0.2
      guard second % period == 0 else { continue }
      policy.observe(
        ScalingSample(
          concurrencyMilli: Int64(1000 * sum / Double(period)), ready: pods), at: .seconds(second))
      sum = 0
      pods = policy.desiredPods(ready: pods, at: .seconds(second))
      most = max(most, pods)
    }
    // 6.4 in flight, a tenth more, 0.7 of it for each pod.
    #expect(pods == 11 && waiting == 0)
    // Of means over ten seconds a slot is known when all of it is, nine seconds later.
    #expect(most <= (period == 1 ? 33 : 36), "\(most)")
  }

  /// A ramp is foretold exactly by Holt's smoothing, a day that repeats by its past.
  @Test func predictionsAreAheadOfTheLoad() {
    var settings = PredictiveAutoscaler.Settings(
      method: .holt(alpha: 1, beta: 1, damping: 1), milliPerPod: 1000, maxPods: 1000)
    settings.marginPercent = 0
    settings.horizon = 3
    var ramp = PredictiveAutoscaler(settings)
    for second in 1...Int64(600) {
      let minute = (second - 1) / 60
      ramp.observe(ScalingSample(concurrencyMilli: minute * 2000), at: .seconds(second))
    }
    // The slot that ended had 18, and the third after it has 24.
    #expect(ramp.desiredPods(ready: 0, at: .seconds(600)) == 24)
    #expect(ramp.unchangedUntil(at: .seconds(600)) == .seconds(660))

    settings.method = .pastDays(2)
    settings.slot = .seconds(3600)
    settings.horizon = 1
    var days = PredictiveAutoscaler(settings)
    for hour in 0..<Int64(3 * 24) {
      let load = (hour % 24) * 1000 + (hour < 24 ? 5000 : 0)
      for second in stride(from: Int64(1), through: 3600, by: 1) {
        days.observe(ScalingSample(concurrencyMilli: load), at: .seconds(hour * 3600 + second))
      }
      // After the first day: the greatest of the past two days at the hour that comes next.
      guard hour >= 24 else { continue }
      let next = (hour + 1) % 24
      let expected = next + (hour + 1 < 72 ? 5 : 0)
      #expect(days.desiredPods(ready: 0, at: .seconds((hour + 1) * 3600)) == Int(expected))
    }
  }
}
