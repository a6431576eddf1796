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
}
