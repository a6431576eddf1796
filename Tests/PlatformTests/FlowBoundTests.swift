import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Lanes that take in no more than so many, at both fidelities: levels that are never exceeded, and
/// what is refused and waited for, beside closed forms.
@Suite struct FlowBoundTests {
  private static let lane = LaneID(0)

  private struct Found {
    var counters = LaneCounters()
    /// The most that was under way, and that waited, at any tenth of a second.
    var mostHeld = 0
    var mostWaiting = 0
    var meanLatency = 0.0
  }

  private static func run(_ cluster: ClusterConfiguration, seconds: Int64) throws -> Found {
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    var found = Found()
    for tenth in 1...(10 * seconds) {
      try simulation.run(until: Instant(nanoseconds: tenth * 100_000_000))
      let gauges = simulation.lane(lane).gauges
      found.mostHeld = max(found.mostHeld, gauges.inFlight + gauges.waiting)
      found.mostWaiting = max(found.mostWaiting, gauges.waiting)
    }
    simulation.finish()
    try simulation.checkInvariants()
    #expect(simulation.form(of: lane).fidelity == cluster.fidelity)
    found.counters = simulation.lane(lane).counters
    found.meanLatency = observer.mean(.latency)
    return found
  }

  /// Sixteen slots for 100 ms each.
  private static func station(
    _ fidelity: Fidelity, rate: Double, service: Distribution = .exponential(mean: 0.1),
    seed: UInt64 = 1
  ) -> ClusterConfiguration {
    FlowWorld.station(16, rate: rate, service: service, seed: seed, fidelity: fidelity)
  }

  // MARK: A limit on concurrency

  /// As many may be under way as there are slots: nobody waits, and as many are lost as Erlang's B
  /// says, for any service time.
  @Test(
    arguments: [Fidelity.request, .flow],
    [Distribution.exponential(mean: 0.1), .constant(0.1), .lognormal(median: 0.0825, sigma: 0.62)])
  func theLimitIsKept(fidelity: Fidelity, service: Distribution) throws {
    var cluster = Self.station(fidelity, rate: 300, service: service)
    cluster.services[0].limits = LimitTests.concurrency(16)
    let found = try Self.run(cluster, seconds: 200)
    #expect(found.mostHeld <= 16 && found.mostWaiting == 0)
    let load = 300 * service.mean
    let lost = Double(found.counters.limitedByConcurrency) / Double(found.counters.arrivals)
    let law = CongestionLaw.erlangB(16, load: load)
    #expect(abs(lost - law) < 0.01, "\(lost), by law \(law)")
    #expect(abs(found.meanLatency / service.mean - 1) < 0.02, "\(found.meanLatency)")
    #expect(found.counters.refused == found.counters.limitedByConcurrency)
  }

