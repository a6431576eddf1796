import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// Node pools where messages are lost.
@Suite struct NodePoolLossTests {
  /// Load that comes and goes over pools with an end to their supply, beside a little that stays
  /// for long.
  private static func cluster(loss: Double, seed: UInt64) -> ClusterConfiguration {
    var cluster = ElasticWorld.cluster(maximum: 4, supply: 5)
    cluster.seed = seed
    cluster.network.loss = loss
    cluster.gateways.callTimeout = .seconds(20)
    cluster.nodePools[0].initial = 1
    cluster.nodePools[0].minimum = 1
    cluster.nodePools[0].provision = .lognormal(median: 60, sigma: 0.4)
    for index in cluster.services.indices {
      cluster.services[index].serviceTime = .exponential(mean: 2)
      cluster.services[index].arrivals = { position in
        arrivals(seed: seed * 100 + UInt64(index * 2 + position))
      }
    }
    return cluster
  }

  /// Six requests a second for 700 s, then one in twenty seconds, so that gateways go on asking for
  /// their routes and learn of instances whose announcements were lost: one that is lost when
  /// nothing comes any more is never learned of.
  private static func arrivals(seed: UInt64) -> TestArrivals {
    var bits = Xoshiro256PlusPlus(seed: seed)
    var times: [Int64] = []
    var now = 0.0
    while now < 5600 {
      now += ZigguratExponential.sample(using: &bits) / (now < 700 ? 6 : 0.05)
      times.append(Int64(now * 1e9))
    }
    return .times(times)
  }

  /// At every instant all machines are somewhere, and in the end each of the three knows what is
  /// so: what the autoscaler takes for its size is what is there, every order has been answered,
  /// and every machine that was given has come.
  @Test(arguments: [0, 0.05, 0.2], [1, 2, 3] as [UInt64])
  func nothingIsLostForGood(loss: Double, seed: UInt64) throws {
    let observer = Observer()
    let simulation = ClusterSimulation(Self.cluster(loss: loss, seed: seed), recorder: observer)
    var most = 0
    // With a fifth of all messages lost the last machine may go later.
    for second in stride(from: Int64(50), through: loss < 0.2 ? 6600 : 9600, by: 50) {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      most = max(most, simulation.control.kubernetes.stayingNodes.reduce(0, +))
    }
    let scaler = try #require(simulation.control.nodeScaler)
    let present = simulation.controlSummary.capacity.groups.map(\.item.units)
    let staying = simulation.control.kubernetes.stayingNodes
    #expect(scaler.machine.sizes == staying && staying == present, "\(present), \(staying)")
    #expect(present == [1, 1])
    #expect(most > 4, "\(most)")
    #expect(scaler.requests.count == 0)
    #expect(scaler.supply.deliveries.count == 0 && scaler.register.returns.count == 0)
    for group in present.indices {
      #expect(scaler.machine.upcoming(group) == 0)
      #expect(scaler.supply.groups[group].onTheWay == 0)
      #expect(scaler.supply.groups[group].given == scaler.register.joined[group])
      #expect(
        scaler.supply.groups[group].given + scaler.supply.groups[group].refused
          <= scaler.ordered[group])
    }
    #expect(scaler.supply.stock == [5])
    let gone = observer.events.count { $0.kind == .nodeRemoved }
    #expect(gone > 0 && gone == observer.events.count { $0.kind == .nodeJoined })
  }

  /// Where nothing is lost, the autoscaler's own count is what it is told at every scan.
  @Test func countsAgreeWithoutLoss() throws {
    let simulation = ClusterSimulation(Self.cluster(loss: 0, seed: 4), recorder: Observer())
    for second in stride(from: Int64(15), through: 3000, by: 10) {
      try simulation.run(until: .seconds(second))
      let scaler = try #require(simulation.control.nodeScaler)
      let staying = simulation.control.kubernetes.stayingNodes
      for group in staying.indices {
        let upcoming = scaler.supply.groups[group].given - scaler.register.joined[group]
        #expect(scaler.machine.sizes[group] == staying[group] + upcoming, "at \(second) s")
      }
    }
  }

  /// A fork amid repetitions goes on as the run does.
  @Test func aForkGoesOnAsTheRun() throws {
    for instant in [Int64(12), 75, 1300] {
      let whole = ClusterSimulation(Self.cluster(loss: 0.2, seed: 5), recorder: Observer())
      try whole.run(until: .seconds(instant))
      let fork = whole.fork(recorder: Observer())
      for simulation in [whole, fork] {
        try simulation.run(until: .seconds(2500))
        simulation.finish()
      }
      #expect(whole.digest == fork.digest)
      #expect(whole.control.nodeScaler?.machine == fork.control.nodeScaler?.machine)
    }
  }

  // MARK: The supply

  private static func supply(stock: Int?) -> MachineSupply {
    let retry = RetryRules(timeout: .seconds(1), pollInterval: .seconds(1))
    return MachineSupply(stock: [stock], pools: [0, 0], retry: retry)
  }

  @Test func aRepeatedRequestIsOne() {
    var supply = Self.supply(stock: 5)
    #expect(supply.change(0, request: 1, by: 3) == .init(done: 3))
    #expect(supply.change(0, request: 1, by: 3) == .init(done: 3, isRepeated: true))
    #expect(supply.change(1, request: 1, by: 4) == .init(done: 2))
    #expect(supply.stock == [0] && supply.groups[1].refused == 2)
    // Nobody wants two of the three that are on their way; the next two stay where they are.
    #expect(supply.change(0, request: 2, by: -2) == .init(done: -2))
    #expect(supply.change(0, request: 2, by: -2) == .init(done: -2, isRepeated: true))
    #expect(supply.arrive(0) == nil && supply.arrive(0) == nil)
    #expect(supply.arrive(0) == 1 && supply.groups[0].given == 1)
    #expect(supply.stock == [2])
    // What has arrived is not called off any more.
    #expect(supply.change(0, request: 3, by: -1) == .init(done: 0))
    for _ in 0..<2 { supply.takeBack(1, of: 0) }
    #expect(supply.stock == [3] && supply.returnedCount == 1)
    var endless = Self.supply(stock: nil)
    #expect(endless.change(0, request: 1, by: 1000) == .init(done: 1000))
  }
}
