import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Bad instances and those who break them, at flow fidelity: against closed forms, and against
/// single requests.
@Suite struct FlowBreakingTests {
  private static let lane = LaneID(0)

  /// Twenty instances with two slots; from 20 s on a share of them is bad.
  private static func world(
    _ fidelity: Fidelity, choice: InstanceChoice = .roundRobin, rate: Double = 400,
    breaking: BreakerRules? = BreakerRules(), share: Double = 0.1, errors: Double = 0.8,
    factor: Double = 1, at: Nanoseconds = .seconds(20), lasts: Nanoseconds? = nil,
    seed: UInt64 = 1
  ) -> ClusterConfiguration {
    var cluster = FlowWorld.station(
      20, rate: rate, service: .exponential(mean: 0.03), seed: seed, fidelity: fidelity)
    cluster.services[0].router.choice = choice
    cluster.services[0].router.concurrencyLimit = 2
    cluster.services[0].breaking = breaking
    cluster.faults = [
      FaultConfiguration(
        name: "bad",
        kind: .spoil([ServiceID(0)], share: share, errors: errors, factor: factor),
        at: Instant.origin + at, restartAfter: lasts)
    ]
    return cluster
  }

  private static func counters(
    _ cluster: ClusterConfiguration, until end: Int64 = 220
  ) throws -> (counters: LaneCounters, simulation: ClusterSimulation, latencies: [Double]) {
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    try simulation.run(until: .seconds(end))
    simulation.finish()
    try simulation.checkInvariants()
    #expect((simulation.form(of: lane).fidelity == .flow) == (cluster.fidelity == .flow))
    let latencies = observer.values[.latency, default: []].map { Double($0) * 1e-9 }
    return (simulation.lane(lane).counters, simulation, latencies.sorted())
  }

  /// In turn each instance gets as many calls as another: two of twenty err in four of five.
  @Test func aShareOfCallsErrs() throws {
    let counters = try Self.counters(Self.world(.flow, breaking: nil)).counters
    let (n, p) = (400.0 * 200, 0.1 * 0.8)
    #expect(abs(Double(counters.erred) - n * p) < 4 * (n * p).squareRoot())
    #expect(counters.completed + counters.erred + 40 >= counters.arrivals)
    #expect(counters.ejections == 0)
  }

