import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Topics whose windows bound what instances get, at flow fidelity against theory and against the
/// same messages one by one.
@Suite struct FlowWindowTests {
  // MARK: The recursion by itself

  /// Mean wait of a partition with windows of `width`, in mean service times.
  private static func meanWait(
    width: Int, service law: Distribution, load: Double, messages: Int
  ) -> Double {
    let service = WindowService(law: law.sampler())
    var bits = Xoshiro256PlusPlus(seed: UInt64(width))
    var windows = FlowWindows(partitions: 16, width: width, weights: [])
    let perStep = Int(load * 16 * 100)
    var (sum, count, begun, ended) = (0.0, 0, 0, 0)
    var arrived = 0
    for step in 0..<Int64(messages / perStep) {
      let arrivals = Int(Counts.poisson(mean: Double(perStep), using: &bits))
      arrived += arrivals
      let served = windows.step(
        arrivals: arrivals, from: step * 100_000_000_000, to: (step + 1) * 100_000_000_000,
        isRead: true, service: service, using: &bits
      ) {
        sum += Double($0) * Double($1) * 1e-9
        count += $0
      }
      begun += served.begun
      ended += served.ended
      #expect(count == begun && begun - ended == windows.underWay)
      #expect(arrived - begun == windows.waiting)
    }
    return sum / Double(count)
  }

  /// One place is the queue M/G/1, whose mean wait is Pollaczek's and Khinchine's: ρ (1 + cs²) / (2
  /// (1 − ρ)) mean services.
  @Test(arguments: [0.5, 0.8])
  func onePlaceIsASingleServer(load: Double) {
    for law in [Distribution.constant(1), .exponential(mean: 1)] {
      let theory = load * (1 + law.squaredCoefficientOfVariation) / (2 * (1 - load))
      let found = Self.meanWait(width: 1, service: law, load: load, messages: 4_000_000)
      #expect(abs(found / theory - 1) < 0.015, "\(law): \(found) for \(theory)")
    }
  }

  /// Up to the share of what narrow windows let through up to which flow takes no notice of them, a
  /// message waits for its window by 2 % of a service, to a factor of two for other laws.
  @Test(arguments: [1, 2, 4, 8])
  func narrowWindowsAreFeltEarly(width: Int) {
    for law in [Distribution.exponential(mean: 1), .lognormal(median: 0.7, sigma: 0.83)] {
      let square = law.squaredCoefficientOfVariation
      let through =
        Double(width) / (1 + 0.65 * Elementary.pow(square, 0.625) * Elementary.log(Double(width)))
      let load = FidelityRule.mostOfWindows(width, squaredCV: square) * through
      let wait = Self.meanWait(
        width: width, service: law, load: load / law.mean, messages: 2_000_000)
      #expect(wait / law.mean > 0.005 && wait / law.mean < 0.04, "\(law): \(wait) at \(load)")
    }
    #expect(FidelityRule.mostOfWindows(16, squaredCV: 1) == FidelityRule.mostOfWideWindows)
  }

  /// Windows of one message keep an order: where flow cannot follow them, since messages are
  /// deleted or instances are too few, the lane is requests.
  @Test func orderIsNeverIgnored() throws {
    var service = Self.cluster(.ordered, seed: 1).services[0]
    service.topic?.retention = .seconds(3600)
    service.meanRatePerSecond = 1000
    var cluster = Self.cluster(.ordered, seed: 1)
    #expect(FidelityRule.obstacle(service, cluster) == .heldBack)
    service.topic?.retention = nil
    #expect(FidelityRule.obstacle(service, cluster) == nil)
    service.router.minimumInstances = 1
    cluster.services = [service]
    #expect(FidelityRule.obstacle(service, cluster) == .heldBack)
    service.topic?.maximumBatch = 8
    service.topic?.window = 2
    #expect(FidelityRule.obstacle(service, cluster) == .heldBack)
  }

