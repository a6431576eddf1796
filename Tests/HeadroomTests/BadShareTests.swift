import Testing

@testable import Planning

/// When more attempts of an interval fail than in the calm twin, and when that is chance.
@Suite struct BadShareTests {
  private static let tolerances = RehearsalTimeline.Tolerances()

  private static func isWorse(
    _ bad: UInt64, than twin: UInt64, of attempts: UInt64, nearby: [UInt64]? = nil
  ) -> Bool {
    let own = BadShare(bad: twin, attempts: attempts)
    let near = (nearby ?? [twin, twin, twin]).map { BadShare(bad: $0, attempts: attempts) }
    return BadShare(bad: bad, attempts: attempts).isBeyond(own, nearby: near, tolerances)
  }

  /// Of 5,000 with 22 % refused three deviations are 2.5 points: 2.5 are none, 2.6 are.
  @Test func aTwinThatRefusesHasChance() {
    let deviation = BadShare.deviation(
      BadShare(bad: 1_150, attempts: 5_000), BadShare(bad: 1_100, attempts: 5_000))
    #expect(abs(deviation - 0.008352) < 1e-6, "\(deviation)")
    #expect(!Self.isWorse(1_130, than: 1_100, of: 5_000))
    #expect(!Self.isWorse(1_225, than: 1_100, of: 5_000))
    #expect(Self.isWorse(1_230, than: 1_100, of: 5_000))
    #expect(!Self.isWorse(900, than: 1_100, of: 5_000))
  }

  /// Of very many attempts chance is little, and a tenth of a point is still no matter.
  @Test func aTenthOfAPointIsTolerated() {
    #expect(!Self.isWorse(22_050_000, than: 22_000_000, of: 100_000_000))
    #expect(Self.isWorse(22_200_000, than: 22_000_000, of: 100_000_000))
  }

  /// Where the twin has nothing of the kind nearby each attempt beyond the tenth of a point counts;
  /// where it has, eight of 5,000 are chance beside none, and ten are not.
  @Test func whatTheTwinHasNotHadIsNoChance() {
    #expect(!Self.isWorse(4, than: 0, of: 5_000))
    #expect(Self.isWorse(6, than: 0, of: 5_000))
    #expect(!Self.isWorse(6, than: 0, of: 5_000, nearby: [0, 0, 1]))
    #expect(!Self.isWorse(8, than: 0, of: 5_000, nearby: [0, 0, 1]))
    #expect(Self.isWorse(10, than: 0, of: 5_000, nearby: [0, 0, 1]))
  }

  /// A limit that lets hardly anything in once a minute does so at other times in the two runs.
  @Test func whatTheTwinDoesNowAndThenIsUsual() {
    let probes: [UInt64] = [0, 0, 2_500, 0, 0, 0]
    #expect(!Self.isWorse(2_500, than: 0, of: 5_000, nearby: probes))
    #expect(Self.isWorse(2_600, than: 0, of: 5_000, nearby: probes))
  }

  /// A twin without any attempt allows for nothing.
  @Test func nothingToCompareWith() {
    let near = [BadShare(bad: 5, attempts: 10), BadShare(bad: 0, attempts: 0)]
    #expect(BadShare(bad: 1, attempts: 10).isBeyond(near[1], nearby: near, Self.tolerances))
    #expect(!BadShare(bad: 0, attempts: 0).isBeyond(near[0], nearby: near, Self.tolerances))
  }

  /// Shares that go up and down by two points have a deviation of three; a single step has none,
  /// and a trend that of its slope.
  @Test func aTwinThatVariesMoreHasMoreChance() {
    let shaky: [UInt64] = [1_100, 1_200, 1_100, 1_200, 1_100]
    let deviation = BadShare.deviation(
      ofSteps: shaky.map { BadShare(bad: $0, attempts: 5_000) })
    #expect(abs(deviation - 0.029652) < 1e-9, "\(deviation)")
    #expect(!Self.isWorse(1_500, than: 1_100, of: 5_000, nearby: shaky))
    #expect(Self.isWorse(1_600, than: 1_100, of: 5_000, nearby: shaky))
    #expect(Self.isWorse(1_500, than: 1_100, of: 5_000, nearby: [100, 100, 1_100, 1_100, 1_100]))
    #expect(BadShare.deviation(ofSteps: [BadShare(bad: 1, attempts: 2)]) == 0)
  }
}
