extension LatencyHistogram {
  /// How `encoded` lays out its bytes, for docs/schema.md.
  static let layoutDescription = """
    The column `data` is a row of unsigned numbers. The first two are bytes: 1 (the version of this
    layout) and m (bits per octave: 1, 7 or 10). All others are LEB128: seven bits a byte, the low
    ones first, the top bit set in every byte but the last. They are: the sum of the values, the
    least, the greatest, the number of buckets that follow, and for each bucket the distance of its
    index from that of the bucket before (the first: from 0) and its count. Values are nanoseconds.

    Index i means, with s = max(0, (i >> m) - 1), the values from (i - (s << m)) << s up to, and
    without, the same for i + 1. With m = 1 the least index, 20, also holds all shorter times, and
    the greatest, 83, all longer ones. To merge histograms of equal m, add counts of equal indices.
    """

  private static let version: UInt8 = 1

  /// The nonzero buckets in a few bytes each.
  public func encoded() -> [UInt8] {
    let first = BucketLayout(resolution).first
    let used = counts.indices.filter { counts[$0] > 0 }
    var bytes = [Self.version, resolution.rawValue]
    for number in [sum, UInt128(minimum), UInt128(maximum), UInt128(used.count)] {
      LEB128.append(number, to: &bytes)
    }
    var previous = 0
    for bucket in used {
      LEB128.append(UInt128(bucket + first - previous), to: &bytes)
      LEB128.append(UInt128(counts[bucket]), to: &bytes)
      previous = bucket + first
    }
    return bytes
  }

  /// Reads what `encoded` has written; nil for anything else.
  public init?(encoded bytes: [UInt8]) {
    guard bytes.count >= 2, bytes[0] == Self.version,
      let resolution = Resolution(rawValue: bytes[1])
    else { return nil }
    var rest = bytes[2...]
    guard let sum = LEB128.read(&rest), let least = LEB128.read64(&rest),
      let greatest = LEB128.read64(&rest), let used = LEB128.read64(&rest),
      greatest <= Self.greatestValue, used <= rest.count
    else { return nil }
    let layout = BucketLayout(resolution)
    let size = used == 0 ? 0 : layout.bucket(of: greatest) + 1
    var counts = [UInt64](repeating: 0, count: size)
    var index = 0
    for _ in 0..<used {
      guard let gap = LEB128.read64(&rest), let count = LEB128.read64(&rest), count > 0,
        gap < UInt64(Int32.max)
      else { return nil }
      index += Int(gap)
      let bucket = index - layout.first
      guard counts.indices.contains(bucket), counts[bucket] == 0 else { return nil }
      counts[bucket] = count
    }
    guard rest.isEmpty else { return nil }
    self.init(
      resolution, counts: counts, sum: sum, least: used == 0 ? .max : least, greatest: greatest)
  }
}

/// Unsigned numbers, seven bits a byte.
enum LEB128 {
  static func append(_ number: UInt128, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Takes one number off the front; nil when the bytes end within it or it exceeds 128 bits.
  static func read(_ bytes: inout ArraySlice<UInt8>) -> UInt128? {
    var result: UInt128 = 0
    var shift: UInt128 = 0
    while let byte = bytes.popFirst() {
      let part = UInt128(byte & 0x7F)
      guard shift < 128, ((part << shift) >> shift) == part else { return nil }
      result |= part << shift
      if byte < 0x80 { return result }
      shift += 7
    }
    return nil
  }

  static func read64(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    read(&bytes).flatMap { UInt64(exactly: $0) }
  }
}
