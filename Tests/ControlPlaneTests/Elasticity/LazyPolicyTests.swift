import Policies
import Primitives
import Testing

/// A policy that is asked only when something changed or when it said so answers like one that is
/// asked at every tick.
@Suite struct LazyPolicyTests {
  private static let tick = Nanoseconds.seconds(5)

  /// Asks two copies of a policy: one at each tick, one when it must be asked. The world follows
  /// what they say one tick later.
  private static func compare(
    _ name: String, _ make: () throws -> any ScalingPolicy, seed: UInt64, atMost share: Double,
    sample: (inout Xoshiro256PlusPlus) -> ScalingSample
  ) throws {
    var bits = Xoshiro256PlusPlus(seed: seed)
    var eager = try make()
    var lazy = eager.clone()
    var answer = 0
    var due = Instant.origin
    var ready = 0
    var questions = 0
    var answers: [Int] = []
    let ticks = 6000
    for step in 0..<ticks {
      let now = Instant.origin + tick * Int64(step)
      var isNews = false
      // Long quiet times between busy ones.
      if step / 150 % 2 == 0 && bits.uniform() < 0.2 {
        let at = now - Nanoseconds(Int64(bits.integer(below: UInt64(tick.count))))
        let told = sample(&bits)
        eager.observe(told, at: at)
        isNews = lazy.observe(told, at: at)
      }
      if isNews || ready != answer || due <= now {
        ready = answer
        answer = lazy.desiredPods(ready: ready, at: now)
        due = lazy.unchangedUntil(at: now)
        questions += 1
      }
      let expected = eager.desiredPods(ready: ready, at: now)
      guard answer == expected else {
        Issue.record("\(name), seed \(seed), step \(step): \(answer) instead of \(expected)")
        return
      }
      answers.append(answer)
    }
    #expect(Set(answers).count > 2, "\(name) does nothing")
    let most = Int(share * Double(ticks))
    #expect(questions < most, "\(name) was asked \(questions) of \(ticks) times")
  }

  private static func use(_ bits: inout Xoshiro256PlusPlus) -> ScalingSample {
    let load = Int64(bits.integer(below: 20))
    return ScalingSample(
      lane: Int(bits.integer(below: 2)), concurrencyMilli: load * 1000, cpuMilli: load * 600,
      lag: load * 30, unready: Int(bits.integer(below: 8)) / 7)
  }

  private static func lags(_ bits: inout Xoshiro256PlusPlus) -> ScalingSample {
    let isQuiet = bits.uniform() < 0.5
    return ScalingSample(
      partitions: (0..<6).map { _ in
        let committed = Int64(bits.integer(below: 50))
        let lag = isQuiet ? 0 : Int64(bits.integer(below: 40))
        return PartitionOffsets(committed: committed, logEnd: committed + lag)
      })
  }

  @Test(arguments: UInt64(0)..<6) func kubernetes(seed: UInt64) throws {
    var settings = KubernetesPodAutoscaler.Settings(
      metrics: [.cpu(percent: 60), .concurrency(milliPerPod: 2000), .lag(perPod: 20)],
      maxReplicas: 15, podCPUMilli: 1000)
    if seed % 2 == 1 {
      settings.scaleUp.stabilizationWindow = .seconds(60)
      settings.scaleUp.rates = [.init(.pods(1), each: .seconds(45))]
      settings.scaleDown.rates = [.init(.percent(20), each: .seconds(60))]
      settings.minReplicas = 2
    }
    let told = settings
    try Self.compare(
      "kubernetes", { KubernetesPodAutoscaler(told) }, seed: seed, atMost: 0.45,
      sample: Self.use)
  }

  @Test(arguments: UInt64(0)..<6) func keda(seed: UInt64) throws {
    var settings = KedaAutoscaler.Settings()
    settings.lag.excludePersistentLag = seed % 2 == 1
    settings.lag.allowIdleConsumers = seed % 3 == 0
    let told = settings
    try Self.compare(
      "keda", { try KedaAutoscaler(told) }, seed: seed, atMost: 0.5, sample: Self.lags)
  }

  @Test(arguments: UInt64(0)..<3) func targetTracking(seed: UInt64) throws {
    try Self.compare(
      "tracking",
      { CPUTargetTracking(.init(targetPercent: 60, podCPUMilli: 1000, maxPods: 30)) },
      seed: seed, atMost: 0.35, sample: Self.use)
  }

