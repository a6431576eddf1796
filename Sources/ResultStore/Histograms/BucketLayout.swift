/// Where the buckets of a resolution begin and end.
///
/// With m bits an octave, a value v below 2^(m+1) has the index v; a longer one is shifted right by
/// s until m+1 bits are left, and has the index s · 2^m + (v >> s).
struct BucketLayout: Sendable {
  private let bits: Int
  /// The index of bucket 0, which also takes all that is below.
  let first: Int
  /// The last bucket, which also takes all that is above.
  private let last: Int

  static let coarseBuckets = 64

  @inline(__always)
  init(_ resolution: LatencyHistogram.Resolution) {
    bits = Int(resolution.rawValue)
    if resolution == .coarse {
      first = 20
      last = BucketLayout.coarseBuckets - 1
    } else {
      first = 0
      last = .max
    }
  }

  @inline(__always)
  func bucket(of value: UInt64) -> Int {
    // Bit m set makes the shift of short values 0, without a branch.
    let shift = 63 - (value | (1 << UInt64(bits))).leadingZeroBitCount - bits
    let index =
      (shift << bits) + Int(truncatingIfNeeded: value >> UInt64(truncatingIfNeeded: shift))
    return max(0, min(index - first, last))
  }

  /// The least value of a bucket; 0 for the first.
  func lowerEdge(of bucket: Int) -> UInt64 {
    guard bucket > 0 else { return 0 }
    let index = bucket + first
    let shift = max(0, (index >> bits) - 1)
    return UInt64(index - (shift << bits)) << UInt64(shift)
  }
}
