import Histogram
import Primitives
import Testing

@testable import ResultStore

/// Values of every size, made without a library.
private func values(_ count: Int, seed: UInt64) -> [Int64] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let bits = 10 + Int(state >> 59)
    return Int64((state >> 12) & ((1 << UInt64(bits)) - 1))
  }
}

private func recorded(
  _ values: [Int64], _ resolution: LatencyHistogram.Resolution = .twoDigits
) -> LatencyHistogram {
  var histogram = LatencyHistogram(resolution)
  values.withUnsafeBufferPointer { histogram.record(contentsOf: $0) }
  return histogram
}

@Suite struct HistogramTests {
  @Test(arguments: [
    (LatencyHistogram.Resolution.twoDigits, SignificantDigits.two), (.threeDigits, .three),
  ])
  func bucketsAreThoseOfHdrHistogram(
    _ resolution: LatencyHistogram.Resolution, _ digits: SignificantDigits
  ) {
    let reference = Histogram<UInt64>(
      highestTrackableValue: UInt64(LatencyHistogram.greatestValue),
      numberOfSignificantValueDigits: digits)
    let layout = BucketLayout(resolution)
    for value in values(20_000, seed: 1).map(UInt64.init) + (0..<5000) {
      let bucket = layout.bucket(of: value)
      let (low, next) = (layout.lowerEdge(of: bucket), layout.lowerEdge(of: bucket + 1))
      #expect(low <= value && value < next)
      #expect(reference.valuesAreEquivalent(low, next - 1))
      #expect(!reference.valuesAreEquivalent(low, next))
    }
  }

  @Test(arguments: [LatencyHistogram.Resolution.twoDigits, .threeDigits])
  func quantilesLieInTheBucketOfTheExactRank(_ resolution: LatencyHistogram.Resolution) {
    let sample = values(9973, seed: 2)
    let histogram = recorded(sample, resolution)
    let sorted = sample.sorted()
    let layout = BucketLayout(resolution)
    for q in [0.001, 0.07, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999] {
      let exact = sorted[Int((q * Double(sample.count)).rounded(.up)) - 1]
      let found = histogram.quantile(q)
      #expect(layout.bucket(of: UInt64(found)) == layout.bucket(of: UInt64(exact)), "\(q)")
    }
    #expect(histogram.quantile(0) == sorted[0])
    #expect(histogram.quantile(1) == sorted[sorted.count - 1])
  }

  @Test func ranksAreNotMovedByRounding() {
    // 0.07 · 100 is a little above 7 as a double.
    #expect(recorded((1...100).map { $0 }).quantile(0.07) == 7)
    #expect(recorded([5]).quantile(0.5) == 5)
    #expect(LatencyHistogram().quantile(0.5) == 0)
  }

  @Test(arguments: LatencyHistogram.Resolution.allCases)
  func momentsAndExtremesAreExact(_ resolution: LatencyHistogram.Resolution) {
    let sample = values(5000, seed: 3)
    let histogram = recorded(sample, resolution)
    let sum = sample.reduce(0, +)
    #expect(histogram.count == 5000)
    #expect(histogram.sum == UInt128(sum))
    #expect(histogram.mean == Double(sum) / 5000)
    #expect(histogram.minimum == sample.min() ?? -1)
    #expect(histogram.maximum == sample.max() ?? -1)
  }

  @Test func theSumOfHalfATrillionMessagesFits() {
    var histogram = LatencyHistogram()
    for _ in 0..<4 { histogram.record(50_000_000_000, count: 1 << 40) }
    #expect(histogram.sum == 50_000_000_000 * (UInt128(1) << 42))
    #expect(histogram.mean == 50e9)
  }

  @Test func valuesOutOfRangeAreCountedAtTheEnds() {
    let histogram = recorded([-5, .min, .max, LatencyHistogram.greatestValue + 1])
    #expect(histogram.count == 4)
    #expect(histogram.minimum == 0)
    #expect(histogram.maximum == LatencyHistogram.greatestValue)
  }

  @Test func batchesLongerThanTheSumAllowsAreSplit() {
    let sample = [Int64](repeating: LatencyHistogram.greatestValue, count: (1 << 17) + 3)
    let histogram = recorded(sample)
    #expect(histogram.count == UInt64(sample.count))
    #expect(histogram.sum == UInt128(LatencyHistogram.greatestValue) * UInt128(sample.count))
  }

  @Test(arguments: LatencyHistogram.Resolution.allCases)
  func oneByOneInBatchesAndMergedAreTheSame(_ resolution: LatencyHistogram.Resolution) {
    let sample = values(4000, seed: 4)
    var single = LatencyHistogram(resolution)
    for value in sample { single.record(value) }
    #expect(single == recorded(sample, resolution))
    let parts = [Array(sample[..<1000]), Array(sample[1000..<1001]), Array(sample[1001...])]
    for order in [[0, 1, 2], [2, 0, 1]] {
      var merged = LatencyHistogram(resolution)
      for part in order { merged.merge(recorded(parts[part], resolution)) }
      merged.merge(LatencyHistogram(resolution))
      #expect(merged == single)
    }
    #expect(single != recorded(Array(sample.dropLast()), resolution))
  }