  @Test(arguments: UInt64(0)..<3) func predictive(seed: UInt64) throws {
    let methods: [PredictiveAutoscaler.Method] = [
      .holt(alpha: 0.5, beta: 0.1, damping: 0.9),
      .holtWinters(alpha: 0.3, beta: 0.05, gamma: 0.2, season: 20), .pastDays(3),
    ]
    try Self.compare(
      "predictive",
      {
        PredictiveAutoscaler(
          .init(method: methods[Int(seed)], milliPerPod: 300, maxPods: 100))
      }, seed: seed, atMost: 0.25, sample: Self.use)
  }

  @Test(arguments: UInt64(0)..<3) func windowsOverTheMaximumOfSeveral(seed: UInt64) throws {
    let clock = CivilClock(origin: 1_700_000_000)
    try Self.compare(
      "windows",
      {
        var settings = KubernetesPodAutoscaler.Settings(
          metrics: [.cpu(percent: 60)], maxReplicas: 15, podCPUMilli: 1000)
        settings.scaleDown.stabilizationWindow = .seconds(120)
        let both = MaximumPolicy([
          KubernetesPodAutoscaler(settings),
          CPUTargetTracking(.init(targetPercent: 50, podCPUMilli: 1000, maxPods: 12)),
        ])
        return TimeWindowPolicy(
          [
            TimeWindow(
              from: try CronSchedule("0 * * * *"), to: try CronSchedule("10 * * * *"),
              .floor(14)),
            TimeWindow(
              from: try CronSchedule("30 */2 * * *"), to: try CronSchedule("35 */2 * * *"),
              .replicas(1)),
          ], on: clock, over: both)
      }, seed: seed, atMost: 0.5, sample: Self.use)
  }

  /// A copy goes on by itself.
  @Test func aReplayedScheduleChangesWhereItSays() {
    var policy = ReplayedCounts([
      .init(at: .origin, pods: 4), .init(at: .seconds(70), pods: 9),
      .init(at: .seconds(80), pods: 2),
    ])
    let expected: [(second: Int64, pods: Int, until: Int64?)] = [
      (0, 4, 70), (69, 4, 70), (70, 9, 80), (80, 2, nil),
    ]
    for (second, pods, until) in expected {
      let now = Instant.seconds(second)
      #expect(policy.desiredPods(ready: 1, at: now) == pods)
      #expect(policy.unchangedUntil(at: now) == until.map { Instant.seconds($0) } ?? .distantFuture)
    }
  }

  @Test func clonesDoNotShare() throws {
    let policies: [any ScalingPolicy] = [
      KubernetesPodAutoscaler(
        .init(metrics: [.concurrency(milliPerPod: 1000)], maxReplicas: 50)),
      try KedaAutoscaler(.init()),
      CPUTargetTracking(.init(targetPercent: 50, podCPUMilli: 1000, maxPods: 50)),
      MaximumPolicy([
        CPUTargetTracking(.init(targetPercent: 50, podCPUMilli: 1000, maxPods: 50))
      ]),
    ]
    for var policy in policies {
      _ = policy.desiredPods(ready: 1, at: .origin)
      var copy = policy.clone()
      let untouched = policy.clone()
      copy.observe(
        ScalingSample(
          concurrencyMilli: 20_000, cpuMilli: 9000,
          partitions: [.init(committed: 0, logEnd: 900)]), at: .seconds(1))
      for second in stride(from: Int64(30), to: 300, by: 30) {
        _ = copy.desiredPods(ready: 2, at: .seconds(second))
      }
      var reference = untouched
      let a = policy.desiredPods(ready: 2, at: .seconds(300))
      let b = reference.desiredPods(ready: 2, at: .seconds(300))
      #expect(a == b && copy.desiredPods(ready: 2, at: .seconds(300)) != a)
    }
  }
}

/// Which policies want to know how far each partition is.
@Suite struct FollowedPartitionTests {
  @Test func onlyThoseThatReadOffsetsAreToldThem() throws {
    let plain = KubernetesPodAutoscaler(.init(metrics: [.lag(perPod: 10)], maxReplicas: 50))
    let keda = try KedaAutoscaler(.init())
    #expect(!plain.followsPartitions && keda.followsPartitions)
    #expect(!MaximumPolicy([plain, plain]).followsPartitions)
    #expect(MaximumPolicy([plain, keda]).followsPartitions)
    let clock = CivilClock(origin: 0, offsets: [.init(from: 0, seconds: 0)])
    #expect(TimeWindowPolicy([], on: clock, over: keda).followsPartitions)
    #expect(!TimeWindowPolicy([], on: clock, over: plain).followsPartitions)
    #expect(!TimeWindowPolicy([], on: clock).followsPartitions)
  }
}
