import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// What nodes are asked for is what is served on them: nothing of it stays behind.
@Suite struct DemandTests {
  /// Instances go the moment that they are idle, and others take their places within the same
  /// epoch.
  @Test func nothingIsWantedWhereNothingIsServed() throws {
    var cluster = TestWorld.cluster(services: 4, rate: 40)
    for index in cluster.services.indices {
      cluster.services[index].router.keepAlive = .milliseconds(1)
      let seed = UInt64(index)
      cluster.services[index].arrivals = { position in
        TestArrivals.poisson(40, seed: seed * 10 + UInt64(position), until: .seconds(60))
      }
    }
    let simulation = try TestWorld.run(cluster, until: .seconds(90)).simulation
    let made = simulation.conservation().reduce(0) { $0 + $1.instancesAdded }
    #expect(made > 1000, "instances come and go")
    for node in simulation.topology.nodeCores.indices {
      #expect(abs(simulation.demand.wantedCores(node: node)) < 1e-6, "node \(node)")
    }
  }

  /// Two instances of five slots each at a utilisation of three quarters, where steps are short
  /// while somebody waits and long where nobody does; and up to six, which come when somebody
  /// waits. What they work is what requests take, at both fidelities: an hour of 75/s, 0.2 % of
  /// noise.
  @Test(arguments: [2, 6])
  func asMuchIsWorkedAtFlow(most: Int) throws {
    func run(_ fidelity: Fidelity) throws -> (cores: Double, inFlight: Double, counts: LaneCounters)
    {
      var cluster = FlowWorld.elastic(
        rate: 75, service: .lognormal(mean: 0.1, sigma: 0.8), keepAlive: .seconds(2), instances: 2,
        seed: 11, fidelity: fidelity)
      cluster.contention = .epoch
      cluster.network = TestWorld.cluster().network
      cluster.services[0].router.concurrencyLimit = 5
      cluster.services[0].router.minimumInstances = 2
      cluster.services[0].router.maximumInstances = most
      cluster.services[0].cpuFraction = 0.6
      let simulation = try TestWorld.run(cluster, until: .seconds(3600)).simulation
      #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
      let counters = simulation.lane(LaneID(0)).counters
      return (simulation.demand.zoneCoreSeconds[0], counters.inFlightSeconds, counters)
    }
    let (request, flow) = (try run(.request), try run(.flow))
    #expect(request.counts.instancesAdded > 2 || most == 2)
    let cores = flow.cores / request.cores
    #expect(abs(cores - 1) < 0.015, "\(cores)")
    let inFlight = flow.inFlight / request.inFlight
    #expect(abs(inFlight - 1) < 0.015, "\(inFlight)")
    let waited = Double(flow.counts.waited) / Double(request.counts.waited)
    if most == 2 { #expect(abs(waited - 1) < 0.05, "\(waited)") }
  }
}
