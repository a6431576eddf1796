import ControlPlane
import Primitives
import Testing

/// Shares of a central limit, and messages that are lost, late and out of order.
@Suite struct QuotaTests {
  private func amount(_ perSecond: Double) -> QuotaAmount { QuotaAmount(perSecond: perSecond) }

  private func server(
    _ capacity: Double, _ algorithm: QuotaAlgorithm = .waterFilling, learning: Nanoseconds = .zero
  ) -> QuotaServer {
    var rules = QuotaServer.Rules()
    rules.algorithm = algorithm
    rules.learningTime = learning
    return QuotaServer(capacity: amount(capacity), rules, at: .origin)
  }

  // MARK: Shares

  /// Max-min fairness by another way: raise all levels together in small steps.
  private func oracle(_ wants: [Double], _ subclients: [Int64], _ capacity: Double) -> [Double] {
    var shares = wants.map { _ in 0.0 }
    var left = capacity
    var open = wants.indices.filter { wants[$0] > 0 }
    while !open.isEmpty, left > 1e-9 {
      let weight = open.reduce(0.0) { $0 + Double(subclients[$1]) }
      let step = open.map { (wants[$0] - shares[$0]) / Double(subclients[$0]) }.min() ?? 0
      let rise = min(step, left / weight)
      for index in open { shares[index] += rise * Double(subclients[index]) }
      left -= rise * weight
      open.removeAll { wants[$0] - shares[$0] <= 1e-9 }
    }
    return shares
  }

  /// Everybody asks until nothing changes; each question knows the answer before.
  private func settle(
    _ server: inout QuotaServer, _ wants: [Double], _ subclients: [Int64], rounds: Int = 4
  ) -> [Double] {
    var grants = wants.map { _ in UInt64(0) }
    var found = wants.map { _ in 0.0 }
    for round in 0..<rounds {
      for consumer in wants.indices {
        let grant = server.answer(
          QuotaAsk(
            consumer: consumer, question: UInt64(round + 1), grant: grants[consumer],
            has: amount(found[consumer]), wants: amount(wants[consumer]),
            subclients: subclients[consumer]), at: .seconds(Int64(round)))
        grants[consumer] = grant?.grant ?? 0
        found[consumer] = grant?.amount.perSecond ?? -1
      }
    }
    return found
  }