  /// The real breaker and the real Coordinator: both bad instances are broken at once, fail their
  /// trials, and are replaced. As many errors as single requests have, within chance.
  @Test(arguments: [InstanceChoice.roundRobin, .leastRequests])
  func badInstancesAreBrokenAndReplaced(choice: InstanceChoice) throws {
    var sums: [Fidelity: (erred: Double, square: Double)] = [:]
    let seeds = 30
    for fidelity in [Fidelity.request, .flow] {
      for seed in 1...seeds {
        let run = try Self.counters(
          Self.world(fidelity, choice: choice, factor: 3, seed: UInt64(seed)))
        let counters = run.counters
        #expect(counters.ejections >= 6 && counters.ejections <= 10, "\(fidelity) \(seed)")
        #expect(counters.migrations == 2, "\(fidelity) \(seed)")
        #expect(run.simulation.lane(Self.lane).gauges.ready == 20)
        #expect(run.simulation.control.coordinator?.machine.watched == 0)
        let erred = Double(counters.erred)
        sums[fidelity, default: (0, 0)].erred += erred
        sums[fidelity, default: (0, 0)].square += erred * erred
      }
    }
    let (a, b) = (sums[.request]!, sums[.flow]!)
    let n = Double(seeds)
    let variance = (a.square + b.square) / n - (a.erred * a.erred + b.erred * b.erred) / (n * n)
    let error = (variance / n).squareRoot()
    #expect(
      abs(a.erred - b.erred) / n < 3 * error + 0.1 * a.erred / n,
      "\(a.erred / n) and \(b.erred / n), one standard error \(error)")
  }

  /// One of twelve that errs in four calls of five (p) and takes 150 ms is broken three times. The
  /// first takes a run of five errors, so (1 - p⁵) / (p⁵ (1 - p)) = 10.26 calls, and leaves L under
  /// way, a Poisson number of 2.5 of which no more than three have a slot; each later one is a
  /// trial that fails, or one that does not and what the first took. Both fidelities have as many
  /// errors in the mean, of which a single seed may have half or twice as many.
  @Test func errorsAreThoseOfTheClosedForm() throws {
    let (p, seeds) = (0.8, 100)
    let left = 2.5 * Elementary.exp(-2.5)
    let underWay = left + 2 * left * 1.25 + 3 * (1 - left * (1 / 2.5 + 1 + 1.25))
    let run = (1 - p * p * p * p * p) / (p * p * p * p * p * (1 - p))
    let first = p * (run + underWay)
    let expected = first + 2 * (p + (1 - p) * first)
    var means: [(mean: Double, error: Double)] = []
    for fidelity in [Fidelity.request, .flow] {
      var (sum, square) = (0.0, 0.0)
      for seed in 1...seeds {
        var cluster = FlowWorld.station(
          12, rate: 200, service: .exponential(mean: 0.05), seed: UInt64(seed), fidelity: fidelity)
        cluster.services[0].router.choice = .roundRobin
        cluster.services[0].router.concurrencyLimit = 4
        cluster.services[0].breaking = BreakerRules()
        cluster.faults = [
          FaultConfiguration(
            name: "bad", kind: .spoil([ServiceID(0)], share: 0.08, errors: p, factor: 3),
            at: .seconds(20), restartAfter: nil)
        ]
        let erred = Double(try Self.counters(cluster, until: 160).counters.erred)
        sum += erred
        square += erred * erred
      }
      let n = Double(seeds)
      means.append((sum / n, ((square / n - sum * sum / (n * n)) / n).squareRoot()))
    }
    for found in means {
      #expect(
        abs(found.mean - expected) < 3 * found.error + 0.05 * expected,
        "\(found), expected \(expected)")
    }
    let error = (means[0].error * means[0].error + means[1].error * means[1].error).squareRoot()
    #expect(abs(means[0].mean - means[1].mean) < 3 * error, "\(means)")
    #expect(error < 0.1 * expected, "a difference of a third would be found")
  }

  /// Nobody breaks a slow instance: calls to it take as long as they do.
  @Test(arguments: [InstanceChoice.roundRobin, .leastRequests])
  func slowInstancesAreAMixture(choice: InstanceChoice) throws {
    func world(_ fidelity: Fidelity) -> ClusterConfiguration {
      Self.world(fidelity, choice: choice, breaking: nil, errors: 0.2, factor: 4)
    }
    let request = try Self.counters(world(.request))
    let flow = try Self.counters(world(.flow))
    let erred = Double(flow.counters.erred) / Double(request.counters.erred)
    #expect(abs(erred - 1) < 0.1, "\(flow.counters.erred) for \(request.counters.erred)")
    let mean =
      flow.latencies.reduce(0, +) / Double(flow.latencies.count)
      / (request.latencies.reduce(0, +) / Double(request.latencies.count))
    #expect(abs(mean - 1) < 0.02, "mean \(mean)")
    let p99 =
      flow.latencies[flow.latencies.count * 99 / 100]
      / request.latencies[request.latencies.count * 99 / 100]
    #expect(abs(p99 - 1) < 0.05, "p99 \(p99)")
  }

  /// Five times as slow, and the mean of an interval says so.
  @Test(arguments: [Fidelity.request, .flow]) func slowOnesAreBroken(fidelity: Fidelity) throws {
    var rules = BreakerRules()
    rules.slownessPercent = 300
    let counters = try Self.counters(
      Self.world(fidelity, breaking: rules, share: 0.05, errors: 0, factor: 5), until: 35
    ).counters
    #expect(counters.ejections == 1 && counters.erred == 0)
  }

  /// An instance goes bad within an interval, whose calls before that were good. Four times as slow
  /// from its middle on it is two and a half times as slow over the whole, and three times is what
  /// it is broken for: at the end of the next.
  @Test(arguments: [Fidelity.request, .flow]) func theWholeIntervalIsJudged(
    fidelity: Fidelity
  ) throws {
    var rules = BreakerRules()
    rules.slownessPercent = 300
    let cluster = Self.world(
      fidelity, breaking: rules, share: 0.05, errors: 0, factor: 4, at: .seconds(25))
    #expect(try Self.counters(cluster, until: 35).counters.ejections == 0)
    #expect(try Self.counters(cluster, until: 45).counters.ejections == 1)
  }

  /// The same by success rates: of 300 calls in the interval, of which 60 have come in its last two
  /// seconds. Those alone would be too few to judge by.
  @Test(arguments: [Fidelity.request, .flow]) func goodCallsOfTheIntervalCount(
    fidelity: Fidelity
  ) throws {
    var rules = BreakerRules()
    rules.enforcesConsecutiveErrors = false
    let cluster = Self.world(
      fidelity, rate: 600, breaking: rules, share: 0.05, errors: 0.5, at: .seconds(28))
    #expect(try Self.counters(cluster, until: 31).counters.ejections == 1)
  }

  /// A version that errs everywhere: nothing may be broken beyond the cap, and a share of all fails
  /// while it is there.
  @Test(arguments: [Fidelity.request, .flow]) func aWrongVersionErrs(fidelity: Fidelity) throws {
    var cluster = Self.world(fidelity)
    var change = ServiceChange()
    change.errors = 0.2
    cluster.faults = [
      FaultConfiguration(
        name: "push", kind: .push([ServiceID(0)], change), at: .seconds(20),
        restartAfter: .seconds(100))
    ]
    // Pushes come through the region's API.
    let hosted = try HostedCluster(cluster)
    try hosted.run(until: .seconds(200))
    try hosted.simulation.checkInvariants()
    let counters = hosted.simulation.lane(Self.lane).counters
    let n = 400.0 * 100 * 0.2
    #expect(abs(Double(counters.erred) - n) < 5 * n.squareRoot())
    #expect(counters.ejections >= 2)
  }

  @Test(arguments: [19.5, 20.05, 60, 110]) func aForkGoesOnAsTheWhole(at: Double) throws {
    let cluster = Self.world(.flow, factor: 3)
    let whole = ClusterSimulation(cluster, recorder: Observer())
    try whole.run(until: Instant(nanoseconds: Int64(at * 1e9)))
    let fork = whole.fork(recorder: Observer())
    try whole.run(until: .seconds(200))
    try fork.run(until: .seconds(200))
    #expect(fork.digest == whole.digest)
    #expect(fork.lane(Self.lane).counters == whole.lane(Self.lane).counters)
    #expect(fork.lane(Self.lane).counters.migrations == 2)
  }

  /// While nobody knows of anything, lanes change their fidelity as others do.
  @Test func handOverWaitsForWhatIsKnown() throws {
    let cluster = Self.world(.flow, lasts: .seconds(60))
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(10))
    try FlowHandOverTests.settle(simulation) { simulation.handOver(lane: Self.lane, to: .request) }
    try simulation.run(until: .seconds(15))
    try FlowHandOverTests.settle(simulation) { simulation.handOver(lane: Self.lane, to: .flow) }
    try simulation.run(until: .seconds(40))
    #expect(!simulation.handOver(lane: Self.lane, to: .request))
    try simulation.run(until: .seconds(300))
    try simulation.checkInvariants()
    #expect(simulation.lane(Self.lane).counters.ejections >= 2)
  }

  // MARK: Parts

  /// With one slot each, and the first that is idle taken first, the i-th instance gets what the
  /// i - 1 before it lose: Kosten's overflow, by Erlang's formula.
  @Test func sharesOfAnOrderedChoiceAreKostens() {
    let (n, load) = (12, 6.0)
    let rules = TestWorld.rules(choice: .leastRequests, concurrency: 1, maximum: n, minimum: n)
    var bits = Xoshiro256PlusPlus(seed: 5)
    let shares = CallShares.draw(
      factors: Array(repeating: 1, count: n), rules: rules, load: load,
      law: ServiceShape(.exponential(mean: 1)), using: &bits)
    #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
    // Up to where requests hardly ever wait.
    var before = 1.0
    for i in 1...6 {
      let after = CongestionLaw.erlangB(i, load: load)
      #expect(abs(shares[i - 1] - (before - after)) < 0.006, "\(i): \(shares[i - 1])")
      before = after
    }
  }

  /// All slots are always taken: an instance that is three times as slow gets a third of the calls.
  @Test func sharesOfAFullLaneAreThoseOfSpeed() {
    let rules = TestWorld.rules(choice: .roundRobin, concurrency: 2, maximum: 4, minimum: 4)
    var bits = Xoshiro256PlusPlus(seed: 6)
    let shares = CallShares.draw(
      factors: [1, 3, 1, 1], rules: rules, load: 80, law: ServiceShape(.exponential(mean: 1)),
      using: &bits)
    #expect(abs(shares[1] - 0.1) < 0.004)
    #expect(abs(shares[0] - 0.3) < 0.006)
  }

  @Test func aMixtureHasItsLaw() {
    let law = Distribution.lognormal(median: 1, sigma: 0.6)
    let shape = ServiceShape(ServiceShape(law), mixing: [(share: 9, factor: 1), (1, 4)])
    let mixture = Distribution.mixture([
      Distribution.Component(weight: 0.9, law),
      Distribution.Component(weight: 0.1, law.scaled(by: 4)),
    ])
    #expect(abs(shape.mean / mixture.mean - 1) < 1e-6)
    #expect(
      abs(shape.squaredCV / mixture.squaredCoefficientOfVariation - 1) < 1e-6,
      "\(shape.squaredCV)")
    for p in [0.1, 0.5, 0.9, 0.99] {
      let tabled = shape.quantiles[Int(p * Double(ServiceShape.points))]
      #expect(abs(tabled / mixture.quantile(p) - 1) < 0.01, "\(p): \(tabled)")
    }
    for x in [0.5, 1, 3, 8, 20] {
      #expect(abs(shape.survival(beyond: x) - (1 - mixture.cumulative(at: x))) < 1e-9)
    }
  }
}
