/// Buckets of HdrHistogram: position of a value, and the values of a position.
enum BucketLayout {
  /// Values below 2^(octaveBits + 1) have a bucket each; every octave above has 2^octaveBits.
  @inline(__always) static func index(of value: UInt64, octaveBits: Int) -> Int {
    let width = 64 - value.leadingZeroBitCount
    let exponent = max(0, width - octaveBits - 1)
    return exponent << octaveBits + Int(value >> UInt64(exponent))
  }

  /// The greatest value of a bucket.
  static func greatestValue(of index: Int, octaveBits: Int) -> UInt64 {
    let exponent = max(0, (index >> octaveBits) - 1)
    let mantissa = UInt64(index - exponent << octaveBits)
    return ((mantissa + 1) << UInt64(exponent)) - 1
  }
}

extension LatencyHistogram.Resolution {
  var octaveBits: Int { Int(rawValue) }

  /// Buckets below this one are joined to it.
  var firstBucket: Int { self == .coarse ? BucketLayout.index(of: 1024, octaveBits: octaveBits) : 0 }

  /// Buckets from here on are joined to the last.
  var bucketLimit: Int { self == .coarse ? 64 : .max }
}

extension LatencyHistogram {
  @inline(__always) static func clamped(_ value: Int64) -> UInt64 {
    UInt64(max(0, min(value, Int64(greatestValue))))
  }

  func bucket(of value: UInt64) -> Int {
    let raw = BucketLayout.index(of: value, octaveBits: resolution.octaveBits)
    return min(max(0, raw - resolution.firstBucket), resolution.bucketLimit - 1)
  }

  /// The nearest rank: the greatest value of the bucket that holds it, never beyond the exact extremes.
  /// - Parameter p: between 0 and 1.
  public func quantile(_ p: Double) -> Int64 {
    guard count > 0 else { return 0 }
    let rank = max(1, min(Double(count), (p * Double(count)).rounded(.up)))
    var seen: UInt64 = 0
    for (index, inBucket) in counts.enumerated() {
      seen += inBucket
      guard Double(seen) >= rank else { continue }
      let bound = BucketLayout.greatestValue(
        of: index + resolution.firstBucket, octaveBits: resolution.octaveBits)
      return max(minimum, min(maximum, Int64(bound)))
    }
    return maximum
  }

  /// Values above a limit, to the resolution of a bucket.
  public func count(above limit: Int64) -> UInt64 {
    let first = bucket(of: Self.clamped(limit)) + 1
    return first < counts.count ? counts[first...].reduce(0, +) : 0
  }

  /// The bytes of the `data` column: resolution, count of buckets, then (position, count) of those in use, each as a
  /// variable-length integer of seven bits a byte, least first; positions as differences.
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    func put(_ value: UInt64) {
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
    put(UInt64(resolution.rawValue))
    put(UInt64(counts.count { $0 > 0 }))
    var last = 0
    for (index, inBucket) in counts.enumerated() where inBucket > 0 {
      put(UInt64(index - last))
      put(inBucket)
      last = index
    }
    return bytes
  }
}