  /// A partition with two places that is never empty commits 3 messages in two mean services where
  /// these are exponential: with D between the latest two commits the next comes after max(0, S −
  /// D), which is positive, and then exponential again, with a probability q = (1 − q) + q / 2.
  @Test func twoPlacesLetThroughThreeHalves() {
    let service = WindowService(law: Distribution.exponential(mean: 1).sampler())
    var bits = Xoshiro256PlusPlus(seed: 5)
    var windows = FlowWindows(partitions: 8, width: 2, weights: [])
    var begun = 0
    for step in 0..<1000 as Range<Int64> {
      begun +=
        windows.step(
          arrivals: step == 0 ? 8 * 200_000 : 0, from: step * 100_000_000_000,
          to: (step + 1) * 100_000_000_000, isRead: true, service: service, using: &bits
        ) { _, _ in }.begun
    }
    let perService = Double(begun) / (8 * 100_000)
    #expect(abs(perService - 1.5) < 0.01, "\(perService)")
  }

  /// Constant times end in the order in which they began, so that no answer keeps its place and W
  /// places are W servers.
  @Test func constantTimesNeedNoOrder() {
    let found = Self.meanWait(width: 4, service: .constant(1), load: 3.2, messages: 2_000_000)
    var bits = Xoshiro256PlusPlus(seed: 9)
    var free = [0.0, 0, 0, 0]
    var (now, sum) = (0.0, 0.0)
    let messages = 2_000_000
    for _ in 0..<messages {
      now += ZigguratExponential.sample(using: &bits) / 3.2
      let first = free.indices.min { free[$0] < free[$1] }!
      let begins = max(now, free[first])
      sum += begins - now
      free[first] = begins + 1
    }
    let plain = sum / Double(messages)
    #expect(abs(found / plain - 1) < 0.02, "\(found) for \(plain)")
  }

  // MARK: Against single messages

  enum Kind: CaseIterable {
    case ordered, orderedBusy, narrow, wider, skewed, paused
    /// There are fewer instances than places, and more than windows let through.
    case wide

    var window: Int {
      switch self {
      case .ordered, .orderedBusy, .skewed, .paused: 1
      case .narrow: 4
      case .wider: 16
      case .wide: 32
      }
    }
    var instances: Int {
      self == .wide ? 480 : FlowWindowTests.partitions * window
    }
    /// Messages a second and partition.
    var rate: Double {
      switch self {
      case .ordered: 48
      case .orderedBusy: 84
      case .narrow: 170
      case .wider: 420
      case .skewed: 30
      case .paused: 60
      case .wide: 750
      }
    }
    var law: Distribution {
      self == .narrow || self == .wider
        ? .lognormal(median: 0.00726, sigma: 0.8) : .exponential(mean: 0.01)
    }
  }

  static let partitions = 32

