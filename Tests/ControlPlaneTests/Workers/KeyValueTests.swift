import ControlPlane
import Primitives
import Testing

/// The key-value store against its law: what share of reads is stale, and what share a host's cache
/// serves.
@Suite struct KeyValueTests {
  /// One key written at rate w, each write visible after a draw; one host that reads at rate r.
  private static func simulate(
    writes: Double, reads: Double, timeToLive: Double, seconds: Double, seed: UInt64,
    delay: (inout Xoshiro256PlusPlus) -> Double
  ) -> (stale: Double, hits: Double) {
    var bits = Xoshiro256PlusPlus(seed: seed)
    var replica = KeyValueReplica(keyCount: 1, timeToLive: Nanoseconds(seconds: timeToLive))
    let host = replica.addHost()
    var (now, nextWrite, stale, hits, all) = (0.0, 0.0, 0.0, 0.0, 0.0)
    var words: [(at: Double, version: UInt32)] = []
    func gap(_ rate: Double, _ bits: inout Xoshiro256PlusPlus) -> Double {
      ZigguratExponential.sample(using: &bits) / rate
    }
    nextWrite = gap(writes, &bits)
    while now < seconds {
      now += gap(reads, &bits)
      while nextWrite <= now {
        words.append((nextWrite + delay(&bits), replica.commit(0)))
        nextWrite += gap(writes, &bits)
      }
      words.removeAll { word in
        guard word.at <= now else { return false }
        replica.arrive(0, version: word.version)
        return true
      }
      let read = replica.read(0, host: host, at: Instant(nanoseconds: Int64(now * 1e9)))
      all += 1
      if read.isStale { stale += 1 }
      if read.isHit { hits += 1 }
    }
    return (stale / all, hits / all)
  }

  private static func expect(_ values: [Double], _ expected: Double, _ what: String) {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
    let error = (variance / n).squareRoot()
    #expect(abs(mean - expected) < 4 * error, "\(what): \(mean) ± \(error), not \(expected)")
    // The test would find a difference of a twentieth.
    #expect(4 * error < 0.05 * max(expected, 0.02), "\(what): ± \(error) says too little")
  }

  /// Without a cache: 1 - exp(-w D), here 0.39347.
  @Test func aReplicaThatIsLate() {
    let runs = (1...40).map { seed in
      Self.simulate(
        writes: 1, reads: 4, timeToLive: 0, seconds: 4000, seed: UInt64(seed)
      ) { _ in 0.5 }
    }
    Self.expect(runs.map(\.stale), 0.3934693402873666, "stale")
    #expect(runs.allSatisfy { $0.hits == 0 })
  }

  /// Words that overtake each other: 1 - E[exp(-w D)], with D exponential w m / (1 + w m).
  @Test func wordsThatOvertakeEachOther() {
    let runs = (1...40).map { seed in
      Self.simulate(
        writes: 2, reads: 4, timeToLive: 0, seconds: 4000, seed: UInt64(seed)
      ) { 0.75 * ZigguratExponential.sample(using: &$0) }
    }
    Self.expect(runs.map(\.stale), 1.5 / 2.5, "stale")
  }

  /// With a cache, at loads from one read a time to live to many.
  @Test(arguments: [(0.5, 2.0, 1.0, 0.5), (0.2, 10, 3, 0.1), (2, 1, 0.7, 1), (0.05, 0.3, 10, 2)])
  func aCacheOnTop(writes: Double, reads: Double, timeToLive: Double, delay: Double) {
    let law = KeyValueLaw(
      reads: reads, writes: writes, visibleShare: Elementary.exp(-writes * delay),
      timeToLive: timeToLive)
    let runs = (1...40).map { seed in
      Self.simulate(
        writes: writes, reads: reads, timeToLive: timeToLive, seconds: 20_000 / reads.squareRoot(),
        seed: UInt64(seed)
      ) { _ in delay }
    }
    Self.expect(runs.map(\.stale), law.staleShare, "stale")
    Self.expect(runs.map(\.hits), law.hitShare, "hits")
  }

  /// What the law becomes at its ends.
  @Test func theLawAtItsEnds() {
    let alone = KeyValueLaw(reads: 5, writes: 1, visibleShare: 0.7, timeToLive: 0)
    #expect(alone.hitShare == 0 && abs(alone.staleShare - 0.3) < 1e-15)
    let unwritten = KeyValueLaw(reads: 5, writes: 0, visibleShare: 1, timeToLive: 10)
    #expect(abs(unwritten.staleShare) < 1e-15 && abs(unwritten.hitShare - 50.0 / 51) < 1e-15)
    // Hardly ever written: w (D + T / 2) with all reads hits, to the first order.
    let rare = KeyValueLaw(
      reads: 1e9, writes: 1e-6, visibleShare: Elementary.exp(-2e-6), timeToLive: 10)
    #expect(abs(rare.staleShare / 7e-6 - 1) < 1e-4)
    // Always written: everything is stale.
    let always = KeyValueLaw(reads: 1, writes: 1e9, visibleShare: 0, timeToLive: 10)
    #expect(always.staleShare == 1)
  }

  @Test func theNewestWordStays() {
    var replica = KeyValueReplica(keyCount: 2, timeToLive: .seconds(10))
    let host = replica.addHost()
    let (first, second) = (replica.commit(1), replica.commit(1))
    let unwritten = replica.read(0, host: host, at: .seconds(1))
    #expect(!unwritten.isStale)
    replica.arrive(1, version: second)
    replica.arrive(1, version: first)
    let read = replica.read(1, host: host, at: .seconds(2))
    #expect(read == .init(version: second, isHit: false, isStale: false))
    let third = replica.commit(1)
    replica.arrive(1, version: third)
    // The cache keeps the old one to the end of its time, and not beyond.
    let kept = replica.read(1, host: host, at: Instant(nanoseconds: 11_999_999_999))
    #expect(kept == .init(version: second, isHit: true, isStale: true))
    let fresh = replica.read(1, host: host, at: .seconds(12))
    #expect(fresh == .init(version: third, isHit: false, isStale: false))
    // Another host has a cache of its own.
    let other = replica.addHost()
    let apart = replica.read(1, host: other, at: .seconds(13))
    #expect(!apart.isHit)
  }
}
