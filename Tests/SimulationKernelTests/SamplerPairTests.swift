import Primitives
import SimulationKernel
import Testing

/// Service times of neighbours, drawn together, are those of their own streams.
@Suite struct SamplerPairTests {
  private static let key = StreamKey(seed: 3, replication: 0, name: "pairs")

  /// One in a hundred lognormal draws needs more words than the first.
  @Test(arguments: [
    Distribution.lognormal(median: 0.009, sigma: 0.8), .lognormal(median: 1, sigma: 0),
    .shifted(by: 0.5, .lognormal(median: 2, sigma: 1.3)), .exponential(mean: 0.02),
    .gamma(shape: 0.5, scale: 1), .constant(0.25),
    .mixture([
      .init(weight: 1, .constant(1)),
      .init(weight: 3, .lognormal(median: 1, sigma: 1)),
    ]),
  ])
  func areWhatEachStreamGives(_ distribution: Distribution) {
    let sampler = distribution.sampler()
    for index in 0..<4000 as Range<UInt64> {
      let pair = sampler.sampleNanosecondsOfPair(key: Self.key, index: index)
      var own = PairedStream(key: Self.key, index: index)
      let alone = sampler.sampleNanoseconds(using: &own)
      #expect((index & 1 == 0 ? pair.even : pair.odd) == alone, "\(index)")
      let other = sampler.sampleNanosecondsOfPair(key: Self.key, index: index ^ 1)
      #expect(other == pair)
    }
  }
}