  static func cluster(_ kind: Kind, seed: UInt64) -> ClusterConfiguration {
    let instances = kind.instances
    var cluster = TopicTests.cluster(
      partitions: partitions, instances: instances, service: kind.law,
      arrivals: .poisson(1, seed: 1)
    ) {
      $0.window = kind.window
      if kind == .skewed { $0.skew = 0.3 }
      if kind == .paused { $0.pauses = [.seconds(30) ..< .seconds(40)] }
    }
    cluster.seed = seed
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    let rate = kind.rate * Double(partitions)
    cluster.services[0].initialRatePerSecond = rate
    cluster.services[0].meanRatePerSecond = rate
    cluster.services[0].router.maximumInstances = instances
    cluster.services[0].router.minimumInstances = instances
    cluster.services[0].initialInstances = [instances]
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: rate),
        key: StreamKey(seed: seed, replication: 0, name: "arrivals"), lane: 0, weights: [1])
    }
    return cluster
  }

  struct Outcome {
    var lag = 0.0
    var delay = 0.0
    var p99 = 0.0
    var waited = 0.0
    /// Of all messages.
    var wait = 0.0
  }

  static func outcome(
    _ cluster: ClusterConfiguration, _ fidelity: Fidelity, seconds: Int64
  ) throws -> Outcome {
    var cluster = cluster
    cluster.fidelity = fidelity
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    var outcome = Outcome()
    for step in 1...(2 * seconds) {
      try simulation.run(until: Instant(nanoseconds: step * 500_000_000 - 137_000_000))
      outcome.lag += Double(simulation.lane(LaneID(0)).gauges.lag) / Double(2 * seconds)
    }
    simulation.finish()
    try simulation.checkInvariants()
    if fidelity != .auto { #expect(simulation.fidelity(of: LaneID(0)) == fidelity) }
    let all = (observer.values[.latency] ?? []).sorted()
    outcome.delay = all.reduce(0) { $0 + Double($1) * 1e-9 } / Double(all.count)
    outcome.p99 = Double(all[all.count * 99 / 100]) * 1e-9
    let waits = observer.values[.wait] ?? []
    outcome.waited = Double(waits.count) / Double(all.count)
    outcome.wait = waits.reduce(0) { $0 + Double($1) * 1e-9 } / Double(all.count)
    return outcome
  }

  /// Six seeds in pairs: mean delay within 2 %, mean lag within what its looks deviate by, the 99th
  /// percentile within 5 %.
  @Test(arguments: Kind.allCases)
  func agreesWithSingleMessages(kind: Kind) throws {
    var (requests, flow) = (Outcome(), Outcome())
    for seed in 1...6 as ClosedRange<UInt64> {
      let cluster = Self.cluster(kind, seed: seed)
      let pair = try (
        Self.outcome(cluster, .request, seconds: 120), Self.outcome(cluster, .flow, seconds: 120)
      )
      for path in [\Outcome.lag, \.delay, \.p99, \.waited, \.wait] {
        requests[keyPath: path] += pair.0[keyPath: path] / 6
        flow[keyPath: path] += pair.1[keyPath: path] / 6
      }
    }
    func off(_ path: KeyPath<Outcome, Double>) -> Double {
      flow[keyPath: path] / requests[keyPath: path] - 1
    }
    let errors = "lag \(off(\.lag)), delay \(off(\.delay)), p99 \(off(\.p99))"
    let what = "\(kind): \(errors) of \(requests)"
    print("windows: \(what)")
    // 1,440 looks at 16 to 32 messages deviate by a hundredth from run to run.
    #expect(abs(off(\.lag)) < 0.035 && abs(off(\.delay)) < 0.02, "\(what)")
    #expect(abs(off(\.p99)) < 0.05, "\(what)")
    // What waits for its window waits in the log.
    #expect(requests.waited > 0.1)
    #expect(abs(off(\.waited)) < 0.03 && abs(off(\.wait)) < 0.04, "\(what), flow \(flow)")
  }

  /// Instances are those of the whole service: in three zones each lane has a third of them, too
  /// few for the places of its windows.
  @Test func instancesAreThoseOfAllZones() throws {
    var service = Self.cluster(.ordered, seed: 1).services[0]
    let topic = try #require(service.topic)
    #expect(FidelityRule.bindsByWindows(service, topic))
    service.zones = [ZoneID(0), ZoneID(1), ZoneID(2)]
    #expect(!FidelityRule.bindsByWindows(service, topic))
    service.router.minimumInstances = 33
    #expect(FidelityRule.bindsByWindows(service, topic))
  }

  /// A backlog is worked off as fast as windows let it, where these let through less than there are
  /// instances: a pause of ten seconds, four seeds. (Gauges at flow are those of a step's end.)
  @Test(arguments: [200, 60]) func aBacklogEndsAsWindowsLetIt(instances: Int) throws {
    var (requests, flow) = (Outcome(), Outcome())
    for seed in 1...4 as ClosedRange<UInt64> {
      var cluster = TopicTests.cluster(
        partitions: 8, instances: instances, service: .exponential(mean: 0.02),
        arrivals: .poisson(1, seed: 1)
      ) { $0.pauses = [.seconds(30) ..< .seconds(40)] }
      cluster.seed = seed
      cluster.contention = .epoch
      cluster.network.sameZone = .microseconds(250)
      cluster.network.crossZone = .milliseconds(1)
      cluster.network.controlPlane = .microseconds(500)
      cluster.services[0].initialRatePerSecond = 1250
      cluster.services[0].router.maximumInstances = instances
      cluster.services[0].router.minimumInstances = instances
      cluster.services[0].initialInstances = [instances]
      cluster.services[0].arrivals = { _ in
        KeyedRateSource(
          intensity: .constant(perSecond: 1250),
          key: StreamKey(seed: seed, replication: 0, name: "arrivals"), lane: 0, weights: [1])
      }
      let pair = try (
        Self.outcome(cluster, .request, seconds: 100), Self.outcome(cluster, .flow, seconds: 100)
      )
      for path in [\Outcome.delay, \.p99] {
        requests[keyPath: path] += pair.0[keyPath: path] / 4
        flow[keyPath: path] += pair.1[keyPath: path] / 4
      }
    }
    for path in [\Outcome.delay, \.p99] {
      let off = flow[keyPath: path] / requests[keyPath: path] - 1
      print("windows: backlog, \(instances) instances: \(off) of \(requests[keyPath: path])")
      #expect(abs(off) < 0.04, "\(path): \(off)")
    }
  }

  /// A pause begins when it does: what is under way then ends, and nothing else.
  @Test(arguments: [Fidelity.request, .flow]) func aPauseBeginsAtOnce(fidelity: Fidelity) throws {
    var cluster = Self.cluster(.paused, seed: 5)
    let begin = Instant(nanoseconds: 30_500_000_000)
    cluster.fidelity = fidelity
    // Wide enough that instances are what binds.
    cluster.services[0].topic?.window = 64
    cluster.services[0].topic?.pauses = [begin ..< .seconds(40)]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    // What ends with its beginning is done.
    try simulation.run(until: begin + Nanoseconds(1))
    let before = simulation.lane(LaneID(0))
    let (completed, underWay) = (before.counters.completed, before.gauges.inFlight)
    try simulation.run(until: .seconds(32))
    let after = simulation.lane(LaneID(0))
    #expect(Int(after.counters.completed - completed) <= underWay && after.gauges.inFlight == 0)
  }

  /// What is under way and what waits is carried over in both directions, and nothing is lost.
  @Test func changesSides() throws {
    var cluster = Self.cluster(.paused, seed: 3)
    cluster.fidelity = .flow
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    for (second, fidelity) in [(20, Fidelity.request), (25, .flow), (33, .request), (38, .flow)] {
      try simulation.run(until: .seconds(Int64(second)))
      #expect(simulation.handOver(lane: LaneID(0), to: fidelity))
      #expect(simulation.fidelity(of: LaneID(0)) == fidelity)
      try simulation.checkInvariants()
    }
    try simulation.run(until: .seconds(90))
    simulation.finish()
    try simulation.checkInvariants()
    // It has caught up: 20 and a few in each second's hundredth.
    #expect(simulation.lane(LaneID(0)).gauges.lag < 400)
  }

  /// Where limits stand before the consumers, or one of them crashes, a lane is requests.
  @Test func staysRequestsBesideCrashes() throws {
    var cluster = Self.cluster(.ordered, seed: 1)
    cluster.fidelity = .flow
    cluster.faults = [
      FaultConfiguration(
        name: "c", kind: .crashConsumer(0), at: .seconds(10), restartAfter: .seconds(10))
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    #expect(simulation.form(of: LaneID(0)).reason == .windows)
  }
}
