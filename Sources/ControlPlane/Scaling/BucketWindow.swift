import Primitives

/// What was recorded in the last while, in buckets of one length: a sliding window whose average
/// costs no more than the buckets passed since the last record.
///
/// The rule is Knative's (serving, `pkg/autoscaler/aggregation`, TimedFloat64Buckets): gaps between
/// the first and the last record count as zero; the average is over the buckets since the first
/// record, at most those of the window, and is rounded to six digits; a record older than the
/// window is ignored. Records of the same bucket add up, so the lanes of a service may report one
/// by one.
public struct BucketWindow: Sendable {
  /// Length of a bucket.
  public let granularity: Nanoseconds
  /// A ring: the bucket numbered n is at n mod count.
  private var buckets: [Double]
  private var sum = 0.0
  /// Numbers of the first and last buckets written; nil before the first record.
  private var first: Int64?
  private var last: Int64 = 0
  /// Buckets that are not zero, so that an idle window can be told from one with rounding errors.
  private var occupied = 0

  /// Precondition: both lengths are positive.
  public init(length: Nanoseconds, granularity: Nanoseconds = .seconds(1)) {
    precondition(length.count > 0 && granularity.count > 0, "a window and its buckets have length")
    self.granularity = granularity
    buckets = Array(repeating: 0, count: Self.count(length, granularity))
  }

  private static func count(_ length: Nanoseconds, _ granularity: Nanoseconds) -> Int {
    Int((length.count - 1) / granularity.count) + 1
  }

  private func number(_ instant: Instant) -> Int64 {
    let (quotient, rest) = instant.nanoseconds.quotientAndRemainder(dividingBy: granularity.count)
    return rest < 0 ? quotient - 1 : quotient
  }

  private func slot(_ number: Int64) -> Int {
    let count = Int64(buckets.count)
    return Int(((number % count) + count) % count)
  }

  public var bucketCount: Int { buckets.count }
  /// Whether nothing but zeros is in the window as of its last record.
  public var isZero: Bool { occupied == 0 }

  /// Adds to the bucket of an instant. O(1), and the buckets skipped since the last record.
  public mutating func record(_ value: Double, at instant: Instant) {
    let bucket = number(instant)
    let count = Int64(buckets.count)
    guard let earliest = first else {
      first = bucket
      last = bucket
      add(value, to: bucket)
      return
    }
    guard bucket > last - count else { return }
    first = min(earliest, bucket)
    if bucket >= last + count {
      first = bucket
      clear()
      last = bucket
    } else if bucket > last {
      for passed in last + 1...bucket { empty(passed) }
      last = bucket
    }
    add(value, to: bucket)
  }

  /// Adds to the bucket of an instant and to those before it, `count` in all: a mean over so long.
  /// O(count), at most the buckets of the window.
  public mutating func record(_ value: Double, at instant: Instant, buckets count: Int) {
    for before in (0..<min(count, buckets.count)).reversed() {
      record(value, at: instant - granularity * Int64(before))
    }
  }

  private mutating func clear() {
    for index in buckets.indices { buckets[index] = 0 }
    sum = 0
    occupied = 0
  }

  private mutating func add(_ value: Double, to bucket: Int64) {
    let index = slot(bucket)
    let before = buckets[index]
    buckets[index] = before + value
    sum += value
    occupied += (before + value != 0 ? 1 : 0) - (before != 0 ? 1 : 0)
  }

  private mutating func empty(_ bucket: Int64) {
    let index = slot(bucket)
    guard buckets[index] != 0 else { return }
    sum -= buckets[index]
    buckets[index] = 0
    occupied -= 1
    if occupied == 0 { sum = 0 }
  }

  /// The buckets that are in the window at an instant and those before the last record that have
  /// left it; nil when all have, or when nothing was recorded.
  private func aged(at now: Instant) -> Int? {
    guard first != nil else { return nil }
    let age = number(now) - last
    return age < Int64(buckets.count) ? Int(max(0, age)) : nil
  }

  /// Sum of what the window holds at an instant; an instant before the last record sees it whole.
  public func total(at now: Instant) -> Double {
    guard let age = aged(at: now) else { return 0 }
    guard age > 0 else { return sum }
    var rest = sum
    for passed in last + 1...last + Int64(age) { rest -= buckets[slot(passed)] }
    return rest
  }

  /// Mean of the buckets since the first record, at most those of the window, rounded to six
  /// digits.
  public func average(at now: Instant) -> Double {
    guard let age = aged(at: now), let first else { return 0 }
    let covered = min(Int(last - first) + 1, buckets.count - age)
    return Self.rounded(total(at: now) / Double(covered))
  }

  /// Weighted mean in which the newest bucket has weight m, the one before m (1 - m), and so on,
  /// with m = `smoothing(buckets:)`. O(buckets).
  public func weightedAverage(at now: Instant) -> Double {
    guard let age = aged(at: now) else { return 0 }
    let smoothing = Self.smoothing(buckets: buckets.count)
    var weight = smoothing
    var mean = 0.0
    for step in 0..<buckets.count {
      if step >= age { mean += buckets[slot(last + Int64(age - step))] * weight }
      weight *= 1 - smoothing
    }
    return mean
  }

  /// The weight of the newest of n buckets: all weights together are 0.9999, and it is at least
  /// 0.2.
  public static func smoothing(buckets: Int) -> Double {
    max(1 - Elementary.pow(1 - 0.9999, 1 / Double(buckets)), 0.2)
  }

  private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }

  /// Changes the length, keeping the newest buckets. As upstream, the first record is then taken to
  /// be as old as the old window could hold.
  public mutating func resize(length: Nanoseconds) {
    let count = Self.count(length, granularity)
    guard count != buckets.count else { return }
    var resized = Self(length: length, granularity: granularity)
    if first != nil {
      resized.first = last - Int64(buckets.count - 1)
      resized.last = last
      for number in last - Int64(min(count, buckets.count) - 1)...last {
        resized.add(buckets[slot(number)], to: number)
      }
    }
    self = resized
  }
}
