import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing

/// The whole request path against closed forms, small; the reference scenarios do the same at
/// length.
@Suite struct QueueTheoryTests {
  static func station(
    _ servers: Int, rate: Double, service: Distribution, queueLimit: Int, seed: UInt64
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    var rules = TestWorld.rules(
      maximum: servers, minimum: servers, queueLimit: queueLimit, start: .never)
    rules.waitLimit = Nanoseconds(.max)
    cluster.services = [
      ServiceConfiguration(
        name: "station", runtime: 0, shape: 0, zones: [ZoneID(0)], router: rules,
        serviceTime: service, initialInstances: [servers]
      ) { _ in TestArrivals.poisson(rate, seed: seed) }
    ]
    cluster.seed = seed
    return cluster
  }

  /// Share that waits and mean wait of M/M/10 at load 7: 0.22173 and 0.073910 service times.
  @Test func erlangC() throws {
    var shares: [Double] = []
    var waits: [Double] = []
    for seed in 1...8 as ClosedRange<UInt64> {
      let (_, observer) = try TestWorld.run(
        Self.station(
          10, rate: 7, service: .exponential(mean: 1), queueLimit: .max / 4, seed: seed),
        until: .seconds(20_000))
      let all = Double(observer.values[.latency]?.count ?? 0)
      let waiting = observer.values[.wait] ?? []
      shares.append(Double(waiting.count) / all)
      waits.append(waiting.reduce(0) { $0 + Double($1) * 1e-9 } / all)
    }
    expectMean(of: shares, 0.2217312158838154)
    expectMean(of: waits, 0.07391040529460514)
  }

  /// Blocked share of M/G/10/10 at load 10, which does not depend on the service distribution.
  @Test(arguments: [
    Distribution.exponential(mean: 1), .constant(1), .lognormal(mean: 1, sigma: 1.3),
  ])
  func erlangB(service: Distribution) throws {
    var shares: [Double] = []
    for seed in 1...8 as ClosedRange<UInt64> {
      let (simulation, _) = try TestWorld.run(
        Self.station(10, rate: 10, service: service, queueLimit: 0, seed: seed),
        until: .seconds(10_000))
      let counters = simulation.lane(LaneID(0)).counters
      shares.append(Double(counters.refused) / Double(counters.arrivals))
    }
    expectMean(of: shares, 0.2145823431073473)
  }

  /// Cold share and mean number of instances of SimFaaS's case, expiry 10 s.
  @Test func newestCreatedExpiry() throws {
    var cold: [Double] = []
    var servers: [Double] = []
    for seed in 1...8 as ClosedRange<UInt64> {
      var cluster = TestWorld.bare()
      var function = ServiceConfiguration(
        name: "function", runtime: 0, shape: 0, zones: [ZoneID(0)],
        router: TestWorld.rules(choice: .newestCreated, keepAlive: .seconds(10)),
        serviceTime: .exponential(mean: 1.991), initialInstances: [0]
      ) { _ in TestArrivals.poisson(0.9, seed: seed) }
      function.coldServiceTime = .exponential(mean: 2.244)
      cluster.services = [function]
      cluster.seed = seed
      let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(100_000))
      let counters = simulation.lane(LaneID(0)).counters
      cold.append(Double(counters.coldStarts) / Double(counters.arrivals))
      servers.append(counters.readySeconds / 100_000)
      #expect(observer.starts.count == Int(counters.coldStarts))
      expectMessages(simulation)
    }
    expectMean(of: cold, 0.099357)
    expectMean(of: servers, 4.2763)
  }

  /// Gateway, Dispatcher and Worker Manager have handled messages: no shortcut serves a cold start.
  private func expectMessages(_ simulation: ClusterSimulation) {
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.messagesOut > counters.coldStarts)
    #expect(counters.messagesIn >= counters.coldStarts)
    for component in simulation.controlSummary.components {
      #expect(component.messagesIn >= counters.coldStarts)
    }
  }
}

/// The mean of independent runs is within four of its standard errors of the expected value.
func expectMean(
  of values: [Double], _ expected: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
  let n = Double(values.count)
  let mean = values.reduce(0, +) / n
  let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
  let error = (variance / n).squareRoot()
  #expect(abs(mean - expected) <= 4 * error, "\(mean) ± \(error)", sourceLocation: sourceLocation)
  #expect(error < 0.05 * expected, "the test could not fail", sourceLocation: sourceLocation)
}
