import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// Lanes at flow whose places are followed (they start instances on demand and give them up), at
/// the most that they may have: a station with a fixed number of servers.
@Suite struct FollowedPlacesTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var servers: Int
    var utilisation: Double
    var service: Distribution = .exponential(mean: 0.1)

    var testDescription: String { "\(servers) at \(utilisation), \(service)" }
  }

  /// Mean latency of several runs.
  private static func latency(
    _ given: Case, _ fidelity: Fidelity, seeds: ClosedRange<UInt64>
  ) throws -> Estimate {
    let means = try seeds.map { seed in
      let rate = given.utilisation * Double(given.servers) / given.service.mean
      var cluster = FlowWorld.elastic(
        rate: rate, service: given.service, keepAlive: .seconds(60), instances: given.servers,
        seed: seed, fidelity: fidelity)
      cluster.services[0].router.maximumInstances = given.servers
      cluster.services[0].router.queueLimit = 1_000_000
      cluster.services[0].router.waitLimit = Nanoseconds(.max)
      let recorder = Weighted()
      let simulation = ClusterSimulation(cluster, recorder: recorder)
      // Half a million requests in all.
      try simulation.run(until: .seconds(Int64((65_000 / rate).rounded(.up))))
      #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
      simulation.finish()
      try simulation.checkInvariants()
      #expect(simulation.lane(LaneID(0)).gauges.ready == given.servers)
      return recorder.sums[.latency]! / Double(recorder.counts[.latency]!)
    }
    return Estimate(means)
  }

  /// As Erlang's C says: who waits begins when a place is free, and may end in the same step.
  @Test(
    arguments: [
      Case(servers: 1, utilisation: 0.7), Case(servers: 2, utilisation: 0.7),
      Case(servers: 10, utilisation: 0.9),
    ])
  func exponentialServicesWaitAsErlangSays(given: Case) throws {
    let share = CongestionLaw.erlangC(slots: given.servers, utilisation: given.utilisation)
    let theory =
      0.1 * (1 + share / (Double(given.servers) * (1 - given.utilisation)))
    for fidelity in [Fidelity.request, .flow] {
      let found = try Self.latency(given, fidelity, seeds: 1...8)
      #expect(
        abs(found.mean - theory) < 0.01 * theory + 4 * found.error,
        "\(fidelity): \(found) for \(theory)")
      #expect(found.error < 0.04 * theory, "the test could not fail")
    }
  }

  /// A service keeps its law from its beginning to its end: were it met anew in each step, it would
  /// be an exponential one, with twice the wait of a constant one.
  @Test(
    arguments: [
      Case(servers: 1, utilisation: 0.7, service: .constant(0.1)),
      Case(servers: 4, utilisation: 0.9, service: .constant(0.1)),
      Case(servers: 4, utilisation: 0.8, service: .lognormal(median: 0.0825, sigma: 1)),
    ])
  func otherServicesWaitAsSingleOnesDo(given: Case) throws {
    let requests = try Self.latency(given, .request, seeds: 1...8)
    let flow = try Self.latency(given, .flow, seeds: 1...8)
    let mean = given.service.mean
    let wait = requests.mean - mean
    #expect(wait > 0.3 * mean, "\(requests)")
    let error = (requests.error * requests.error + flow.error * flow.error).squareRoot()
    #expect(abs(flow.mean - requests.mean) < 0.03 * wait + 4 * error, "\(flow) for \(requests)")
    #expect(4 * error < 0.3 * wait, "the test could not fail")
  }

  /// What is in service goes on over a change to single requests and back, with its end.
  @Test func endsAreCarried() throws {
    var places = FlowInstances()
    for number in 0..<3 {
      places.addPlace(
        FlowInstances.Entry(
          pod: PodID(number), node: NodeID(0), path: .pool, dispatcher: 0, idleSince: .origin),
        servingUntil: nil)
    }
    #expect(places.occupy(until: .seconds(5)) && places.occupy(until: .seconds(3)))
    #expect(places.places.end(0) == .seconds(5) && places.places.end(1) == .seconds(3))
    // One that goes takes its end with it; another in its slot has an end of its own.
    _ = places.removePlace(at: 1)
    places.addPlace(
      FlowInstances.Entry(
        pod: PodID(9), node: NodeID(0), path: .pool, dispatcher: 0, idleSince: .seconds(1)),
      servingUntil: .seconds(4))
    #expect(places.places.busyCount == 2)
    #expect(places.releaseNext(by: .seconds(3)) == nil)
    #expect(places.releaseNext(by: .seconds(9)) == .seconds(4))
    #expect(places.entries[1].pod == PodID(9) && places.entries[1].idleSince == .seconds(4))
    #expect(places.releaseNext(by: .seconds(9)) == .seconds(5))
    #expect(places.releaseNext(by: .seconds(9)) == nil && places.places.busyCount == 0)
    #expect(places.occupy(until: .seconds(10)) && places.places.end(0) == .seconds(10))
    places.releaseAll(at: .seconds(9))
    #expect(places.places.busyCount == 0 && places.releaseNext(by: .seconds(20)) == nil)
  }
}
