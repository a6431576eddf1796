/// Counts of times in nanoseconds, in buckets whose width grows with the value.
///
/// The buckets are those of HdrHistogram (G. Tene): all values below 2^(m+1) have a bucket of their
/// own, and each octave above is cut into 2^m of equal width. With m = 7 that is two significant
/// digits (0.8 % at most between two values of a bucket), with m = 10 three. `coarse()` cuts octaves
/// in two and has at most 64 buckets. Count, sum, least and greatest are exact at every resolution, and
/// merging in any order gives the same histogram.
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

  /// Longer times are counted as this long (39 hours); it bounds the memory.
  public static let greatestValue: UInt64 = (1 << 47) - 1

  public var isEmpty: Bool { count == 0 }

  /// The least value, exact; 0 when there is none.
  public var minimum: Int64 { isEmpty ? 0 : Int64(least) }

  /// The greatest value, exact; 0 when there is none.
  public var maximum: Int64 { Int64(greatest) }

  /// The exact mean; 0 when there is no value.
  public var mean: Double { isEmpty ? 0 : Double(sum) / Double(count) }

  /// Counts every value once; negative ones as 0. About 2 ns a value.
  public mutating func record(contentsOf values: UnsafeBufferPointer<Int64>) {
    guard !values.isEmpty else { return }
    var low = Int64.max
    var high = Int64.min
    for value in values {
      low = min(low, value)
      high = max(high, value)
    }
    let top = Self.clamped(high)
    reserve(bucket: bucket(of: top))
    var total: UInt64 = 0
    let (shift, skipped, last) = (resolution.octaveBits, resolution.firstBucket, counts.count - 1)
    counts.withUnsafeMutableBufferPointer { counts in
      for value in values {
        let bounded = Self.clamped(value)
        // 2^47 times any number of values that fits memory stays below 2^64 for 131,072 values.
        total &+= bounded
        let raw = BucketLayout.index(of: bounded, octaveBits: shift) &- skipped
        counts[max(0, min(raw, last))] &+= 1
      }
    }
    add(count: UInt64(values.count), sum: UInt128(total), least: Self.clamped(low), greatest: top)
  }

  /// Counts one value `count` times.
  public mutating func record(_ value: Int64, count: UInt64) {
    guard count > 0 else { return }
    let bounded = Self.clamped(value)
    let position = bucket(of: bounded)
    reserve(bucket: position)
    counts[position] += count
    add(
      count: count, sum: UInt128(bounded) * UInt128(count), least: bounded, greatest: bounded)
  }

  /// Adds the counts of another histogram; one of another resolution is entered bucket by bucket, at their greatest
  /// values.
  public mutating func merge(_ other: LatencyHistogram) {
    guard other.count > 0 else { return }
    if other.resolution == resolution {
      reserve(bucket: other.counts.count - 1)
      for (index, inBucket) in other.counts.enumerated() { counts[index] += inBucket }
    } else {
      for (index, inBucket) in other.counts.enumerated() where inBucket > 0 {
        let bound = BucketLayout.greatestValue(
          of: index + other.resolution.firstBucket, octaveBits: other.resolution.octaveBits)
        let position = bucket(of: min(bound, other.greatest))
        reserve(bucket: position)
        counts[position] += inBucket
      }
    }
    add(count: other.count, sum: other.sum, least: other.least, greatest: other.greatest)
  }

  /// Forgets everything, and keeps its memory.
  public mutating func reset() {
    for index in counts.indices { counts[index] = 0 }
    count = 0
    sum = 0
    least = .max
    greatest = 0
  }

  mutating func reserve(bucket: Int) {
    if bucket >= counts.count {
      counts.append(contentsOf: repeatElement(0, count: bucket + 1 - counts.count))
    }
  }

  mutating func add(count added: UInt64, sum total: UInt128, least low: UInt64, greatest high: UInt64) {
    count += added
    sum += total
    least = min(least, low)
    greatest = max(greatest, high)
  }
}
