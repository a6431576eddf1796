import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// What the control plane does at its ticks costs what has changed, however much there is beside
/// it. Counted, not timed.
@Suite struct TickCostTests {
  /// Of 20,000 services AutoScale asks the ten that it hears of.
  @Test func autoScaleAsksThoseThatChanged() {
    let cluster = ScaledWorld.idle((0, 1000), services: 20_000)
    let topology = Topology(cluster)
    var autoscaler = Autoscaler(cluster, topology)
    var orders: [Autoscaler.Order] = []
    for second in stride(from: Int64(2), through: 300, by: 2) {
      autoscaler.tick(at: .seconds(second), into: &orders)
    }
    #expect(orders.isEmpty)
    let before = autoscaler.decisions
    #expect(before >= 20_000)
    let busy = (0..<10).map { $0 * 1999 }
    for second in Int64(301)...400 {
      for service in busy {
        let sample = PartSample(
          instances: InstanceCounts(), concurrency: 5, settled: 0, second: UInt32(second))
        autoscaler.receive(.sample(LaneID(topology.firstLane[service]), part: 0, sample))
      }
      if second % 2 == 0 { autoscaler.tick(at: .seconds(second), into: &orders) }
    }
    // Fifty ticks of ten services.
    #expect(autoscaler.decisions - before <= 500)
    #expect(!orders.isEmpty)
    for case .up(let start) in orders { #expect(busy.contains(start.service.index)) }
  }

  /// A row of the series looks at lanes that something happened to, and at those that have
  /// instances.
  @Test func aRowLooksAtWhatChanged() throws {
    var cluster = ScaledWorld.idle((0, 1000), services: 1000)
    cluster.services[7].arrivals = { position in
      position == 0 ? TestArrivals.poisson(5, seed: 1) : TestArrivals.times([])
    }
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(100))
    #expect(simulation.laneSet.touched.count <= 1, "of \(simulation.laneCount)")
    let fork = simulation.fork(recorder: Observer())
    try simulation.run(until: .seconds(205))
    try fork.run(until: .seconds(205))
    #expect(simulation.laneSet.touched == [simulation.topology.firstLane[7]])
    #expect(fork.digest == simulation.digest)
    #expect(simulation.lane(LaneID(21)).counters.arrivals > 500)
  }

  /// What a node-pool scan is told does not depend on services that have nothing to do with it.
  @Test func aScanIsToldOfWhatWaits() throws {
    func messages(services: Int) throws -> UInt64 {
      var cluster = ElasticWorld.cluster(services: services)
      for index in cluster.services.indices where index >= 2 {
        cluster.services[index].arrivals = { _ in TestArrivals.times([]) }
      }
      let (simulation, _) = try TestWorld.run(cluster, until: .seconds(400))
      #expect(simulation.controlSummary.capacity.groups.allSatisfy { $0.item.units > 0 })
      return simulation.control.traffic.summary(.nodeAutoscaler, "").messagesIn
    }
    let few = try messages(services: 2)
    #expect(try messages(services: 2000) == few && few > 100)
  }
}
