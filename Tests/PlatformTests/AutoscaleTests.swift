import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// AutoScale in a whole cluster: what Knative would do, within the service's limits.
@Suite struct AutoscaleTests {
  /// Long requests keep an instance that is told to go; it must not be counted as ready, or the
  /// next tick takes another one, until none is left.
  @Test(arguments: [Fidelity.request, .flow]) func drainingIsNotReady(fidelity: Fidelity) throws {
    let cluster = ScaledWorld.lane(
      minutes: Array(repeating: 50.0 / 60, count: 30), service: .constant(60), concurrency: 10,
      initial: 70, fidelity: fidelity)
    let (simulation, observer, ready) = try ScaledWorld.timeline(cluster, every: 10, until: 1800)
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals > 1000 && counters.refused == 0)
    // Flow takes its slots for busier than they are where a rate is known by a few arrivals.
    let waits = (observer.values[.wait] ?? []).reduce(0) { $0 + Double($1) * 1e-9 }
    let mean = waits / Double(counters.arrivals)
    #expect(mean < (fidelity == .request ? 1e-9 : 0.5), "\(mean) s, \(counters.waited) waited")
    // 50 in flight at 7 each.
    let last = ready.suffix(60).map { $0[0] }
    #expect(last.allSatisfy { 5...14 ~= $0 }, "\(last)")
    #expect(counters.instancesRetired >= 60)
  }

  /// All gateways of a lane get their part of what AutoScale asks for, and give up theirs.
  @Test func everyGatewayHasItsPart() throws {
    var cluster = ScaledWorld.lane(
      minutes: [200, 200, 200, 200, 20, 20, 20, 20], service: .exponential(mean: 1),
      concurrency: 1)
    cluster.gateways.perZone = 4
    cluster.gateways.perLane = 4
    cluster.services[0].router.queueLimit = 200
    let (simulation, _, _) = try ScaledWorld.timeline(cluster, every: 10, until: 240)
    let routers = try #require(simulation.lanes[0] as? RequestLane)
    let usable = (0..<4).map { Int(routers.engine.routers[$0].counts.usable) }
    #expect(usable.reduce(0, +) > 250 && usable.allSatisfy { $0 > 60 }, "\(usable)")
    let refused = simulation.lane(LaneID(0)).counters.refused
    #expect(refused == 0, "of \(simulation.lane(LaneID(0)).counters.arrivals)")
    try simulation.run(until: .seconds(480))
    let fewer = (0..<4).map { Int(routers.engine.routers[$0].counts.usable) }
    #expect(fewer.allSatisfy { 5...12 ~= $0 }, "\(fewer)")
  }

  static let signals: [(period: Int64, delay: Int64)] = [
    (1, 0), (2, 0), (5, 0), (15, 0), (60, 0), (1, 10), (1, 59), (1, 60),
  ]

  /// Thirty requests in flight want 43 instances, however seldom and however late it is told: a
  /// sample counts for each second that it is a mean of, and windows end where samples do.
  @Test(arguments: signals, [Fidelity.request, .flow])
  func rareAndLateSamplesSayTheSame(signal: (period: Int64, delay: Int64), fidelity: Fidelity)
    throws
  {
    var cluster = ScaledWorld.lane(
      minutes: Array(repeating: 300, count: 30), service: .exponential(mean: 0.1), concurrency: 1,
      initial: 46, fidelity: fidelity)
    cluster.services[0].scaling = ScaledWorld.knative(
      concurrency: 1, ready: 46, period: .seconds(signal.period), delay: .seconds(signal.delay))
    let (simulation, _, ready) = try ScaledWorld.timeline(cluster, every: 2, until: 1800)
    let last = ready.suffix(600).map { Double($0[0]) }
    let mean = last.reduce(0, +) / Double(last.count)
    #expect(41...48 ~= mean, "\(mean)")
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.refused == 0 && counters.arrivals > 500_000)
  }

  // MARK: Limits

  /// The least number is made without a request and divided exactly.
  @Test(arguments: [(1, [1, 0, 0]), (4, [2, 1, 1]), (6, [2, 2, 2])])
  func theLeastNumberIsMade(minimum: Int, expected: [Int]) throws {
    let cluster = ScaledWorld.idle((minimum, 1000))
    let (_, _, ready) = try ScaledWorld.timeline(cluster, until: 300)
    #expect(ready[29] == expected)
    #expect(ready[30...].allSatisfy { $0 == expected })
  }

  /// A service's limit is that of all its zones and gateways together, whoever starts instances.
  @Test(arguments: [RouterRules.StartRule.onDemand, .fromZero], [1, 2])
  func theMostIsNeverExceeded(start: RouterRules.StartRule, perLane: Int) throws {
    var cluster = ScaledWorld.idle((0, 5))
    cluster.gateways.perLane = perLane
    cluster.services[0].router.startRule = start
    cluster.services[0].arrivals = { position in
      TestArrivals.poisson(200, seed: UInt64(position))
    }
    let (simulation, _, ready) = try ScaledWorld.timeline(cluster, until: 120)
    #expect(ready.allSatisfy { $0.reduce(0, +) <= 5 })
    #expect(ready[60...].allSatisfy { $0 == [2, 2, 1] }, "\(ready.suffix(10))")
    // With two gateways a lane that may have one instance has one gateway.
    #expect(
      simulation.lanes.map { $0.settings.gateways.count }
        == (perLane == 1 ? [1, 1, 1] : [2, 2, 1]))
  }

  // MARK: Over time

  /// Ten requests in flight for two minutes: Knative holds 10 / 0.7 pods, the last of them for a
  /// stable window and a grace period after the load, and none later; a request makes one again.
  @Test func toZeroAndFromZero() throws {
    let cluster = ScaledWorld.lane(
      minutes: [100, 100, 0, 0, 0, 0, 100, 100], service: .exponential(mean: 0.1), concurrency: 1)
    let (simulation, _, all) = try ScaledWorld.timeline(cluster, until: 480)
    let ready = all.map { $0[0] }
    #expect(ready[85..<119].allSatisfy { 13...20 ~= $0 }, "\(ready[60..<119])")
    // Averages fall over the stable window.
    #expect(ready[150] < ready[119] && ready[150] > 1)
    #expect(ready[182..<208].allSatisfy { $0 == 1 }, "\(ready[175..<215])")
    #expect(ready[216..<360].allSatisfy { $0 == 0 }, "\(ready[205..<220])")
    #expect(ready[380..<480].allSatisfy { $0 >= 10 }, "\(ready[360..<400])")
    #expect(simulation.lane(LaneID(0)).counters.refused == 0)
  }

  /// Load that doubles at once: the short window sees it within seconds, and what panic has asked
  /// for stays for a stable window.
  @Test func panicHolds() throws {
    let cluster = ScaledWorld.lane(
      minutes: [20, 20, 20, 200, 20, 20, 20, 20, 20], service: .exponential(mean: 1),
      concurrency: 1, initial: 29, start: .never)
    let ready = try ScaledWorld.timeline(cluster, until: 540).ready.map { $0[0] }
    #expect(ready[170..<180].allSatisfy { 24...36 ~= $0 }, "\(ready[170..<180])")
    #expect(ready[192] > 200, "\(ready[178..<200])")
    // Never fewer, though the backlog that it was made for is gone after seconds.
    let panic = ready[192..<244]
    #expect(zip(panic, panic.dropFirst()).allSatisfy { $0 <= $1 }, "\(panic)")
    #expect(ready[235] > 286, "200 in flight want no more than 286")
    #expect(ready[420] < 60, "\(ready[300..<430])")
  }

  // MARK: Forks and work

  @Test func forksHavePoliciesOfTheirOwn() throws {
    var cluster = ScaledWorld.idle((0, 100))
    cluster.services[0].scaling = ScalingConfiguration { CountingPolicy() }
    let original = ClusterSimulation(cluster, recorder: Observer())
    try original.run(until: .seconds(31))
    let fork = original.fork(recorder: Observer())
    try original.run(until: .seconds(90))
    try fork.run(until: .seconds(90))
    #expect(fork.digest == original.digest)
    let again = ClusterSimulation(cluster, recorder: Observer())
    try again.run(until: .seconds(90))
    #expect(again.digest == original.digest)
    #expect(original.controlSummary.autoscaleDecisions == 44)
  }

  /// Services at rest are not asked, however many ticks pass.
  @Test(arguments: [0, 3]) func aTickCostsWhatChanged(minimum: Int) throws {
    let cluster = ScaledWorld.idle((minimum, 1000), services: 20)
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(120))
    let before = simulation.controlSummary.autoscaleDecisions
    #expect(before >= 20)
    try simulation.run(until: .seconds(720))
    #expect(simulation.controlSummary.autoscaleDecisions == before)
  }

  // MARK: Two fidelities

  /// A day of four cycles pressed into two hours: as many instances on average whether requests are
  /// simulated or represented.
  @Test(arguments: [(0.2, 1, 300.0), (0.5, 10, 400), (20, 4, 8)])
  func flowScalesAlike(seconds: Double, concurrency: Int, rate: Double) throws {
    let minutes = (0..<120).map { minute in
      rate * (1 + 0.6 * Elementary.cos(Double(minute) * .pi / 15))
    }
    func mean(_ fidelity: Fidelity) throws -> (ready: Double, counters: LaneCounters) {
      let cluster = ScaledWorld.lane(
        minutes: minutes, service: .exponential(mean: seconds), concurrency: concurrency, seed: 3,
        fidelity: fidelity)
      let (simulation, _, _) = try ScaledWorld.timeline(cluster, every: 60, until: 7200)
      #expect(simulation.fidelity(of: LaneID(0)) == fidelity)
      let counters = simulation.lane(LaneID(0)).counters
      return (counters.readySeconds / 7200, counters)
    }
    let (request, exact) = try mean(.request)
    let (flow, rough) = try mean(.flow)
    #expect(abs(flow / request - 1) < 0.03, "request \(request), flow \(flow)")
    #expect(exact.arrivals == rough.arrivals)
    #expect(exact.instancesRetired > 50 && rough.instancesRetired > 50)
  }

  /// A step of load tenfold: what waits when instances join goes on waiting, so that flow asks for
  /// as many as requests do, and its waits are those of requests.
  @Test(arguments: [0.0, 3]) func flowPanicsAlike(start: Double) throws {
    struct Panic {
      var peak: Double
      var readySeconds: Double
      var latency: Double
    }
    func panic(_ fidelity: Fidelity, seed: UInt64) throws -> Panic {
      var cluster = ScaledWorld.lane(
        minutes: [20, 200, 20, 20], service: .exponential(mean: 1), concurrency: 1, initial: 29,
        seed: seed, fidelity: fidelity)
      cluster.kubernetes.create = .constant(start)
      let recorder = Weighted()
      let simulation = ClusterSimulation(cluster, recorder: recorder)
      var peak = 0
      for second in 1...240 {
        try simulation.run(until: .seconds(Int64(second)))
        try simulation.checkInvariants()
        peak = max(peak, simulation.lane(LaneID(0)).gauges.ready)
      }
      simulation.finish()
      #expect(simulation.fidelity(of: LaneID(0)) == fidelity)
      return Panic(
        peak: Double(peak), readySeconds: simulation.lane(LaneID(0)).counters.readySeconds,
        latency: (recorder.sums[.latency] ?? 0) / Double(recorder.counts[.latency] ?? 1))
    }
    let seeds: [UInt64] = Array(1...8)
    let requests = try seeds.map { try panic(.request, seed: $0) }
    let flows = try seeds.map { try panic(.flow, seed: $0) }
    func error(_ value: (Panic) -> Double) -> Estimate {
      Estimate(zip(flows, requests).map { value($0) / value($1) - 1 })
    }
    for found in [error(\.peak), error(\.readySeconds), error(\.latency)] {
      #expect(abs(found.mean) < 0.03 + 2.4 * found.error, "\(found)")
      #expect(found.error < 0.02, "the test could not fail: \(found)")
    }
    // More than the load after the step would want.
    #expect(requests.allSatisfy { $0.peak > 400 })
  }

  /// Draining instances change sides with their requests.
  @Test func handOverWhileDraining() throws {
    let cluster = ScaledWorld.lane(
      minutes: [20, 20, 4, 4, 20, 20, 4, 4, 4, 4], service: .exponential(mean: 10), concurrency: 4,
      fidelity: .flow)
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    var carried = 0
    for second in 1...600 {
      try simulation.run(until: .seconds(Int64(second)))
      let flow = simulation.lanes[0] as? FlowLane
      let draining =
        flow?.state.draining.count
        ?? (simulation.lanes[0] as? RequestLane).map {
          Int($0.engine.routers[0].counts.draining)
        } ?? 0
      let before = simulation.lane(LaneID(0)).gauges
      if second % 3 == 0,
        simulation.handOver(lane: LaneID(0), to: flow == nil ? .flow : .request)
      {
        let after = simulation.lane(LaneID(0)).gauges
        #expect(after.ready == before.ready)
        if draining > 0 { carried += 1 }
      }
      try simulation.checkInvariants()
    }
    #expect(carried >= 8, "the test could not fail")
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.completed > 5000)
  }
}
