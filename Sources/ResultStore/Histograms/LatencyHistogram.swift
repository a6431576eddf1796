import Primitives

/// Counts of times in nanoseconds, in buckets whose width grows with the value.
///
/// The buckets are those of HdrHistogram (G. Tene): all values below 2^(m+1) have a bucket of their
/// own, and each octave above is cut into 2^m of equal width. With m = 7 that is two significant
/// digits (0.8 % at most between two values of a bucket), with m = 10 three. `coarse()` halves
/// octaves and has at most 64 buckets. Count, sum, least and greatest are exact at every
/// resolution, and merging in any order gives the same histogram.
///
/// Memory grows with the greatest value: 20 KiB for 100 ms at two digits.
public struct LatencyHistogram: Sendable, Equatable {
  public enum Resolution: UInt8, Sendable, CaseIterable {
    /// Half octaves from 1,024 ns to about an hour; shorter and longer ones join the outermost.
    case coarse = 1
    case twoDigits = 7
    case threeDigits = 10
  }

  public let resolution: Resolution
  /// By bucket; as long as the greatest bucket in use needs.
  private(set) var counts: [UInt64] = []
  public private(set) var count: UInt64 = 0
  public private(set) var sum: UInt128 = 0
  private var least = UInt64.max
  private var greatest: UInt64 = 0

  public init(_ resolution: Resolution = .twoDigits) { self.resolution = resolution }

  /// At most 64 buckets, for the many lanes and services.
  public static func coarse() -> LatencyHistogram { .init(.coarse) }

  /// Asks for the memory of all buckets of a coarse one, so that no later value does.
  public mutating func reserveAll() {
    if resolution == .coarse { counts.reserveCapacity(BucketLayout.coarseBuckets) }
  }

  /// Longer times are counted as this long (39 hours), which bounds the memory.
  public static let greatestValue: Int64 = (1 << 47) - 1

  public var isEmpty: Bool { count == 0 }

  /// The least value, exact; 0 when there is none.
  public var minimum: Int64 { isEmpty ? 0 : Int64(least) }

  /// The greatest value, exact; 0 when there is none.
  public var maximum: Int64 { Int64(greatest) }

  /// The exact mean; 0 when there is no value.
  public var mean: Double { isEmpty ? 0 : Double(sum) / Double(count) }

  /// Counts every value once; negative ones as 0.
  public mutating func record(contentsOf values: UnsafeBufferPointer<Int64>) {
    // As many values of 47 bits have a sum that fits 64.
    let most = 1 << 17
    var rest = values[...]
    while !rest.isEmpty {
      recordPart(UnsafeBufferPointer(rebasing: rest.prefix(most)))
      rest = rest.dropFirst(most)
    }
  }

  private mutating func recordPart(_ values: UnsafeBufferPointer<Int64>) {
    var low = Self.greatestValue
    var high: Int64 = 0
    for value in values {
      low = min(low, value)
      high = max(high, value)
    }
    low = max(low, 0)
    high = min(high, Self.greatestValue)
    let buckets = BucketLayout(resolution)
    reserve(buckets.bucket(of: UInt64(high)))
    var total: UInt64 = 0
    counts.withUnsafeMutableBufferPointer { counts in
      for value in values {
        let bounded = Self.bounded(value)
        total &+= bounded
        counts[buckets.bucket(of: bounded)] &+= 1
      }
    }
    add(UInt64(values.count), sum: UInt128(total), from: UInt64(low), to: UInt64(high))
  }

  /// Counts every value once in both, at two digits and coarsely, in one pass: a coarse bucket
  /// holds whole fine ones, 64 at a time.
  public static func record(
    contentsOf values: UnsafeBufferPointer<Int64>, fine: inout LatencyHistogram,
    coarse: inout LatencyHistogram
  ) {
    precondition(fine.resolution == .twoDigits && coarse.resolution == .coarse, "two and coarse")
    var low = greatestValue
    var high: Int64 = 0
    for value in values {
      low = min(low, value)
      high = max(high, value)
    }
    guard low >= 0, high < greatestValue, values.count < 1 << 16 else {
      fine.record(contentsOf: values)
      return coarse.record(contentsOf: values)
    }
    fine.reserve(BucketLayout(.twoDigits).bucket(of: UInt64(high)))
    coarse.reserve(BucketLayout(.coarse).bucket(of: UInt64(high)))
    var total: UInt64 = 0
    fine.counts.withUnsafeMutableBufferPointer { fine in
      coarse.counts.withUnsafeMutableBufferPointer { coarse in
        for value in values {
          let bits = UInt64(bitPattern: value)
          total &+= bits
          let shift = 56 &- (bits | 128).leadingZeroBitCount
          let bucket =
            shift &<< 7 &+ Int(truncatingIfNeeded: bits &>> UInt64(truncatingIfNeeded: shift))
          fine[bucket] &+= 1
          coarse[max(0, min(bucket >> 6 &- 8, BucketLayout.coarseBuckets &- 1))] &+= 1
        }
      }
    }
    let count = UInt64(values.count)
    fine.add(count, sum: UInt128(total), from: UInt64(low), to: UInt64(high))
    coarse.add(count, sum: UInt128(total), from: UInt64(low), to: UInt64(high))
  }

