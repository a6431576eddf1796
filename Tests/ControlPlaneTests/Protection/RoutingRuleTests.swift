import ControlPlane
import Primitives
import Testing

/// The parts that failover is made of, against plain forms of them.
@Suite struct RoutingRuleTests {
  @Test func largestRemaindersAddUpAndAreWithinOne() {
    var bits = Xoshiro256PlusPlus(seed: 5)
    for _ in 0..<2000 {
      let count = 1 + Int(bits.integer(below: 8))
      var weights = (0..<count).map { _ in Int(bits.integer(below: 1 << 40)) }
      if bits.integer(below: 3) == 0 { weights[0] = 0 }
      guard weights.contains(where: { $0 > 0 }) else { continue }
      let total = Int(bits.integer(below: 100_000))
      let shares = Apportionment.largestRemainder(weights, total: total)
      let sum = weights.reduce(0, +)
      #expect(shares.reduce(0, +) == total)
      for (weight, share) in zip(weights, shares) {
        let exact = Double(weight) * Double(total) / Double(sum)
        #expect(abs(Double(share) - exact) < 1 + 1e-6)
        if weight == 0 { #expect(share == 0) }
      }
    }
    #expect(Apportionment.largestRemainder([1, 1, 1], total: 100) == [34, 33, 33])
    #expect(Apportionment.largestRemainder([1, 2, 1], total: 2) == [1, 1, 0])
  }

  @Test func loadsOfLevelsAlwaysAddUp() {
    var bits = Xoshiro256PlusPlus(seed: 6)
    func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
    var panics = 0
    for _ in 0..<5000 {
      let levels = (0..<(1 + below(4))).map { _ in
        let hosts = below(30)
        let healthy = below(hosts + 1)
        let degraded = below(hosts - healthy + 1)
        return PriorityLoads.Level(
          hosts: hosts, healthy: healthy, degraded: degraded,
          excluded: below(hosts - healthy - degraded + 1))
      }
      let loads = PriorityLoads(levels, panicThreshold: below(3) * 40)
      #expect(loads.healthy.reduce(0, +) + loads.degraded.reduce(0, +) == 100)
      if loads.isInPanic.contains(true) { panics += 1 }
      // One draw of each kind gives the loads.
      var healthy = levels.map { _ in 0 }
      var degraded = healthy
      for draw in 0..<100 {
        let (level, isDegraded) = loads.level(of: draw)
        if isDegraded { degraded[level] += 1 } else { healthy[level] += 1 }
      }
      #expect(healthy == loads.healthy && degraded == loads.degraded)
    }
    #expect(panics > 100)
  }

  @Test func deadlinesAreServedAsByASearchOfAll() {
    var bits = Xoshiro256PlusPlus(seed: 7)
    for _ in 0..<50 {
      let weights = (0..<(1 + Int(bits.integer(below: 6)))).map { _ in
        Double(bits.integer(below: 5))
      }
      var schedule = DeadlineSchedule(weights: weights)
      var waiting = weights.indices.filter { weights[$0] > 0 }.map { (1 / weights[$0], $0) }
      guard !waiting.isEmpty else {
        #expect(schedule.next() == nil)
        continue
      }
      for _ in 0..<200 {
        // The first of the least; who was picked goes to the end.
        let least = waiting.map(\.0).min() ?? 0
        let place = waiting.firstIndex { $0.0 == least } ?? 0
        let (deadline, member) = waiting.remove(at: place)
        #expect(schedule.next() == member)
        waiting.append((deadline + 1 / weights[member], member))
      }
    }
  }

  /// Shares are the chances of `place`, taken over all pairs of draws.
  @Test func sharesAreTheChancesOfACall() {
    var bits = Xoshiro256PlusPlus(seed: 8)
    var residuals = 0
    for _ in 0..<60 {
      let zones = 2 + Int(bits.integer(below: 3))
      func counts() -> [ZoneAwareRouting.Count] {
        (0..<zones).map { .init(ZoneID($0), 1 + Int(bits.integer(below: 9))) }
      }
      let routing = ZoneAwareRouting(from: ZoneID(0), callers: counts(), upstream: counts())
      guard let shares = routing.shares(of: 10_000) else { continue }
      #expect(shares.reduce(0, +) == 10_000)
      guard let stays = routing.stays, let room = routing.residual?.last, room > 0 else { continue }
      residuals += 1
      var chances = shares.map { _ in 0.0 }
      chances[0] = Double(stays)
      for draw in 0..<room {
        let place = routing.place(local: 9999, cross: UInt64(draw)) ?? 0
        chances[place] += Double(10_000 - stays) / Double(room)
      }
      for (share, chance) in zip(shares, chances) { #expect(abs(Double(share) - chance) < 1) }
    }
    #expect(residuals > 20)
  }

  @Test func aNewHostTakesItsWeightInTime() {
    func weight(_ seconds: Int64) -> Double {
      EndpointWeight.slowStart(weight: 10, elapsed: .seconds(seconds), window: .seconds(100))
    }
    #expect(weight(0) == 1 && weight(50) == 5 && weight(100) == 10 && weight(500) == 10)
    for second in 0..<100 { #expect(weight(Int64(second)) <= weight(Int64(second + 1))) }
  }
}