  /// Some may wait: M/M/c/K, whose mean wait follows from Little's law.
  @Test(arguments: [Fidelity.request, .flow], [(20, 150.0), (20, 300), (50, 160), (50, 300)])
  func someWaitWithinTheLimit(fidelity: Fidelity, given: (Int, Double)) throws {
    let (most, rate) = given
    var cluster = Self.station(fidelity, rate: rate)
    cluster.services[0].limits = LimitTests.concurrency(most)
    let found = try Self.run(cluster, seconds: 400)
    #expect(found.mostHeld <= most)
    let law = Self.full(load: rate * 0.1, slots: 16, most: most)
    let lost = Double(found.counters.limitedByConcurrency) / Double(found.counters.arrivals)
    #expect(abs(lost - law.lost) < max(0.01, 0.07 * law.lost), "\(lost), by law \(law.lost)")
    let wait = law.waiting / (rate * (1 - law.lost))
    #expect(
      abs(found.meanLatency - 0.1 - wait) < 0.05 * (0.1 + wait),
      "\(found.meanLatency), by law \(0.1 + wait)")
  }

  /// The share that finds a birth and death process full, and the mean number that waits.
  private static func full(
    load: Double, slots: Int, most: Int
  ) -> (lost: Double, waiting: Double) {
    var (weight, sum, waiting) = (1.0, 1.0, 0.0)
    for count in 1...most {
      weight *= load / Double(min(count, slots))
      sum += weight
      waiting += weight * Double(max(0, count - slots))
    }
    return (weight / sum, waiting / sum)
  }

  /// Service times that vary less than exponential ones fill the room less often, which no law says
  /// in closed form: beside single requests.
  @Test(arguments: [(20, 150.0), (50, 160)])
  func lessVariedTimesRefuseLess(most: Int, rate: Double) throws {
    var found: [Found] = []
    for fidelity in [Fidelity.request, .flow] {
      var cluster = Self.station(
        fidelity, rate: rate, service: .lognormal(median: 0.088, sigma: 0.5))
      cluster.services[0].limits = LimitTests.concurrency(most)
      found.append(try Self.run(cluster, seconds: 1000))
    }
    let refused = found.map { Double($0.counters.limitedByConcurrency) }
    let arrivals = Double(found[0].counters.arrivals)
    #expect(
      abs(refused[0] - refused[1]) < max(0.07 * refused[0], 0.01 * arrivals), "\(refused)")
    let ratio = found[1].meanLatency / found[0].meanLatency
    #expect(abs(ratio - 1) < 0.05, "\(ratio)")
  }

  // MARK: The queue's limit

  /// 160 a second of slots, 300 come: all slots are busy, no more wait than may, and who is let in
  /// waits for those before him.
  @Test(arguments: [Fidelity.request, .flow], [0, 20, 100, 1000])
  func theQueueIsNoLongerThanItsLimit(fidelity: Fidelity, limit: Int) throws {
    var cluster = Self.station(fidelity, rate: 300)
    cluster.services[0].router.queueLimit = limit
    let found = try Self.run(cluster, seconds: 200)
    #expect(found.mostWaiting <= limit && found.mostHeld <= 16 + limit)
    #expect(limit == 0 || found.mostWaiting > limit * 9 / 10)
    #expect(found.counters.refused == found.counters.refusedQueueFull)
    let law = Self.full(load: 30, slots: 16, most: 16 + limit)
    // It takes a while until a long queue is there.
    let refused = Double(found.counters.refused) + Double(limit)
    #expect(
      abs(refused / Double(found.counters.arrivals) - law.lost) < 0.01, "\(found.counters.refused)")
    guard limit < 1000 else { return }
    let wait = law.waiting / (300 * (1 - law.lost))
    #expect(
      abs(found.meanLatency - 0.1 - wait) < 0.04 * (0.1 + wait),
      "\(found.meanLatency), by law \(0.1 + wait)")
  }

  /// A long queue and hardly more than slots can do: it is there at times, and refuses little.
  @Test func aQueueThatFillsAtTimes() throws {
    var means: [(refused: Double, latency: Double)] = []
    for fidelity in [Fidelity.request, .flow] {
      var sum = (refused: 0.0, latency: 0.0)
      for seed in UInt64(1)...6 {
        var cluster = Self.station(fidelity, rate: 158, seed: seed)
        cluster.services[0].router.queueLimit = 100
        let found = try Self.run(cluster, seconds: 500)
        #expect(found.mostWaiting <= 100)
        sum.refused += Double(found.counters.refused) / Double(found.counters.arrivals) / 6
        sum.latency += found.meanLatency / 6
      }
      means.append(sum)
    }
    #expect(abs(means[0].refused - means[1].refused) < 0.002, "\(means)")
    #expect(abs(means[1].latency / means[0].latency - 1) < 0.1, "\(means)")
  }

  /// Without instances, and none to be asked for, nobody is let in beyond the queue.
  @Test(arguments: [Fidelity.request, .flow]) func withoutInstancesTheQueueFills(
    fidelity: Fidelity
  ) throws {
    var cluster = Self.station(fidelity, rate: 20)
    cluster.services[0].initialInstances = [0]
    cluster.services[0].router.minimumInstances = 0
    cluster.services[0].router.queueLimit = 7
    cluster.services[0].router.waitLimit = .seconds(3600)
    let found = try Self.run(cluster, seconds: 30)
    #expect(found.mostWaiting >= 7)
    #expect(found.counters.completed == 0)
    // Until the first answer about the route nobody knows that there is nobody.
    let last = Int(found.counters.arrivals) - Int(found.counters.refused)
    #expect(last >= 7 && last < 40, "\(last)")
  }

  // MARK: A queue with a limit whose requests give up

  /// One slot does 10 of 50 requests a second, a thousand wait, for a minute at most: who gives up
  /// in the end has kept a place in the line from others until then.
  @Test func whoGivesUpHasKeptAPlace() throws {
    func run(_ fidelity: Fidelity) throws -> Found {
      var cluster = FlowWorld.station(
        1, rate: 50, service: .exponential(mean: 0.1), seed: 2, fidelity: fidelity)
      cluster.services[0].router.queueLimit = 1000
      cluster.services[0].router.waitLimit = .seconds(60)
      return try Self.run(cluster, seconds: 1800)
    }
    let (request, flow) = (try run(.request), try run(.flow))
    for found in [request, flow] { #expect(found.mostWaiting <= 1001, "\(found.mostWaiting)") }
    let (refused, given) = (Double(request.counters.refused), Double(request.counters.timedOut))
    #expect(refused > 30_000 && given > 5000, "\(refused), \(given)")
    #expect(abs(Double(flow.counters.refused) - refused) < 0.05 * refused, "\(flow.counters)")
    #expect(abs(Double(flow.counters.timedOut) - given) < 0.15 * given, "\(flow.counters)")
  }
}