  /// Counts every value as often as it stands for, in both, at two digits and coarsely, in one
  /// pass. Negative values count as 0, counts below 1 as none.
  public static func record(
    counted times: UnsafeBufferPointer<CountedTime>, fine: inout LatencyHistogram,
    coarse: inout LatencyHistogram
  ) {
    precondition(fine.resolution == .twoDigits && coarse.resolution == .coarse, "two and coarse")
    var (least, greatest, count, sum) = (UInt64.max, UInt64(0), UInt64(0), UInt128(0))
    for time in times where time.count > 0 {
      let bounded = bounded(time.nanoseconds)
      least = min(least, bounded)
      greatest = max(greatest, bounded)
      count += UInt64(time.count)
      sum += UInt128(bounded) * UInt128(time.count)
    }
    guard count > 0 else { return }
    fine.reserve(BucketLayout(.twoDigits).bucket(of: greatest))
    coarse.reserve(BucketLayout(.coarse).bucket(of: greatest))
    fine.counts.withUnsafeMutableBufferPointer { fine in
      coarse.counts.withUnsafeMutableBufferPointer { coarse in
        for time in times where time.count > 0 {
          let bounded = bounded(time.nanoseconds)
          fine[BucketLayout(.twoDigits).bucket(of: bounded)] += UInt64(time.count)
          coarse[BucketLayout(.coarse).bucket(of: bounded)] += UInt64(time.count)
        }
      }
    }
    fine.add(count, sum: sum, from: least, to: greatest)
    coarse.add(count, sum: sum, from: least, to: greatest)
  }

  /// Counts one value `count` times.
  public mutating func record(_ value: Int64, count: UInt64 = 1) {
    guard count > 0 else { return }
    let bounded = Self.bounded(value)
    let bucket = BucketLayout(resolution).bucket(of: bounded)
    reserve(bucket)
    counts[bucket] += count
    add(count, sum: UInt128(bounded) * UInt128(count), from: bounded, to: bounded)
  }

  /// Adds all that `other` has counted. Both have the same resolution.
  public mutating func merge(_ other: LatencyHistogram) {
    precondition(resolution == other.resolution, "histograms of two resolutions do not add up")
    guard !other.isEmpty else { return }
    let used = other.usedBuckets
    reserve(used.upperBound)
    for bucket in used { counts[bucket] += other.counts[bucket] }
    add(other.count, sum: other.sum, from: other.least, to: other.greatest)
  }

  /// From the bucket of the least value to that of the greatest. Precondition: there is a value.
  var usedBuckets: ClosedRange<Int> {
    let layout = BucketLayout(resolution)
    return layout.bucket(of: least)...layout.bucket(of: greatest)
  }

  /// Forgets everything and keeps the memory.
  public mutating func reset() {
    guard !isEmpty else { return }
    for bucket in usedBuckets { counts[bucket] = 0 }
    count = 0
    sum = 0
    least = .max
    greatest = 0
  }

  /// The same counts in at most 64 buckets.
  public func coarsened() -> LatencyHistogram {
    let fine = BucketLayout(resolution)
    let rough = BucketLayout(.coarse)
    var result = LatencyHistogram.coarse()
    guard !isEmpty else { return result }
    result.reserve(rough.bucket(of: greatest))
    for (bucket, count) in counts.enumerated() where count > 0 {
      result.counts[rough.bucket(of: fine.lowerEdge(of: bucket))] += count
    }
    result.add(count, sum: sum, from: least, to: greatest)
    return result
  }

  /// Makes one from its parts, or nil if they contradict each other.
  init?(
    _ resolution: Resolution, counts: [UInt64], sum: UInt128, least: UInt64, greatest: UInt64
  ) {
    self.init(resolution)
    let layout = BucketLayout(resolution)
    var total: UInt64 = 0
    for count in counts {
      let (partial, overflow) = total.addingReportingOverflow(count)
      guard !overflow else { return nil }
      total = partial
    }
    if total == 0 {
      guard sum == 0, greatest == 0, counts.isEmpty else { return nil }
      return
    }
    guard least <= greatest, greatest <= Self.greatestValue,
      counts.firstIndex(where: { $0 > 0 }) == layout.bucket(of: least),
      counts.count - 1 == layout.bucket(of: greatest), counts.last != 0
    else { return nil }
    self.counts = counts
    add(total, sum: sum, from: least, to: greatest)
  }

  private mutating func add(_ more: UInt64, sum extra: UInt128, from low: UInt64, to high: UInt64) {
    count += more
    sum += extra
    least = min(least, low)
    greatest = max(greatest, high)
  }

  private mutating func reserve(_ bucket: Int) {
    let missing = bucket + 1 - counts.count
    guard missing > 0 else { return }
    // In large steps, so that a new greatest value hardly ever asks for memory.
    let step = resolution == .coarse ? BucketLayout.coarseBuckets : 1024
    counts.reserveCapacity((bucket / step + 1) * step)
    counts.append(contentsOf: repeatElement(0, count: missing))
  }

  @inline(__always)
  private static func bounded(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: max(0, min(value, greatestValue)))
  }

  /// Equal when the same values were recorded; memory kept by `reset` does not count.
  public static func == (a: Self, b: Self) -> Bool {
    guard a.resolution == b.resolution, a.count == b.count, a.sum == b.sum, a.least == b.least,
      a.greatest == b.greatest
    else { return false }
    let common = min(a.counts.count, b.counts.count)
    return a.counts[..<common] == b.counts[..<common]
      && a.counts[common...].allSatisfy { $0 == 0 } && b.counts[common...].allSatisfy { $0 == 0 }
  }
}