  @Test func waterFillingIsMaxMinFairAndWastesNothing() {
    var bits = Xoshiro256PlusPlus(seed: 41)
    var tight = 0
    for _ in 0..<500 {
      let count = 1 + Int(bits.integer(below: 8))
      let wants = (0..<count).map { _ in Double(bits.integer(below: 200)) }
      let subclients = (0..<count).map { _ in 1 + Int64(bits.integer(below: 4)) }
      let capacity = Double(bits.integer(below: 600))
      var server = server(capacity)
      let found = settle(&server, wants, subclients)
      let expected = oracle(wants, subclients, capacity)
      for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 1e-4) }
      let all = wants.reduce(0, +)
      #expect(abs(found.reduce(0, +) - min(all, capacity)) < 1e-4)
      if all > capacity { tight += 1 }
    }
    #expect(tight > 100)
  }

  /// Doorman's two rounds are max-min fairness where two rounds are enough, and never more than the
  /// capacity; its proportional shares waste nothing.
  @Test func doormansSharesAgainstTheSame() {
    var bits = Xoshiro256PlusPlus(seed: 42)
    var exact = 0
    for _ in 0..<400 {
      let wants = (0..<4).map { _ in 1 + Double(bits.integer(below: 200)) }
      let subclients = Array(repeating: Int64(1), count: 4)
      let capacity = 50 + Double(bits.integer(below: 400))
      let expected = oracle(wants, subclients, capacity)
      var fair = server(capacity, .fairShare)
      let found = settle(&fair, wants, subclients, rounds: 6)
      #expect(found.reduce(0, +) <= capacity + 1e-6)
      for (consumer, share) in found.enumerated() {
        #expect(share >= min(wants[consumer], capacity / 4) - 1e-4, "an equal share at least")
      }
      if zip(found, expected).allSatisfy({ abs($0 - $1) < 1e-4 }) { exact += 1 }
      var proportional = server(capacity, .proportionalShare)
      let shares = settle(&proportional, wants, subclients, rounds: 6)
      #expect(abs(shares.reduce(0, +) - min(capacity, wants.reduce(0, +))) < 1e-4)
    }
    #expect(exact > 300, "\(exact)")
  }

  @Test func aSmallerCapacityIsReachedWithinALease() {
    var server = server(100)
    let found = settle(&server, [100, 100], [1, 1])
    #expect(found == [50, 50])
    server.change(capacity: amount(40))
    #expect(server.reserved == amount(100), "what is granted cannot be taken back")
    let again = settle(&server, [100, 100], [1, 1])
    #expect(again == [50, 50], "questions that were answered are answered in the same way")
    for question in UInt64(11)...13 {
      for consumer in 0..<2 {
        // They do not say that they know: nothing is free before the old leases are over.
        let grant = server.answer(
          QuotaAsk(
            consumer: consumer, question: question, has: .zero, wants: amount(100)),
          at: .seconds(3))
        #expect(grant?.amount ?? .zero <= amount(20))
      }
    }
    #expect(server.reserved == amount(100))
    _ = server.answer(
      QuotaAsk(consumer: 9, question: 1, has: .zero, wants: .zero), at: .seconds(60))
    #expect(server.reserved == .zero && server.count == 1)
  }

  @Test func aNewServerLearnsBeforeItDecides() {
    var server = server(100, learning: .seconds(20))
    func ask(_ consumer: Int, _ question: UInt64, has: Double, at seconds: Int64) -> Double {
      server.answer(
        QuotaAsk(
          consumer: consumer, question: question, has: amount(has), wants: amount(100)),
        at: .seconds(seconds))?.amount.perSecond ?? -1
    }
    #expect(ask(0, 1, has: 70, at: 1) == 70, "what it says that it has")
    #expect(ask(1, 1, has: 0, at: 2) == 0)
    #expect(ask(1, 2, has: 0, at: 20) == 30, "what is left")
    #expect(ask(1, 2, has: 0, at: 20) == 30, "a repetition")
    #expect(ask(1, 1, has: 0, at: 20) == -1, "an old question")
  }

  // MARK: Messages

  /// Consumers with clocks of their own, and a network that delays, repeats and loses.
  private struct World {
    struct Log: QuotaClientEffects {
      var asks: [QuotaAsk] = []
      var alarm = Instant.distantFuture
      mutating func ask(_ ask: QuotaAsk) { asks.append(ask) }
      mutating func limit(_ amount: QuotaAmount) {}
      mutating func wakeQuotaClient(at instant: Instant) { alarm = instant }
    }

    var server: QuotaServer
    var clients: [QuotaClient]
    var logs: [Log]
    /// What a consumer's clock shows more than the true time.
    var offsets: [Nanoseconds]
    var serverOffset = Nanoseconds.zero
    var bits: Xoshiro256PlusPlus
    var toServer: [(at: Int64, ask: QuotaAsk)] = []
    var toClient: [(at: Int64, consumer: Int, grant: QuotaGrant)] = []
    var lossPercent = 20
    var isCut = false
    var mostDelay: UInt64 = 8

    init(_ server: QuotaServer, consumers: Int, seed: UInt64) {
      self.server = server
      bits = Xoshiro256PlusPlus(seed: seed)
      clients = (0..<consumers).map { QuotaClient(consumer: $0, at: .origin) }
      logs = clients.map { _ in Log() }
      offsets = clients.map { _ in .zero }
    }

    func clock(_ consumer: Int, _ second: Int64) -> Instant {
      .seconds(second) + offsets[consumer]
    }

    mutating func send(_ consumer: Int, _ second: Int64) {
      for ask in logs[consumer].asks where !isCut && !isLost() {
        toServer.append((second + delay(), ask))
        if bits.integer(below: 5) == 0 { toServer.append((second + delay(), ask)) }
      }
      logs[consumer].asks = []
    }

    mutating func isLost() -> Bool { bits.integer(below: 100) < UInt64(lossPercent) }
    mutating func delay() -> Int64 { Int64(bits.integer(below: mostDelay)) }

    /// One second: wishes, alarms, and what arrives, in any order.
    mutating func step(_ second: Int64, wishes: Bool = true) {
      for consumer in clients.indices {
        let now = clock(consumer, second)
        if wishes, second == 0 || bits.integer(below: 20) == 0 {
          let wish = QuotaAmount(perSecond: Double(bits.integer(below: 80)))
          clients[consumer].wants(wish, at: now, into: &logs[consumer])
        }
        if logs[consumer].alarm <= now {
          logs[consumer].alarm = .distantFuture
          clients[consumer].wake(at: now, into: &logs[consumer])
        }
        send(consumer, second)
      }
      let asks = toServer.filter { $0.at <= second }
      toServer.removeAll { $0.at <= second }
      for (_, ask) in asks.reversed() {
        guard let grant = server.answer(ask, at: .seconds(second) + serverOffset), !isCut,
          !isLost()
        else { continue }
        toClient.append((second + delay(), ask.consumer, grant))
      }
      let grants = toClient.filter { $0.at <= second }
      toClient.removeAll { $0.at <= second }
      for (_, consumer, grant) in grants.reversed() {
        clients[consumer].granted(grant, at: clock(consumer, second), into: &logs[consumer])
        send(consumer, second)
      }
    }

    /// What all may send now. Every consumer looks at its clock when it sends.
    mutating func used(_ second: Int64) -> QuotaAmount {
      var sum = QuotaAmount.zero
      for consumer in clients.indices {
        clients[consumer].wake(at: clock(consumer, second), into: &logs[consumer])
        // By a lease; the safe capacity comes on top by design.
        sum += clients[consumer].lease ?? .zero
      }
      return sum
    }
  }

  @Test(arguments: [QuotaAlgorithm.waterFilling, .fairShare, .proportionalShare], [0, 20, 60])
  func leasesNeverComeToMoreThanTheCapacity(algorithm: QuotaAlgorithm, loss: Int) {
    var world = World(server(100, algorithm), consumers: 6, seed: UInt64(loss))
    world.lossPercent = loss
    var most = QuotaAmount.zero
    for second in Int64(0)..<3000 {
      world.step(second)
      let used = world.used(second)
      #expect(used <= world.server.capacity, "at \(second)")
      #expect(world.server.reserved <= world.server.capacity)
      most = max(most, used)
    }
    #expect(most > amount(95), "and much of it is used: \(most.perSecond)")
  }

  @Test func withoutLossAllOfItIsUsed() {
    var world = World(server(100), consumers: 4, seed: 1)
    world.lossPercent = 0
    world.mostDelay = 1
    for consumer in 0..<4 {
      world.clients[consumer].wants(amount(40), at: .origin, into: &world.logs[consumer])
    }
    for second in Int64(0)..<30 { world.step(second, wishes: false) }
    #expect(world.used(30) == amount(100))
    #expect(world.clients.map(\.allowed) == Array(repeating: amount(25), count: 4))
  }

  /// A server that begins anew, and knows nothing of what its predecessor granted, learns for one
  /// lease: by then every lease of the predecessor has run out or was told.
  @Test(arguments: [Nanoseconds.seconds(20), .seconds(3)])
  func aServerThatBeginsAnewOvercommitsOnlyWithoutLearning(learning: Nanoseconds) {
    var violations = 0
    for seed in UInt64(0)..<10 {
      var world = World(server(100), consumers: 6, seed: seed)
      var rules = QuotaServer.Rules()
      rules.learningTime = learning
      for second in Int64(0)..<1000 {
        if second % 100 == 99 {
          world.server = QuotaServer(
            capacity: amount(100), rules, life: UInt32(second / 100 + 1), at: .seconds(second))
        }
        world.step(second)
        if world.used(second) > world.server.capacity { violations += 1 }
      }
    }
    #expect(learning == .seconds(20) ? violations == 0 : violations > 10, "\(violations)")
  }

  /// Away for good: every consumer is back at the safe capacity within a lease's length, by its own
  /// clock, and asks on.
  @Test func withoutTheServerOnlyTheSafeCapacityIsLeft() {
    var world = World(server(100), consumers: 4, seed: 2)
    for second in Int64(0)..<100 { world.step(second) }
    world.isCut = true
    for second in Int64(100)..<200 {
      world.step(second)
      if second >= 120 {
        #expect(world.used(second) == .zero)
        #expect(world.clients.allSatisfy { $0.allowed == amount(25) }, "a share for each")
      }
    }
    world.isCut = false
    for second in Int64(200)..<240 { world.step(second) }
    #expect(world.used(240) > .zero)
  }

  /// Away for longer than a lease and then anew: who has no lease any more goes on by what is safe
  /// while the server learns, and has a lease when it has learned. Who still has one keeps it.
  @Test(arguments: [Int64(60), 38]) func whatIsSafeHoldsWhileAServerLearns(back: Int64) {
    var world = World(server(100), consumers: 4, seed: 2)
    (world.lossPercent, world.mostDelay) = (0, 1)
    for consumer in 0..<4 {
      world.clients[consumer].wants(amount(40), at: .origin, into: &world.logs[consumer])
    }
    for second in Int64(0)..<30 { world.step(second, wishes: false) }
    #expect(world.used(29) == amount(100))
    world.isCut = true
    for second in Int64(30)..<back { world.step(second, wishes: false) }
    world.isCut = false
    world.server = QuotaServer(
      capacity: amount(100), QuotaServer.Rules(), life: 1, at: .seconds(back))
    let hasLeases = back == 38
    for second in back..<back + 20 {
      world.step(second, wishes: false)
      #expect(world.used(second) == (hasLeases ? amount(100) : .zero), "at \(second)")
      #expect(world.clients.allSatisfy { $0.allowed == amount(25) }, "at \(second)")
    }
    for second in back + 20..<back + 30 { world.step(second, wishes: false) }
    #expect(world.used(back + 30) == amount(100))
    #expect(world.clients.allSatisfy { $0.allowed == amount(25) && $0.safe == amount(25) })
  }

  /// A clock that jumps ahead gives leases up early: nothing is violated.
  @Test func aHoldersClockThatJumpsAheadViolatesNothing() {
    var world = World(server(100), consumers: 6, seed: 3)
    for second in Int64(0)..<2000 {
      if second % 50 == 25 { world.offsets[Int(second / 50) % 6] += .seconds(100) }
      world.step(second)
      #expect(world.used(second) <= world.server.capacity, "at \(second)")
    }
  }

  /// A clock that jumps back further than to the last look is noticed: nothing is violated either.
  @Test func aHoldersClockThatJumpsFarBackIsNoticed() {
    var world = World(server(100), consumers: 6, seed: 4)
    for second in Int64(0)..<2000 {
      if second % 50 == 25, second > 500 {
        world.offsets[Int(second / 50) % 6] += .seconds(-30)
      }
      world.step(second)
      #expect(world.used(second) <= world.server.capacity, "at \(second)")
    }
  }

  /// One that does not look at its clock for some time, in which it jumps back by less, goes by its
  /// lease for as much longer as the jump; and no longer.
  @Test func aJumpBackThatCannotBeSeenCostsNoMoreThanItself() {
    var log = World.Log()
    var client = QuotaClient(consumer: 0, at: .origin)
    client.wants(amount(100), at: .origin, into: &log)
    var server = server(100)
    let grant = server.answer(log.asks[0], at: .origin)
    if let grant { client.granted(grant, at: .origin, into: &log) }
    #expect(client.lease == amount(100))
    // It looks at 10 s, and again at 18 s, when the clock shows 11 s.
    client.wake(at: .seconds(10), into: &log)
    var overdue = 0
    for second in Int64(18)..<40 {
      client.wake(at: .seconds(second - 7), into: &log)
      // The server counts by the true time, and gives it to another from 20 s on.
      if second >= 20, client.lease != nil { overdue += 1 }
    }
    #expect(overdue == 7)
  }

  /// A server's clock that jumps ahead ends leases that are in use: more than the capacity may go
  /// out, for as long as the jump and no longer than a lease.
  @Test(arguments: [3, 12, 500])
  func aServersClockThatJumpsAheadOvercommitsForAtMostALease(jump: Int64) {
    var most: Int64 = 0
    for seed in UInt64(0)..<20 {
      var world = World(server(100), consumers: 6, seed: seed)
      for second in Int64(0)..<400 {
        if second == 200 { world.serverOffset = .seconds(jump) }
        world.step(second)
        if world.used(second) > world.server.capacity { most = max(most, second - 200 + 1) }
      }
    }
    #expect(most <= min(jump + 8, 20), "and what was on its way")
    #expect(jump < 20 || most > 0, "it does happen")
  }

  @Test func aConsumerThatBeginsAnewIsAnother() {
    var server = server(100)
    func ask(_ life: UInt32, _ question: UInt64) -> QuotaGrant? {
      server.answer(
        QuotaAsk(
          consumer: 0, life: life, question: question, has: .zero, wants: amount(60)),
        at: .seconds(1))
    }
    #expect(ask(1, 5)?.amount == amount(60))
    #expect(ask(2, 1)?.amount == amount(60))
    #expect(server.reserved == amount(60), "its earlier life has ended")
    #expect(ask(1, 6) == nil)
    server.release(0, life: 1)
    #expect(server.count == 1)
    server.release(0, life: 2)
    #expect(server.count == 0 && server.reserved == .zero)
  }

  @Test func aForkGoesOnInTheSameWay() {
    var world = World(server(100), consumers: 5, seed: 9)
    for second in Int64(0)..<300 { world.step(second) }
    var fork = world
    fork.server = world.server.clone()
    fork.clients = world.clients.map { $0.clone() }
    for second in Int64(300)..<600 { world.step(second) }
    #expect(fork.clients.map(\.allowed) != world.clients.map(\.allowed))
    for second in Int64(300)..<600 { fork.step(second) }
    #expect(fork.clients.map(\.allowed) == world.clients.map(\.allowed))
    #expect(fork.server.reserved == world.server.reserved)
  }
}
