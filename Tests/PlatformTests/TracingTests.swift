import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Keeps what is watched, each kind in the order of telling.
final class Watcher: TraceRecorder {
  var arrivals: [TracedArrival] = []
  var attempts: [TracedAttempt] = []
  var calls: [TracedCall] = []
  var ends: [TracedEnd] = []
  var messages: [TracedMessage] = []
  var decisions: [TracedDecision] = []

  func arrived(_ arrival: TracedArrival) { arrivals.append(arrival) }
  func attempted(_ attempt: TracedAttempt) { attempts.append(attempt) }
  func called(_ call: TracedCall) { calls.append(call) }
  func ended(_ end: TracedEnd) { ends.append(end) }
  func sent(_ message: TracedMessage) { messages.append(message) }
  func decided(_ decision: TracedDecision) { decisions.append(decision) }
}

/// What is watched is what happens, and watching changes nothing of it.
@Suite struct TracingTests {
  private static func watch(_ simulation: ClusterSimulation, into watcher: Watcher) {
    simulation.watchControl(into: watcher)
    simulation.watch((0..<simulation.laneCount).map { LaneID($0) }, into: watcher, candidates: 3)
  }

  /// One instance, two requests at once: the first is called at once and answered after two hops
  /// and its service, the second waits for it.
  @Test func aCallTakesItsHopsAndItsService() throws {
    var cluster = TestWorld.bare()
    cluster.network.sameZone = .microseconds(250)
    cluster.services = [
      ServiceConfiguration(
        name: "one", runtime: 0, shape: 0, zones: [ZoneID(0)],
        router: TestWorld.rules(queueLimit: 10, start: .never), serviceTime: .constant(0.01),
        initialInstances: [1]
      ) { _ in TestArrivals.times([1_000_000_000, 1_000_000_000]) }
    ]
    let (observer, watcher) = (Observer(), Watcher())
    let simulation = ClusterSimulation(cluster, recorder: observer)
    Self.watch(simulation, into: watcher)
    try simulation.run(until: .seconds(2))
    simulation.finish()
    #expect(watcher.arrivals.map(\.identity) == [0, 1])
    let gateways = watcher.arrivals.compactMap(\.gateway)
    #expect(gateways.map(\.route) == [.fresh, .fresh])
    #expect(gateways.map { $0.candidates.map(\.inFlight) } == [[0], [1]])
    #expect(watcher.calls.map(\.at.nanoseconds) == [1_000_000_000, 1_010_500_000])
    #expect(watcher.calls.map(\.waited) == [false, true])
    #expect(watcher.calls.allSatisfy { $0.service == .milliseconds(10) && !$0.isCold })
    #expect(watcher.calls.allSatisfy { $0.hop == .microseconds(250) && $0.handling == .zero })
    #expect(watcher.ends.map(\.at.nanoseconds) == [1_010_500_000, 1_021_000_000])
    #expect(watcher.ends.allSatisfy { $0.outcome == .completed })
    #expect(observer.values[.latency] == [10_500_000, 21_000_000])
  }

  /// Watching from the beginning, or from the middle, changes neither digest nor counts; what is
  /// watched from the beginning is all there was, to the nanosecond. A fork is not watched.
  @Test(arguments: [0, 20]) func watchingChangesNothing(from second: Int64) throws {
    let plain = try TestWorld.run(TestWorld.cluster(), until: .seconds(60))
    let (observer, watcher) = (Observer(), Watcher())
    let simulation = ClusterSimulation(TestWorld.cluster(), recorder: observer)
    try simulation.run(until: .seconds(second))
    Self.watch(simulation, into: watcher)
    try simulation.run(until: .seconds(40))
    let fork = simulation.fork(recorder: Observer())
    let before = watcher.arrivals.count
    try fork.run(until: .seconds(60))
    #expect(watcher.arrivals.count == before && before > 0)
    #expect(fork.digest == plain.simulation.digest)
    try simulation.run(until: .seconds(60))
    simulation.finish()
    try simulation.checkInvariants()
    #expect(simulation.digest == plain.simulation.digest)
    #expect(!watcher.messages.isEmpty && !watcher.decisions.isEmpty)
    for lane in 0..<simulation.laneCount {
      let (a, b) = (simulation.lane(LaneID(lane)), plain.simulation.lane(LaneID(lane)))
      #expect(a.counters == b.counters && a.gauges == b.gauges)
    }
    guard second == 0 else { return }
    let began = Dictionary(
      uniqueKeysWithValues: watcher.arrivals.map { ([UInt64($0.lane.raw), $0.identity], $0.at) })
    let latencies = try watcher.ends.filter { $0.outcome == .completed }.map { end in
      (end.at - (try #require(began[[UInt64(end.lane.raw), end.identity]]))).count
    }
    #expect(latencies.sorted() == observer.values[.latency]?.sorted())
    #expect(
      UInt64(watcher.arrivals.count)
        == (0..<simulation.laneCount).reduce(0) {
          $0 + simulation.lane(LaneID($1)).counters.arrivals
        })
  }

  /// What a zone's loss ends is told too, and each request ends once: as many of each kind as are
  /// counted.
  @Test func requestsEndAsTheyAreCounted() throws {
    var cluster = TestWorld.cluster(services: 2, rate: 60)
    cluster.network.loss = 0.01
    cluster.gateways.callTimeout = .milliseconds(200)
    cluster.faults = [
      FaultConfiguration(
        name: "loss", kind: .loseZone(ZoneID(1)), at: .seconds(20), restartAfter: .seconds(10))
    ]
    let watcher = Watcher()
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    Self.watch(simulation, into: watcher)
    try simulation.run(until: .seconds(60))
    simulation.finish()
    var sum = LaneCounters()
    var left = 0
    for lane in 0..<simulation.laneCount {
      sum.add(simulation.lane(LaneID(lane)).counters)
      let gauges = simulation.lane(LaneID(lane)).gauges
      left += gauges.waiting + gauges.inFlight
    }
    func count(_ outcomes: TracedEnd.Outcome...) -> UInt64 {
      UInt64(watcher.ends.count { outcomes.contains($0.outcome) })
    }
    #expect(count(.completed) == sum.completed)
    #expect(count(.lost) == sum.lost && sum.lost > 0)
    #expect(count(.unreachable) == sum.unreachable && sum.unreachable > 0)
    #expect(count(.callTimedOut, .waitedTooLong) == sum.timedOut && count(.callTimedOut) > 0)
    #expect(count(.queueFull) == sum.refusedQueueFull)
    #expect(count(.noCapacity) == sum.refusedNoCapacity)
    #expect(watcher.arrivals.count == watcher.ends.count + left)
    #expect(watcher.messages.contains { $0.arrivesAt == nil })
  }
}
