import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Flow on its own: closed forms, conservation, clones.
@Suite struct FlowTests {
  /// Mean wait and share that waits against Erlang C.
  @Test(arguments: [(5, 0.8), (20, 0.7), (20, 0.95), (100, 0.9), (1000, 0.95)])
  func erlangC(instances: Int, utilisation: Double) throws {
    let cell = StationCell(instances: instances, utilisation: utilisation, requests: 4e6)
    let runs = try (1...8).map { try cell.run(.flow, seed: UInt64($0)) }
    let wait = Estimate(runs.map(\.meanWait))
    let share = Estimate(runs.map(\.waitProbability))
    let exact = cell.erlangC
    // Two per cent of a mean latency, and the runs' own error.
    let slack = 0.02 * (exact.meanWait + cell.meanService)
    #expect(abs(wait.mean - exact.meanWait) < 4 * wait.error + slack, "\(wait) \(exact)")
    #expect(
      abs(share.mean - exact.waitProbability) < 4 * share.error + 0.01, "\(share) \(exact)")
    #expect(
      wait.error < max(0.1 * exact.meanWait, 0.001 * cell.meanService), "the test could not fail")
  }

  @Test func requestAndFlowMeetTheSameArrivals() throws {
    let cell = StationCell(instances: 20, utilisation: 0.9, requests: 2e4)
    #expect(
      try cell.run(.flow, seed: 3).requests == cell.run(.request, seed: 3).requests)
  }

  /// Every invocation is somewhere at every second, through starts, keep-alive and refusals.
  @Test(arguments: [0.2, 3, 40, 900])
  func nothingIsLost(rate: Double) throws {
    var cluster = FlowWorld.elastic(
      rate: rate, service: .lognormal(mean: 0.2, sigma: 1), keepAlive: .seconds(3), instances: 0,
      seed: 7, fidelity: .flow)
    cluster.services[0].router.maximumInstances = 100
    cluster.services[0].router.queueLimit = 50
    cluster.services[0].router.waitLimit = .milliseconds(400)
    let recorder = Weighted()
    let simulation = ClusterSimulation(cluster, recorder: recorder)
    for second in 1...120 {
      try simulation.run(until: .seconds(Int64(second)))
      try simulation.checkInvariants()
    }
    simulation.finish()
    try simulation.checkInvariants()
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals > 0 && counters.completed > 0)
    #expect(counters.instancesAdded > 0)
    #expect(recorder.counts[.latency] == Int(counters.completed))
    #expect((recorder.counts[.wait] ?? 0) == Int(counters.waited))
    #expect((recorder.counts[.startLatency] ?? 0) >= Int(counters.coldStarts) - 1)
    #expect(simulation.work.represented == counters.arrivals)
  }

  @Test func overloadIsFluid() throws {
    // 1.2 times what 50 slots bear: after 60 s a sixth of the arrivals wait.
    let simulation = ClusterSimulation(
      FlowWorld.station(
        50, rate: 1200, service: .exponential(mean: 0.05), seed: 2, fidelity: .flow),
      recorder: Weighted())
    try simulation.run(until: .seconds(60))
    let waiting = Double(simulation.lane(LaneID(0)).gauges.waiting)
    #expect(abs(waiting / (200 * 59) - 1) < 0.1, "\(waiting)")
  }

  @Test func aForkGoesOnAsTheOriginal() throws {
    var cluster = TestWorld.cluster(services: 3, rate: 50)
    cluster.fidelity = .flow
    for index in cluster.services.indices {
      let key = StreamKey(seed: 5, replication: UInt64(index), name: "arrivals")
      cluster.services[index].arrivals = { position in
        KeyedRateSource(
          intensity: .constant(perSecond: 150), key: key, lane: position, weights: [1, 1, 1])
      }
    }
    let original = ClusterSimulation(cluster, recorder: Weighted())
    try original.run(until: .seconds(30))
    let fork = original.fork(recorder: Weighted())
    try original.run(until: .seconds(60))
    try fork.run(until: .seconds(60))
    try fork.checkInvariants()
    #expect(fork.digest == original.digest)
    #expect(original.fidelity(of: LaneID(0)) == .flow)
    let again = ClusterSimulation(cluster, recorder: Weighted())
    try again.run(until: .seconds(60))
    #expect(again.digest == original.digest)
  }

  /// Left to themselves lanes flow where flow is good, and nowhere else.
  @Test(arguments: [(400.0, 40, Fidelity.flow), (1.0, 40, .request), (100, 2, .request)])
  func lanesChoose(rate: Double, instances: Int, expected: Fidelity) throws {
    var cluster = FlowWorld.station(
      instances, rate: rate, service: .lognormal(mean: 0.015, sigma: 1.3), seed: 4)
    cluster.fidelity = .auto
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    #expect(simulation.fidelity(of: LaneID(0)) == expected)
    try simulation.run(until: .seconds(60))
    try simulation.checkInvariants()
    #expect(simulation.fidelity(of: LaneID(0)) == expected)
  }

  /// Processors in use are rate x service x share of it, at both fidelities: also of lanes so small
  /// that their steps end at arrivals.
  @Test(arguments: [(5.0, 0.2), (20, 0.1), (20, 0.4), (200, 0.2)])
  func processorsInUse(rate: Double, mean: Double) throws {
    for fidelity in [Fidelity.request, .flow] {
      var cluster = FlowWorld.elastic(
        rate: rate, service: .exponential(mean: mean), keepAlive: .seconds(60), instances: 4,
        seed: 3, fidelity: fidelity)
      cluster.contention = .epoch
      cluster.network.sameZone = .milliseconds(1)
      cluster.network.controlPlane = .milliseconds(1)
      cluster.network.crossZone = .milliseconds(1)
      cluster.services[0].cpuFraction = 0.5
      let end = 2000.0
      let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(Int64(end)))
      #expect((simulation.fidelity(of: LaneID(0)) == .flow) == (fidelity == .flow))
      let used = (observer.coreSeconds[ZoneID(0)] ?? 0) / end
      let expected = rate * mean * 0.5
      // Four standard errors of a Poisson number of exponential times, and a hundredth.
      let error = 4 * (2 / (rate * end)).squareRoot() + 0.01
      #expect(abs(used / expected - 1) < error, "\(fidelity): \(used) for \(expected)")
    }
  }

  @Test func residualsHaveTheirMean() {
    let law = Distribution.lognormal(mean: 0.2, sigma: 0.6)
    var shapes = ServiceShapes()
    let (shape, scale) = shapes.shape(of: law)
    let service = FlowService(shape, scale: scale)
    var bits = SplitMix64(seed: 1)
    let draws = (0..<100_000).map { _ in service.met(using: &bits).residual }
    let mean = draws.reduce(0, +) / 100_000
    #expect(abs(mean - (law.variance / law.mean + law.mean) / 2) < 0.002)
    // The chance of being in service still, from the table and from the draws.
    let later = Double(draws.count { $0 > 0.1 }) / 100_000
    #expect(abs(later - service.survival(ofOld: 0.1)) < 0.01)
  }
}

/// A mean of independent runs with its standard error.
struct Estimate {
  var mean: Double
  var error: Double

  init(_ values: [Double]) {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    self.mean = mean
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
    error = (variance / n).squareRoot()
  }
}
