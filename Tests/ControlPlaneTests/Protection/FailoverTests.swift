import ControlPlane
import Primitives
import Testing

/// Where traffic goes when zones and clusters are in trouble.
@Suite struct FailoverTests {
  typealias Place = FailoverWeights.Place

  private func place(_ cluster: Int, _ zone: Int, hosts: Int = 10, healthy: Int) -> Place {
    Place(cluster: cluster, zone: ZoneID(zone), hosts: hosts, healthy: healthy)
  }

  private func weights(_ places: [Place], _ rules: FailoverWeights.Rules = .init()) -> [[Int]] {
    places.indices.map { FailoverWeights.weights(from: $0, places: places, rules: rules) }
  }

  // MARK: Known cases

  @Test func lanesStayInTheirZoneWhileItIsWellEnough() {
    // 8 of 10 at 140 % are more than all.
    let places = [place(0, 0, healthy: 10), place(0, 1, healthy: 8), place(0, 2, healthy: 10)]
    #expect(weights(places) == [[10_000, 0, 0], [0, 10_000, 0], [0, 0, 10_000]])
  }

  @Test func whatAZoneCannotBearSpillsOver() {
    let places = [place(0, 0, healthy: 5), place(0, 1, healthy: 10), place(0, 2, healthy: 10)]
    #expect(weights(places)[0] == [7000, 1500, 1500])
    #expect(weights(places)[1] == [0, 10_000, 0])
  }

  @Test func aLostZoneIsDividedByWhatTheOthersCanBear() {
    // Zone 2 with half of its hosts has 0.7 of its weight.
    let places = [place(0, 0, healthy: 0), place(0, 1, healthy: 10), place(0, 2, healthy: 5)]
    #expect(weights(places)[0] == [0, 5882, 4118])
    #expect(weights(places)[2] == [0, 3000, 7000])
  }

  @Test func aLostClusterGoesToTheOthersByWeight() {
    var places = [place(0, 0, healthy: 0), place(0, 1, healthy: 0)]
    places += [place(1, 0, healthy: 10), place(2, 0, healthy: 10), place(3, 0, healthy: 10)]
    var rules = FailoverWeights.Rules()
    rules.clusterWeights = [1, 1, 3, 0]
    let found = weights(places, rules)
    #expect(found[0] == [0, 0, 2500, 7500, 0])
    #expect(found[1] == found[0])
    #expect(found[4] == [0, 0, 0, 0, 10_000], "a cluster that takes nothing keeps its own")
  }

  @Test func aDrainedZoneIsAsIfItWereNotThere() {
    var places = [place(0, 0, healthy: 10), place(0, 1, healthy: 10), place(0, 2, healthy: 10)]
    places[0].isDrained = true
    #expect(weights(places) == [[0, 5000, 5000], [0, 10_000, 0], [0, 0, 10_000]])
  }

  @Test func inPanicTrafficGoesByHosts() {
    // Everything below half and not enough for all: who is healthy is not believed.
    let places = [
      place(0, 0, healthy: 0), place(0, 1, hosts: 20, healthy: 1), place(0, 2, healthy: 1),
    ]
    #expect(weights(places)[0] == [2500, 5000, 2500])
    var rules = FailoverWeights.Rules()
    rules.panicThreshold = 0
    // 20 hosts and 10: 0.07 and 0.14 of their weights.
    #expect(weights(places, rules)[0] == [0, 5000, 5000])
  }

  @Test func zoneAwareShiftsWhatAZoneHasTooFewHostsFor() {
    let places = [
      place(0, 0, hosts: 10, healthy: 10), place(0, 1, hosts: 20, healthy: 20),
      place(0, 2, hosts: 30, healthy: 30),
    ]
    var rules = FailoverWeights.Rules()
    rules.home = .zoneAware(callers: [5, 5, 5])
    // A third of the callers on a sixth of the hosts: half stays, and zone 2 has the room.
    #expect(weights(places, rules) == [[4998, 0, 5002], [0, 10_000, 0], [0, 0, 10_000]])
    rules.home = .priority
    #expect(weights(places, rules)[0] == [10_000, 0, 0])
  }

  @Test func weightsTakeEffectOnAWholeSecondAWindowLater() {
    func effective(_ now: Int64, _ window: Int64) -> Instant {
      FailoverWeights.effectiveTime(
        decidedAt: .milliseconds(now), window: .milliseconds(window))
    }
    #expect(effective(1000, 1000) == .seconds(2))
    #expect(effective(1001, 1000) == .seconds(3))
    #expect(effective(0, 100) == .seconds(1))
    #expect(effective(900, 100) == .seconds(1))
    #expect(effective(901, 100) == .seconds(2))
  }

  // MARK: Properties

  private struct Case {
    var places: [Place]
    var rules: FailoverWeights.Rules

    init(_ bits: inout Xoshiro256PlusPlus) {
      func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
      let clusters = 1 + below(3)
      places = []
      for cluster in 0..<clusters {
        for zone in 0..<(1 + below(3)) {
          let hosts = below(12)
          let healthy = below(3) == 0 ? 0 : below(hosts + 1)
          let degraded = below(4) == 0 ? below(hosts - healthy + 1) : 0
          places.append(
            Place(
              cluster: cluster, zone: ZoneID(zone), hosts: hosts, healthy: healthy,
              degraded: degraded, isDrained: below(10) == 0))
        }
      }
      rules = FailoverWeights.Rules()
      rules.panicThreshold = below(2) * 50
      if below(2) == 0 { rules.clusterWeights = (0..<clusters).map { _ in below(4) } }
      if below(3) == 0 { rules.home = .zoneAware(callers: places.map { _ in 1 + below(5) }) }
    }
  }

