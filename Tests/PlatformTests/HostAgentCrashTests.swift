import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// HostAgents that crash: what they were at is done again, and their code is gone.
@Suite struct HostAgentCrashTests {
  /// A service that starts from nothing, with a download of ten seconds and an exact 2 s of
  /// runtime; when its instance is ready.
  private static func ready(
    at: Double?, lasts: Double = 5, cached: Bool = false, pools: Int = 4,
    fidelity: Fidelity = .request
  ) throws -> Double? {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = fidelity
    cluster.pools = (0..<3).map { TestWorld.pool(zone: $0, target: pools) }
    cluster.code.nodeCacheBytes = cached ? .max : 0
    cluster.code.zoneCacheBytes = 0
    cluster.code.node = .constant(0)
    cluster.code.origin = .constant(10)
    cluster.startComponents.agent = .constant(0)
    cluster.startComponents.publish = .constant(0)
    cluster.runtimes = [RuntimeConfiguration(name: "go", initialise: .constant(2))]
    var service = ServiceConfiguration(
      name: "late", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(keepAlive: .seconds(600), queueLimit: 10),
      serviceTime: .constant(0.01), initialInstances: [0]
    ) { _ in TestArrivals.times([20_000_000_000]) }
    service.router.startTimeout = .seconds(60)
    service.codeBytes = 10_000_000
    cluster.services = [service]
    if let at {
      cluster.faults = [
        FaultConfiguration(
          name: "agents", kind: .crashAgents((0..<8).map { NodeID($0) }),
          at: Instant(nanoseconds: Int64(at * 1e9)), restartAfter: Nanoseconds(seconds: lasts))
      ]
    }
    let (_, observer) = try TestWorld.run(cluster, until: .seconds(100))
    return observer.starts.first?.readyAt.seconds
  }

  /// A load that is under way begins again when the agent does; to the hop.
  @Test func aDownloadIsRepeated() throws {
    let calm = try #require(try Self.ready(at: nil))
    #expect(calm > 32 && calm < 32.1)
    let repeated = try #require(try Self.ready(at: 25))
    // From 30 s on: a download, a runtime, and the ways of a message to the cache and back.
    #expect(repeated > 42 && repeated < 42.1)
    // The runtime had begun: it begins again, with the download.
    let late = try #require(try Self.ready(at: 31, lasts: 10))
    #expect(late > 53 && late < 53.1)
    // When all is done a crash does no harm.
    #expect(try Self.ready(at: 40) == calm)
  }

  /// An agent that is away when it is asked is asked again.
  @Test func whoIsAwayIsAskedAgain() throws {
    let late = try #require(try Self.ready(at: 19, lasts: 10))
    #expect(late > 41 && late < 43.6)
  }

  /// The code that a node had is gone.
  @Test func theCacheIsEmptyAfterwards() throws {
    let cached = try #require(try Self.ready(at: nil, cached: true))
    #expect(cached < 22.1)
    let empty = try #require(try Self.ready(at: 10, cached: true))
    #expect(empty > 32 && empty < 32.1)
  }

  @Test(arguments: [Fidelity.request, .flow]) func everythingAddsUp(fidelity: Fidelity) throws {
    var cluster = TestWorld.cluster(services: 5, rate: 30)
    cluster.fidelity = fidelity
    cluster.gateways.callTimeout = nil
    for index in cluster.services.indices { cluster.services[index].initialInstances = [0, 0, 0] }
    cluster.faults = [
      FaultConfiguration(
        name: "agents", kind: .crashAgents((0..<12).map { NodeID($0) }), at: .milliseconds(200),
        restartAfter: .seconds(3)),
      FaultConfiguration(
        name: "again", kind: .crashAgents([NodeID(1), NodeID(9)]), at: .seconds(20),
        restartAfter: .seconds(30)),
      FaultConfiguration(
        name: "zone", kind: .loseZone(ZoneID(1)), at: .seconds(25), restartAfter: .seconds(10)),
    ]
    let whole = try TestWorld.run(cluster, until: .seconds(90)).simulation
    let trunk = ClusterSimulation(cluster, recorder: Observer())
    try trunk.run(until: .seconds(2))
    let fork = trunk.fork(recorder: Observer())
    try fork.run(until: .seconds(90))
    fork.finish()
    try fork.checkInvariants()
    #expect(fork.digest == whole.digest)
  }
}

extension Instant {
  fileprivate static func milliseconds(_ n: Int64) -> Instant {
    Instant(nanoseconds: n * 1_000_000)
  }
}
