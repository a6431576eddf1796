import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// Clocks of lease holders that are wrong: one owner a token is safe against a clock that is ahead
/// or fast, and is lost for as long as a clock is behind.
@Suite struct ClockFaultTests {
  private static func world(_ faults: [FaultConfiguration]) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 2, rate: 10)
    cluster.faults = faults
    return cluster
  }

  private static func clock(
    _ manager: Int, jump: Double = 0, rate: Double = 1, at: Int64 = 30, lasts: Int64? = nil
  ) -> FaultConfiguration {
    FaultConfiguration(
      name: "clock", kind: .clock(manager: manager, jump: Nanoseconds(seconds: jump), rate: rate),
      at: .seconds(at), restartAfter: lasts.map { .seconds($0) })
  }

  /// The owner of a shard, and the fault that cuts it off from etcd.
  private static func owner() -> (shard: Int, manager: Int) {
    (0, Topology(world([])).shardCandidates[0][0])
  }

  /// For how long two managers serve a shard, looked at every 50 ms; every check of the run on the
  /// way.
  private static func overlap(
    _ faults: [FaultConfiguration], until end: Int64 = 120
  ) throws -> Double {
    let simulation = ClusterSimulation(world(faults), recorder: Observer())
    var seconds = 0.0
    for step in 1...(end * 10) {
      try simulation.run(until: Instant(nanoseconds: step * 100_000_000))
      try simulation.checkInvariants()
      let shards = simulation.topology.shardCandidates.indices
      if shards.contains(where: { simulation.control.serving($0, at: simulation.now).count > 1 }) {
        seconds += 0.1
      }
    }
    return seconds
  }

  /// From where the owner stands nothing gets through to etcd, nor back.
  private static func cut(_ manager: Int) -> FaultConfiguration {
    FaultConfiguration(
      name: "cut", kind: .cut(.zone(ZoneID(manager % 3)), from: .controlPlane, isOneWay: false),
      at: .seconds(30), restartAfter: .seconds(60))
  }

  /// A clock that jumps ahead makes its owner stop too early, and another takes the token when the
  /// lease has run out: never two.
  @Test func aheadIsSafe() throws {
    let (shard, manager) = Self.owner()
    let simulation = ClusterSimulation(
      Self.world([Self.clock(manager, jump: 60)]), recorder: Observer())
    try simulation.run(until: .seconds(30) + .milliseconds(100))
    #expect(!simulation.control.serving(shard, at: simulation.now).contains(manager))
    try simulation.run(until: .seconds(60))
    #expect(simulation.control.serving(shard, at: simulation.now).count == 1)
    #expect(try Self.overlap([Self.clock(manager, jump: 60)]) == 0)
    #expect(try Self.overlap([Self.clock(manager, jump: 60), Self.cut(manager)]) == 0)
  }

  /// Cut off and 30 s behind, the old owner believes in its lease for 30 s longer, less its margin,
  /// and for as long as etcd's lease has been given to another there are two.
  @Test func behindIsWrongForAsLong() throws {
    let (_, manager) = Self.owner()
    #expect(try Self.overlap([Self.cut(manager)]) == 0)
    let wrong = try Self.overlap([Self.clock(manager, jump: -30), Self.cut(manager)])
    // Leases are looked at twice a second, and who is next reaches for the token by its rank.
    #expect(wrong > 26 && wrong < 30, "\(wrong) s")
    // Within the margin of half a second nothing happens.
    #expect(try Self.overlap([Self.clock(manager, jump: -0.45), Self.cut(manager)]) == 0)
  }

  /// With etcd in reach the owner hears that its token has gone to another.
  @Test func whoHearsStops() throws {
    let (_, manager) = Self.owner()
    let wrong = try Self.overlap([Self.clock(manager, jump: -30)])
    #expect(wrong <= 0.1)
  }

  /// A slow clock is behind by and by: at half its rate a lease of ten seconds lasts for twenty. A
  /// fast one is ahead.
  @Test func driftIsAJumpByAndBy() throws {
    let (_, manager) = Self.owner()
    let slow = try Self.overlap([
      Self.clock(manager, rate: 0.5, at: 20, lasts: 80), Self.cut(manager),
    ])
    #expect(slow > 4 && slow < 10, "\(slow) s")
    let fast = try Self.overlap([
      Self.clock(manager, rate: 2, at: 20, lasts: 80), Self.cut(manager),
    ])
    #expect(fast == 0)
  }

  /// Any jumps ahead of any managers, with crashes: one owner a token at every look.
  @Test(arguments: 0..<8) func aheadIsSafeHoweverOften(seed: UInt64) throws {
    var bits = StreamKey(seed: seed, replication: 0, name: "jumps").sequence()
    var faults: [FaultConfiguration] = []
    for _ in 0..<6 {
      faults.append(
        Self.clock(
          Int(bits.integer(below: 3)), jump: Double(bits.integer(below: 400)) / 10,
          at: 5 + Int64(bits.integer(below: 80))))
    }
    faults.append(
      FaultConfiguration(
        name: "crash", kind: .crashWorkerManager(Int(bits.integer(below: 3))),
        at: .seconds(40), restartAfter: .seconds(12)))
    #expect(try Self.overlap(faults) == 0)
  }

  @Test func aForkGoesOnAsTheWhole() throws {
    let cluster = Self.world([
      Self.clock(0, jump: -12, rate: 0.9, at: 20, lasts: 30), Self.clock(1, jump: 40, at: 35),
    ])
    let whole = try TestWorld.run(cluster, until: .seconds(90)).simulation
    for instant: Int64 in [10, 27, 40] {
      let trunk = ClusterSimulation(cluster, recorder: Observer())
      try trunk.run(until: .seconds(instant))
      let fork = trunk.fork(recorder: Observer())
      try fork.run(until: .seconds(90))
      fork.finish()
      #expect(fork.digest == whole.digest)
    }
  }

  // MARK: The clock alone

  @Test(arguments: [0.5, 0.9, 1, 1.1, 7]) func anAlarmIsNotEarly(rate: Double) {
    var clock = LocalClock(offset: .seconds(12345))
    clock.set(jump: .seconds(-3), rate: rate, at: .seconds(100))
    for step in 1...1000 {
      let wanted = clock.local(.seconds(100)) + Nanoseconds(Int64(step) * 7_654_321)
      let instant = clock.world(wanted)
      #expect(clock.local(instant) >= wanted)
      #expect(clock.local(instant - Nanoseconds(20)) < wanted)
    }
  }
}