  @Test func weightsAddUpAndTheDeadGetNothing() {
    var bits = Xoshiro256PlusPlus(seed: 11)
    var panics = 0
    var spills = 0
    for _ in 0..<4000 {
      let one = Case(&bits)
      for origin in one.places.indices {
        let weights = FailoverWeights.weights(
          from: origin, places: one.places, rules: one.rules)
        #expect(weights.reduce(0, +) == one.rules.total)
        #expect(weights.allSatisfy { $0 >= 0 })
        if weights.contains(where: { 0 < $0 && $0 < one.rules.total }) { spills += 1 }
        let dead = one.places.indices.filter {
          let place = one.places[$0]
          return weights[$0] > 0 && (place.healthy + place.degraded == 0 || place.isDrained)
        }
        guard !dead.isEmpty else { continue }
        // Only in panic, or where there is nobody at all that could take it.
        panics += 1
        let total = health(of: one.places, from: origin, one.rules).reduce(0, +)
        #expect(
          one.rules.panicThreshold > 0 ? total < 100 : total == 0,
          "\(dead) of \(one.places) from \(origin)")
      }
    }
    #expect(panics > 100 && spills > 1000)
  }

  /// When a place loses hosts, no other loses traffic, but for the rounding to whole percents; and
  /// lanes that do not name it are left alone.
  @Test func aLossMovesOnlyWhatHasToMove() {
    var bits = Xoshiro256PlusPlus(seed: 12)
    var moved = 0
    for _ in 0..<4000 {
      var one = Case(&bits)
      one.rules.home = .priority
      let index = Int(bits.integer(below: UInt64(one.places.count)))
      guard one.places[index].healthy > 0 else { continue }
      var after = one.places
      after[index].healthy = Int(bits.integer(below: UInt64(after[index].healthy)))
      for origin in one.places.indices {
        let old = FailoverWeights.weights(from: origin, places: one.places, rules: one.rules)
        let new = FailoverWeights.weights(from: origin, places: after, rules: one.rules)
        let levels = health(of: one.places, from: origin, one.rules, withDegraded: false)
        if origin != index, levels[0] >= 100 {
          #expect(old == new, "home bears all")
        }
        // Home and the rest of the cluster can bear all, before and after.
        guard levels[0] + levels[1] >= 100,
          health(of: after, from: origin, one.rules, withDegraded: false).prefix(2).reduce(0, +)
            >= 100
        else { continue }
        if old != new { moved += 1 }
        for other in old.indices where other != index {
          #expect(new[other] >= old[other] - 101, "\(old) to \(new), \(index) lost")
        }
      }
    }
    #expect(moved > 200)
  }

  /// Percent of a lane's traffic that home, the rest of its cluster and the others can bear.
  private func health(
    of places: [Place], from origin: Int, _ rules: FailoverWeights.Rules,
    withDegraded: Bool = true
  ) -> [Int] {
    let cluster = places[origin].cluster
    return (0..<3).map { level in
      let members = places.indices.filter { index in
        guard !places[index].isDrained else { return false }
        if index == origin { return level == 0 }
        if places[index].cluster == cluster { return level == 1 }
        return level == 2
          && (rules.clusterWeights.isEmpty || rules.clusterWeights[places[index].cluster] > 0)
      }
      let hosts = members.reduce(0) { $0 + places[$1].hosts }
      guard hosts > 0 else { return 0 }
      let healthy = min(100, 140 * members.reduce(0) { $0 + places[$1].healthy } / hosts)
      guard withDegraded else { return healthy }
      return healthy + min(100, 140 * members.reduce(0) { $0 + places[$1].degraded } / hosts)
    }
  }

  @Test func theBalancerTellsOnlyWhatChanges() {
    struct Log: RegionBalancerEffects {
      var told: [(origin: Int, weights: [Int], at: Instant, number: UInt64)] = []
      mutating func setWeights(
        _ weights: [Int], from origin: Int, at instant: Instant, number: UInt64
      ) { told.append((origin, weights, instant, number)) }
    }
    var balancer = RegionBalancer(
      places: (0..<3).map { place(0, $0, healthy: 10) }, rules: .init(), window: .seconds(1))
    var log = Log()
    balancer.hears(healthy: 9, of: 1, at: .milliseconds(2500), into: &log)
    #expect(log.told.isEmpty, "nine of ten still bear all")
    balancer.hears(healthy: 0, of: 1, at: .milliseconds(2500), into: &log)
    #expect(log.told.map(\.origin) == [1])
    #expect(log.told.first?.weights == [5000, 0, 5000])
    #expect(log.told.first?.at == .seconds(4))
    var fork = balancer.clone()
    var other = Log()
    balancer.drain(0, true, at: .seconds(9), into: &log)
    fork.drain(0, true, at: .seconds(9), into: &other)
    #expect(log.told.map(\.origin) == [1, 0, 1])
    #expect(log.told.last?.weights == [0, 0, 10_000])
    #expect(log.told.last?.number == 3)
    #expect(other.told.map(\.weights) == log.told.dropFirst().map(\.weights))
  }
}