  @Test func coarseOnesHaveAtMostSixtyFourBuckets() {
    let sample = values(20_000, seed: 5) + [.max]
    let fine = recorded(sample)
    #expect(fine.coarsened() == recorded(sample, .coarse))
    #expect(fine.coarsened().buckets.count <= 64)
    #expect(fine.coarsened().counts.count == 64)
    // A half octave is at most half as wide as its start.
    let pairs = [0.1, 0.5, 0.9, 0.99].map { (fine.quantile($0), fine.coarsened().quantile($0)) }
    for (exact, rough) in pairs where exact > 2000 {
      #expect(abs(Double(rough - exact)) <= 0.51 * Double(exact))
    }
  }

  @Test func countsAboveALimitLeaveItsBucketOut() {
    let histogram = recorded([0, 1, 2, 100, 200])
    #expect(histogram.count(above: -1) == 5)
    #expect(histogram.count(above: 2) == 2)
    #expect(histogram.count(above: 200) == 0)
    #expect(histogram.count(above: .max) == 0)
  }

  @Test func resettingForgetsEverything() {
    var histogram = recorded([1, 2, 3])
    histogram.reset()
    #expect(histogram == LatencyHistogram())
    histogram.record(9)
    #expect(histogram == recorded([9]))
  }

  // MARK: Bytes

  @Test(arguments: LatencyHistogram.Resolution.allCases)
  func bytesRoundTrip(_ resolution: LatencyHistogram.Resolution) {
    for sample in [[], [0], [.max], values(3000, seed: 6)] {
      let histogram = recorded(sample, resolution)
      #expect(LatencyHistogram(encoded: histogram.encoded()) == histogram)
    }
  }

  @Test func bytesAreThoseOfTheDocument() {
    // 300 has two bits too many for m = 7: s = 1, index 128 + 150 = 278.
    var histogram = LatencyHistogram()
    histogram.record(3, count: 2)
    histogram.record(300, count: 200)
    #expect(
      histogram.encoded() == [
        1, 7,  // layout, m
        0xE6, 0xD4, 0x03,  // sum 60,006
        3, 0xAC, 0x02,  // least, greatest
        2,  // buckets
        3, 2,  // index 3, twice
        0x93, 0x02, 0xC8, 0x01,  // 275 further on, 200 times
      ])
  }

  @Test func damagedBytesAreRefused() {
    let bytes = recorded(values(50, seed: 7)).encoded()
    for length in 0..<bytes.count {
      #expect(LatencyHistogram(encoded: Array(bytes[..<length])) == nil)
    }
    #expect(LatencyHistogram(encoded: bytes + [0]) == nil)
    #expect(LatencyHistogram(encoded: [2] + bytes.dropFirst()) == nil)
    #expect(LatencyHistogram(encoded: [1, 3] + bytes.dropFirst(2)) == nil)
    // Any other change gives a histogram or nothing, never a crash.
    for position in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[position] ^= 1 << UInt8(bit)
        _ = LatencyHistogram(encoded: changed)?.quantile(0.5)
      }
    }
  }

  /// Both in one pass count as each alone does, at every edge.
  @Test func countsInBothAsInEachAlone() {
    var bits = Xoshiro256PlusPlus(seed: 7)
    var pair = (fine: LatencyHistogram(), coarse: LatencyHistogram.coarse())
    var alone = pair
    for round in 0..<200 {
      var values = (0..<300).map { _ in Int64(bits.next() >> (17 + bits.next() % 47)) }
      if round % 2 == 0 { values = values.filter { $0 < LatencyHistogram.greatestValue } }
      if round % 50 == 3 { values.append(-5) }
      values.withUnsafeBufferPointer {
        LatencyHistogram.record(contentsOf: $0, fine: &pair.fine, coarse: &pair.coarse)
        alone.fine.record(contentsOf: $0)
        alone.coarse.record(contentsOf: $0)
      }
    }
    #expect(pair.fine == alone.fine)
    #expect(pair.coarse == alone.coarse)
  }

  @Test func weightsInBothCountAsInEachAlone() {
    var bits = Xoshiro256PlusPlus(seed: 8)
    var pair = (fine: LatencyHistogram(), coarse: LatencyHistogram.coarse())
    var alone = pair
    for round in 0..<200 {
      var times = (0..<60).map { _ in
        CountedTime(Int64(bits.next() >> (17 + bits.next() % 47)), count: Int(bits.next() % 5))
      }
      if round % 50 == 3 { times.append(CountedTime(-5, count: 1 << 40)) }
      if round % 50 == 4 { times = [CountedTime(7, count: 0)] }
      times.withUnsafeBufferPointer {
        LatencyHistogram.record(counted: $0, fine: &pair.fine, coarse: &pair.coarse)
      }
      for time in times {
        alone.fine.record(time.nanoseconds, count: UInt64(time.count))
        alone.coarse.record(time.nanoseconds, count: UInt64(time.count))
      }
    }
    #expect(pair.fine == alone.fine)
    #expect(pair.coarse == alone.coarse)
  }
}
