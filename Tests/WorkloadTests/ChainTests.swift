import Primitives
import SimulationKernel
import Testing

@testable import Workload

/// Services whose messages the requests of others bring about, and days that differ.
@Suite struct ChainTests {
  private static func key(_ name: String) -> StreamKey {
    StreamKey(seed: 7, replication: 0, name: name)
  }

  private static let cause = KeyedRateSource(
    intensity: .constant(perSecond: 30), factors: GammaFactorTable(shape: 1), key: key("cause"),
    lane: 0, weights: [1])

  private static func chained(_ factor: Double, lane: Int = 0, zones: Int = 1) -> KeyedRateSource {
    KeyedRateSource(
      following: cause, factor: factor, delaySeconds: 17, key: key("chained"), lane: lane,
      weights: Array(repeating: 1, count: zones))
  }

  @Test func eachRequestBringsAboutAsManyMessages() {
    let three = Self.chained(3)
    for second in 0..<17 { #expect(three.count(second: second) == 0) }
    for second in 17..<500 {
      #expect(three.count(second: second) == 3 * Self.cause.count(second: second - 17))
    }
  }

  /// A part of a message is one for that part of the requests: never more than one apart, and as
  /// many as that on average.
  @Test func aPartIsAChance() {
    let some = Self.chained(2.25)
    var (messages, requests) = (0, 0)
    for second in 17..<4017 {
      let (count, causes) = (some.count(second: second), Self.cause.count(second: second - 17))
      #expect(count >= 2 * causes && count <= 3 * causes)
      messages += count
      requests += causes
    }
    // A quarter of 120,000, give or take 150.
    #expect(abs(Double(messages) / Double(requests) - 2.25) < 0.006)
  }

  @Test func zonesShareWhatComes() {
    let whole = Self.chained(1.5)
    let zones = (0..<3).map { Self.chained(1.5, lane: $0, zones: 3) }
    for second in 0..<300 {
      #expect(zones.reduce(0) { $0 + $1.count(second: second) } == whole.count(second: second))
    }
    var source = zones[1]
    source.seek(to: .seconds(100))
    var buffer = ArrivalBuffer()
    var handed = 0
    var known = Instant.origin
    while known < .seconds(160) {
      known = source.fill(&buffer)
      while !buffer.isEmpty { if buffer.removeFirst().time < 160_000_000_000 { handed += 1 } }
    }
    #expect(handed == (100..<160).reduce(0) { $0 + zones[1].count(second: $1) })
  }

  /// By its own clock, over and over again.
  @Test func daysHaveFactors() {
    let week = Intensity.daywise(.constant(perSecond: 10), factors: [1, 1, 1, 1, 1, 2, 0.5])
    let days = (0..<9).map { week.perSecond($0 * 86_400 + 5000) }
    #expect(days == [10, 10, 10, 10, 10, 20, 5, 10, 10])
    let ahead = Intensity.ahead(week, seconds: 3600)
    #expect(ahead.perSecond(5 * 86_400 - 3601) == 10 && ahead.perSecond(5 * 86_400 - 3600) == 20)
    var law = SyntheticGroup.Law(members: 2, totalPeak: 100)
    law.days = [1, 3]
    let member = SyntheticGroup(law, key: Self.key("days"), seconds: 172_800).member(
      0, peak: 50, ahead: 0, key: Self.key("member"))
    for second in [0, 30_000, 80_000] {
      let (one, two) = (second, second + 86_400)
      #expect(member.intensity.perSecond(two) == 3 * member.intensity.perSecond(one))
    }
  }
}
