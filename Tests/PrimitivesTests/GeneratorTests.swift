import Testing

@testable import Primitives

@Suite struct GeneratorTests {
  /// Known answers of the Random123 library for philox2x64 with ten rounds.
  @Test(arguments: [
    (UInt64(0), UInt64(0), UInt64(0), UInt64(0xCA00_A045_9843_D731), UInt64(0x66C2_4222_C9A8_45B5)),
    (.max, .max, .max, 0x65B0_21D6_0CD8_310F, 0x4D02_F322_2F86_DF20),
    (
      0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D0,
      0x0A5E_742C_2997_341C, 0xB0F8_83D3_8000_DE5D
    ),
  ])
  func philox(_ c: (UInt64, UInt64, UInt64, UInt64, UInt64)) {
    let (first, second) = Philox2x64.block(counter: (c.0, c.1), key: c.2)
    #expect(first == c.3 && second == c.4)
  }

  @Test func keyedStreamReadsBothWordsOfEachBlock() {
    var stream = KeyedStream(key: 7, index: 9)
    for n in 0..<5 as Range<UInt64> {
      let block = Philox2x64.block(counter: (9, n), key: 7)
      #expect(stream.next() == block.0)
      #expect(stream.next() == block.1)
    }
  }

  /// Words of the reference program for the state 1, 2, 3, 4.
  @Test func xoshiro() {
    var generator = Xoshiro256PlusPlus(state: (1, 2, 3, 4))
    let expected: [UInt64] = [
      41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386,
      9_228_616_714_210_784_205, 9_973_669_472_204_895_162, 14_011_001_112_246_962_877,
      12_406_186_145_184_390_807, 15_849_039_046_786_891_736, 10_450_023_813_501_588_000,
    ]
    #expect(expected.allSatisfy { $0 == generator.next() })
  }

  @Test func splitMixFollowsItsReference() {
    var generator = SplitMix64(seed: 1_234_567)
    let expected: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
    ]
    #expect(expected.allSatisfy { $0 == generator.next() })
  }

  @Test func unitIntervalsKeepTheirBorders() {
    #expect(UnitInterval.halfOpen(0) == 0)
    #expect(UnitInterval.halfOpen(.max) == 1 - 0x1p-53)
    #expect(UnitInterval.open(0) == 0x1p-53)
    #expect(UnitInterval.open(.max) == 1 - 0x1p-53)
  }

  @Test func boundedIntegersAreUniform() {
    // Three quarters of the range of words: a generator that only scaled would favour some values.
    var source = KeyedStream(key: 11, index: 0)
    let bound = UInt64(3) << 62
    var low = 0
    for _ in 0..<100_000 where source.integer(below: bound) < bound / 2 { low += 1 }
    #expect(abs(Double(low) - 50_000) < 4 * 158.2)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[Int(source.integer(below: 7))] += 1 }
    let chiSquare = counts.reduce(0.0) {
      $0 + (Double($1) - 10_000) * (Double($1) - 10_000) / 10_000
    }
    #expect(chiSquare < 22.46)  // 0.1 % of chi-square with six degrees
  }

  @Test func streamsDependOnEveryPartOfTheirName() {
    let parts: [StreamKey] = [
      StreamKey(seed: 1, replication: 0, name: "arrivals"),
      StreamKey(seed: 2, replication: 0, name: "arrivals"),
      StreamKey(seed: 1, replication: 1, name: "arrivals"),
      StreamKey(seed: 1, replication: 0, name: "arrival"),
      StreamKey(seed: 1, replication: 0, name: "arrivals").appending(0),
      StreamKey(seed: 1, replication: 0, name: "arrivals").appending(1).appending(2),
      StreamKey(seed: 1, replication: 0, name: "arrivals").appending(2).appending(1),
    ]
    #expect(Set(parts).count == parts.count)
  }

  /// Stored values: should they ever change, every stored result changes with them.
  @Test func streamKeysAreForGood() {
    let key = StreamKey(seed: 42, replication: 3, name: "service-time").appending(17)
    #expect(key.raw == 2_234_923_213_969_692_036)
    var stream = key.stream(5)
    #expect(stream.next() == Philox2x64.block(counter: (5, 0), key: key.raw).0)
    var sequence = key.sequence()
    #expect(sequence.next() == 10_856_291_065_033_454_921)
  }
}
