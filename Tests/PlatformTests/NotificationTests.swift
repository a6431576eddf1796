import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing

/// Invocations that a store's notifications make: late, twice, and made again.
@Suite struct NotificationTests {
  static func cluster(
    service: Distribution = .constant(0.1), delay: Distribution = .constant(0.5),
    duplicates: Double = 0, retries: Int = 0, backoff: Nanoseconds = .seconds(1),
    arrivals: TestArrivals
  ) -> ClusterConfiguration {
    var cluster = QueueTheoryTests.station(
      2000, rate: 1, service: service, queueLimit: .max / 4, seed: 1)
    cluster.services[0].notifications = NotificationConfiguration(
      delay: delay, duplicates: duplicates, retries: retries, backoff: backoff)
    cluster.services[0].arrivals = { _ in arrivals }
    return cluster
  }

  private static func counters(_ run: (simulation: ClusterSimulation, observer: Observer))
    -> LaneCounters
  {
    run.simulation.lane(LaneID(0)).counters
  }

  @Test func latencyBeginsInTheStore() throws {
    let run = try TestWorld.run(
      Self.cluster(arrivals: .poisson(100, seed: 3, until: .seconds(100))), until: .seconds(110))
    let all = run.observer.values[.latency] ?? []
    #expect(all.count == Int(Self.counters(run).arrivals) && all.count > 9000)
    #expect(all.allSatisfy { $0 == 600_000_000 })
    #expect(run.observer.values[.wait] == nil)
  }

  /// Of a share p of the events both notifications are answered; the first answer counts, so that
  /// with exponential delays of mean 1 the mean latency is that of the service and 1 - p / 2.
  @Test func someNotificationsComeTwice() throws {
    let share = 0.2
    let run = try TestWorld.run(
      Self.cluster(
        delay: .exponential(mean: 1), duplicates: share,
        arrivals: .poisson(100, seed: 3, until: .seconds(1000))), until: .seconds(1100))
    let counters = Self.counters(run)
    let n = Double(counters.arrivals)
    #expect(counters.completed == counters.arrivals && counters.redelivered == 0)
    let spread = (share * (1 - share) * n).squareRoot()
    #expect(abs(Double(counters.repeated) - share * n) < 4 * spread)
    // Variance: E[X²] = 2 (1 - p) + p / 2.
    let mean = 1 - share / 2
    let deviation = (2 - 1.5 * share - mean * mean).squareRoot()
    #expect(abs(run.observer.mean(.latency) - 0.1 - mean) < 4 * deviation / n.squareRoot())
  }

  /// An attempt runs into its time-out with probability q = 1/e: q + q² repetitions an event with
  /// two of them, and q³ of the events are lost. Each attempt has a service time of its own.
  @Test(arguments: [ClusterConfiguration.Contention.exact, .epoch])
  func failuresAreMadeAgain(contention: ClusterConfiguration.Contention) throws {
    var cluster = Self.cluster(
      service: .exponential(mean: 0.2), retries: 2,
      arrivals: .poisson(100, seed: 3, until: .seconds(1000)))
    cluster.contention = contention
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    // Less the way there and back.
    cluster.gateways.callTimeout = .microseconds(200_500)
    let run = try TestWorld.run(cluster, until: .seconds(1100))
    let counters = Self.counters(run)
    let n = Double(counters.arrivals)
    let q = 0.36787944117144233
    #expect(counters.completed + counters.timedOut == counters.arrivals)
    let lost = q * q * q
    #expect(abs(Double(counters.timedOut) - lost * n) < 4 * (lost * (1 - lost) * n).squareRoot())
    // Repetitions of an event: 0, 1 or 2 with 1 - q, q - q², q².
    let mean = q + q * q
    let variance = q - q * q + 4 * q * q - mean * mean
    #expect(abs(Double(counters.redelivered) - mean * n) < 4 * (variance * n).squareRoot())
  }

  /// Repetitions come after b, then 2 b, each counted from the failure before it.
  @Test func backOffDoubles() throws {
    var cluster = Self.cluster(
      service: .constant(10), delay: .constant(0), retries: 2, backoff: .seconds(8),
      arrivals: .times([0]))
    cluster.gateways.callTimeout = .seconds(1)
    let end = Instant.seconds(1 + 8 + 1 + 16 + 1)
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    var before: [(at: Double, redelivered: UInt64, waiting: Int, inFlight: Int)] = []
    for at in [0.5, 1.5, 9.5, 10.5, 26.5] {
      try simulation.run(until: Instant(nanoseconds: Int64(at * 1e9)))
      try simulation.checkInvariants()
      let lane = simulation.lane(LaneID(0))
      before.append((at, lane.counters.redelivered, lane.gauges.waiting, lane.gauges.inFlight))
      #expect(lane.counters.timedOut == 0)
    }
    #expect(before.map(\.redelivered) == [0, 1, 1, 2, 2])
    #expect(before.map(\.waiting) == [0, 1, 0, 1, 0])
    #expect(before.map(\.inFlight) == [1, 0, 1, 0, 1])
    try simulation.run(until: end + .milliseconds(100))
    #expect(simulation.lane(LaneID(0)).counters.timedOut == 1)
    try simulation.checkInvariants()
  }

  /// What a gateway refuses is made again too, and in the end refused for good.
  @Test func refusalsAreMadeAgain() throws {
    var cluster = Self.cluster(
      delay: .constant(0), retries: 1, arrivals: .times([0, 0, 0]))
    cluster.services[0].router.maximumInstances = 1
    cluster.services[0].router.queueLimit = 0
    cluster.services[0].initialInstances = [1]
    let run = try TestWorld.run(cluster, until: .seconds(10))
    let counters = Self.counters(run)
    // One begins at once; of the two others one begins a second later.
    #expect(counters.completed == 2 && counters.refused == 1 && counters.redelivered == 2)
    #expect((run.observer.values[.latency] ?? []).sorted() == [100_000_000, 1_100_000_000])
  }

  @Test(arguments: [ClusterConfiguration.Contention.exact, .epoch])
  func aForkGoesOnAsTheWhole(contention: ClusterConfiguration.Contention) throws {
    var cluster = Self.cluster(
      service: .exponential(mean: 0.2), delay: .exponential(mean: 1), duplicates: 0.3, retries: 3,
      arrivals: .poisson(50, seed: 3))
    cluster.contention = contention
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.network.loss = 0.02
    cluster.gateways.callTimeout = .milliseconds(500)
    let whole = try TestWorld.run(cluster, until: .seconds(100))
    let trunk = ClusterSimulation(cluster, recorder: Observer())
    try trunk.run(until: .seconds(50))
    let fork = trunk.fork(recorder: Observer())
    try fork.run(until: .seconds(100))
    fork.finish()
    try fork.checkInvariants()
    #expect(fork.digest == whole.simulation.digest)
    let counters = Self.counters(whole)
    #expect(counters.repeated > 0 && counters.redelivered > 0)
  }

  /// Flow has no form for it, and says so.
  @Test func flowKeepsSuchLanesAsRequests() {
    var cluster = Self.cluster(arrivals: .poisson(10, seed: 3))
    cluster.contention = .epoch
    cluster.fidelity = .flow
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    #expect(simulation.form(of: LaneID(0)).reason == .notifications)
  }
}
