import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing

/// Whatever must not matter does not: the queue, hops as events, a fork on the way, rows of the
/// series.
@Suite struct OrderTests {
  @Test(arguments: [ClusterConfiguration.Contention.epoch, .exact])
  func bothQueuesGiveTheSameDigest(contention: ClusterConfiguration.Contention) throws {
    var cluster = TestWorld.cluster()
    cluster.contention = contention
    cluster.queue = .ladder
    let ladder = try TestWorld.run(cluster, until: .seconds(60))
    cluster.queue = .heap
    let heap = try TestWorld.run(cluster, until: .seconds(60))
    #expect(ladder.simulation.digest == heap.simulation.digest)
    #expect(ladder.simulation.work.executed > 40_000)
  }

  @Test func theSeedMatters() throws {
    var cluster = TestWorld.cluster()
    let first = try TestWorld.run(cluster, until: .seconds(20))
    cluster.seed = 2
    let second = try TestWorld.run(cluster, until: .seconds(20))
    #expect(first.simulation.digest != second.simulation.digest)
  }

  /// The short form of the warm path and the one with an event a hop: same times, same outcomes.
  @Test func hopByHopIsTheSame() throws {
    var cluster = TestWorld.cluster()
    let short = try TestWorld.run(cluster, until: .seconds(60))
    cluster.hopByHop = true
    let long = try TestWorld.run(cluster, until: .seconds(60))
    for measure in LatencyMeasure.allCases {
      #expect(short.observer.values[measure] == long.observer.values[measure])
    }
    #expect(short.simulation.digest == long.simulation.digest)
    #expect(long.simulation.work.executed > short.simulation.work.executed * 3 / 2)
  }

  @Test(arguments: [ClusterConfiguration.Contention.epoch, .exact])
  func aForkContinuesAsTheWhole(contention: ClusterConfiguration.Contention) throws {
    var cluster = TestWorld.cluster()
    cluster.contention = contention
    cluster.faults = [
      FaultConfiguration(
        name: "crash", kind: .crashWorkerManager(0), at: .seconds(25),
        restartAfter: .seconds(20))
    ]
    let whole = try TestWorld.run(cluster, until: .seconds(60))

    let trunk = ClusterSimulation(cluster, recorder: Observer())
    try trunk.run(until: .seconds(30))
    let before = trunk.work.executed
    let fork = trunk.fork(recorder: Observer())
    #expect(fork.work.executed == before, "a fork executes nothing to come about")
    try fork.run(until: .seconds(60))
    fork.finish()
    #expect(fork.digest == whole.simulation.digest)
    #expect(fork.work.executed == whole.simulation.work.executed)

    // The trunk is not disturbed by what the fork did.
    try trunk.run(until: .seconds(60))
    trunk.finish()
    #expect(trunk.digest == whole.simulation.digest)
  }

  @Test func rowsOfTheSeriesChangeNothing() throws {
    var cluster = TestWorld.cluster()
    let coarse = try TestWorld.run(cluster, until: .seconds(40))
    cluster.seriesInterval = .seconds(1)
    let fine = try TestWorld.run(cluster, until: .seconds(40))
    #expect(coarse.simulation.digest == fine.simulation.digest)
  }

  /// What lanes do apart from one another they do alike in both orders, but for the grid.
  @Test func bothOrdersAgree() throws {
    var cluster = TestWorld.cluster()
    for index in cluster.services.indices { cluster.services[index].cpuFraction = 0 }
    cluster.gateways.handling = .zero
    let epochs = try TestWorld.run(cluster, until: .seconds(60))
    cluster.contention = .exact
    let exact = try TestWorld.run(cluster, until: .seconds(60))
    #expect(epochs.observer.values[.latency]?.sorted() == exact.observer.values[.latency]?.sorted())
  }
}
