import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Clients that leave after a time, at flow fidelity: against closed forms, and against single
/// requests under the same arrivals.
@Suite struct FlowTimeoutTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var instances: Int
    var rate: Double
    var service: Distribution
    var timeoutMilliseconds: Int64
    var retries = 2
    var queue = 100_000

    var testDescription: String {
      "\(instances) instances, \(rate)/s, \(service), \(timeoutMilliseconds) ms"
    }
  }

  private static let seconds: Int64 = 400

  private static func world(
    _ given: Case, _ fidelity: Fidelity, seed: UInt64 = 9
  ) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = fidelity
    cluster.seed = seed
    cluster.gateways.callTimeout = nil
    let key = StreamKey(seed: seed, replication: 0, name: "arrivals")
    var service = ServiceConfiguration(
      name: "impatient", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(
        maximum: given.instances, minimum: given.instances, queueLimit: given.queue),
      serviceTime: given.service, initialInstances: [given.instances]
    ) { lane in
      KeyedRateSource(
        intensity: .constant(perSecond: given.rate), key: key, lane: lane, weights: [1])
    }
    service.initialRatePerSecond = given.rate
    var clients = ClientConfiguration()
    clients.timeout = .milliseconds(given.timeoutMilliseconds)
    clients.retries = given.retries
    clients.backoff = Backoff(first: .milliseconds(100), most: .seconds(1))
    service.clients = clients
    cluster.services = [service]
    return cluster
  }

  private static func run(
    _ cluster: ClusterConfiguration
  ) throws -> (counters: LaneCounters, latencies: [Double]) {
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    try simulation.run(until: .seconds(seconds))
    simulation.finish()
    try simulation.checkInvariants()
    #expect((cluster.fidelity == .flow) == (simulation.fidelitySummary.flow == 1))
    let latencies = observer.values[.latency, default: []].map { Double($0) * 1e-9 }
    return (simulation.lane(LaneID(0)).counters, latencies.sorted())
  }

  /// Nobody waits for an instance, so that an attempt outlasts its client with p = e^(-T/m): of the
  /// requests p³ are given up after three attempts, and p + p² are retries. All attempts are served
  /// to their end: in service are λ (1 + p + p²) m, whoever waits for them.
  @Test(arguments: [Fidelity.request, .flow])
  func attemptsOutlastTheirClients(fidelity: Fidelity) throws {
    let given = Case(
      instances: 200, rate: 500, service: .exponential(mean: 0.1), timeoutMilliseconds: 150)
    let cluster = Self.world(given, fidelity)
    let counters = try Self.run(cluster).counters
    // Of the call's time two hops are no service.
    let hops = 2 * cluster.network.sameZone.seconds
    let p = Elementary.exp(-(0.15 - hops) / 0.1)
    let n = Double(counters.arrivals)
    func expect(_ count: UInt64, _ share: Double, _ what: String) {
      #expect(
        abs(Double(count) - n * share)
          < 4 * (n * share * (1 + p)).squareRoot() + 0.15 * 500 * share,
        "\(what): \(count) for \(n * share)")
    }
    expect(counters.givenUp, p * p * p, "given up")
    expect(counters.retries, p + p * p, "retries")
    expect(counters.abandoned, p + p * p + p * p * p, "left")
    expect(counters.late, p + p * p + p * p * p, "late")
    let level = counters.inFlightSeconds / Double(Self.seconds)
    let expected = 500 * (1 + p + p * p) * (0.1 + hops)
    #expect(abs(level / expected - 1) < 0.01, "\(level) for \(expected)")
  }

  /// Under the same arrivals the counts of both fidelities differ by chance alone, and means of
  /// what clients wait for by less than 2 %, their 99th percentile by less than 5 %.
  @Test(arguments: [
    Case(instances: 200, rate: 500, service: .exponential(mean: 0.1), timeoutMilliseconds: 150),
    Case(instances: 60, rate: 500, service: .exponential(mean: 0.1), timeoutMilliseconds: 500),
    Case(
      instances: 110, rate: 800, service: .lognormal(median: 0.083, sigma: 0.6),
      timeoutMilliseconds: 300),
    Case(
      instances: 50, rate: 1000, service: .lognormal(median: 0.018, sigma: 1),
      timeoutMilliseconds: 100),
  ])
  func bothFidelitiesAgree(given: Case) throws {
    let request = try Self.run(Self.world(given, .request))
    let flow = try Self.run(Self.world(given, .flow))
    let (a, b) = (request.counters, flow.counters)
    #expect(a.arrivals == b.arrivals)
    func expectAlike(_ a: UInt64, _ b: UInt64, _ what: String) {
      let spread = (2 * Double(max(a, b, 1))).squareRoot()
      // A client that leaves makes others wait and leave, so that counts come in clusters.
      #expect(
        abs(Double(a) - Double(b)) < 4 * spread + 0.02 * Double(a), "\(what): \(a) and \(b)")
    }
    expectAlike(a.retries, b.retries, "retries")
    expectAlike(a.abandoned, b.abandoned, "left")
    expectAlike(a.late, b.late, "late")
    expectAlike(a.givenUp, b.givenUp, "given up")
    expectAlike(a.answered, b.answered, "answered")
    let mean = flow.latencies.reduce(0, +) / request.latencies.reduce(0, +)
    let counts = Double(flow.latencies.count) / Double(request.latencies.count)
    #expect(abs(mean / counts - 1) < 0.02, "mean latency \(mean / counts)")
    let p99 =
      flow.latencies[flow.latencies.count * 99 / 100]
      / request.latencies[request.latencies.count * 99 / 100]
    #expect(abs(p99 - 1) < 0.05, "p99 \(p99)")
  }

  /// From one fidelity to the other and back nobody is lost: neither who waits, nor who has left,
  /// nor who will leave or try again. The run checks it.
  @Test func handOverKeepsThem() throws {
    let given = Case(
      instances: 40, rate: 600, service: .exponential(mean: 0.1), timeoutMilliseconds: 700,
      queue: 2000)
    let simulation = ClusterSimulation(Self.world(given, .request), recorder: Observer())
    try simulation.run(until: .seconds(10))
    for turn in 1...30 {
      let fidelity: Fidelity = turn % 2 == 1 ? .flow : .request
      try FlowHandOverTests.settle(simulation) {
        simulation.handOver(lane: LaneID(0), to: fidelity)
      }
      try simulation.run(until: .seconds(Int64(10 + turn)) + .milliseconds(Int64(turn * 7)))
      try simulation.checkInvariants()
    }
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.late > 0 && counters.abandoned >= counters.late)
    // Overloaded, whoever looks at it: 400 attempts a second are served.
    #expect(abs(Double(counters.completed) / (400 * 40.2) - 1) < 0.05, "\(counters.completed)")
  }

  @Test func aForkContinuesAsTheWhole() throws {
    let given = Case(
      instances: 40, rate: 600, service: .exponential(mean: 0.1), timeoutMilliseconds: 700,
      queue: 2000)
    var cluster = Self.world(given, .flow)
    cluster.faults = [
      FaultConfiguration(
        name: "loss", kind: .loseZone(ZoneID(0)), at: .seconds(42), restartAfter: .seconds(20))
    ]
    let whole = try TestWorld.run(cluster, until: .seconds(90)).simulation
    for instant in [7, 42, 43, 70] as [Int64] {
      let trunk = ClusterSimulation(cluster, recorder: Observer())
      try trunk.run(until: .seconds(instant) + .milliseconds(30))
      let fork = trunk.fork(recorder: Observer())
      try fork.run(until: .seconds(90))
      fork.finish()
      try fork.checkInvariants()
      #expect(fork.digest == whole.digest, "from \(instant) s")
    }
  }

  /// A lane that a run of waits may tip over is left to single requests, whatever room it has.
  @Test(arguments: [20, 30]) func nearAStormLanesAreRequests(instances: Int) {
    var rule = FidelityRule(
      rules: TestWorld.rules(
        concurrency: 4, maximum: instances, minimum: instances, queueLimit: 20_000),
      instances: instances, rate: 500, mean: 0.1, squaredCV: 1)
    #expect(rule.wantsFlow(isFlow: true))
    // Of exponential services, those beyond 0.7 means: 50 erlangs of requests want 95 with retries.
    (rule.lateShare, rule.retries) = (Elementary.exp(-0.7), 3)
    #expect(!rule.wantsFlow(isFlow: true))
    // Hardly anybody leaves, or nobody comes again.
    rule.lateShare = Elementary.exp(-10)
    #expect(rule.wantsFlow(isFlow: true))
    (rule.lateShare, rule.retries) = (Elementary.exp(-0.7), 0)
    #expect(rule.wantsFlow(isFlow: true))
  }

  // MARK: The ledger

  /// Whatever is asked of the ledger, whoever has no client is counted once.
  @Test func theLedgerKeepsCount() {
    var ledger = WaitLedger()
    var bits = Xoshiro256PlusPlus(seed: 7)
    var (now, came, gone) = (Int64(0), 0, 0)
    for _ in 0..<4000 {
      now += 10
      let count = Int(bits.integer(below: 20))
      let cohort = WaitLedger.Cohort(from: now - 10, to: now, count: count)
      came += count
      if ledger.waiting == 0, bits.uniform() < 0.5 {
        ledger.settle(cohort, wait: Int64(bits.integer(below: 3)))
      } else {
        ledger.append(cohort)
      }
      switch bits.integer(below: 5) {
      case 0:
        var pieces: [WaitLedger.Cohort] = []
        var left = ledger.dequeue(Int(bits.integer(below: 40))) { pieces.append($0) }
        for var piece in pieces {
          let unheard = min(left, piece.count)
          left -= unheard
          if unheard > 0 {
            let first = piece.takeOldest(unheard)
            ledger.settle(first, wait: 50, isLeft: true)
          }
          ledger.settle(piece, wait: 50)
        }
      case 1:
        let most = min(ledger.settledCount, Int(bits.integer(below: 40)))
        ledger.complete(most) { gone += $0.count }
      case 2: if ledger.waiting == 0 { _ = ledger.reopen(Int(bits.integer(below: 20))) }
      case 3: gone += ledger.dropYoungest(Int(bits.integer(below: 3))).count
      default:
        _ = ledger.judge(before: now - 60) { Int(bits.integer(below: UInt64($0.count + 1))) }
        _ = ledger.leave(before: now - 60)
      }
      #expect(came == gone + ledger.waiting + ledger.settledCount)
      #expect(ledger.leftWaiting >= 0 && ledger.leftWaiting <= ledger.waiting)
      #expect(ledger.lateCount >= 0 && ledger.lateCount <= ledger.settledCount)
      var heard = 0
      ledger.forEachHeard { heard += $0.count }
      ledger.forEachSettledHeard { heard += $0.count }
      #expect(
        heard == ledger.waiting + ledger.settledCount - ledger.leftWaiting - ledger.lateCount)
    }
  }
}
