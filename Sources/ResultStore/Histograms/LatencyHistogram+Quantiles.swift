extension LatencyHistogram {
  /// The time that a share `q` of the values does not exceed: the value of rank ⌈q · count⌉,
  /// placed in its bucket as if the bucket's values lay evenly, and never beyond the exact least
  /// and greatest. 0 when there is no value. Linear in the buckets
  /// between these.
  public func quantile(_ q: Double) -> Int64 {
    precondition(q >= 0 && q <= 1, "a quantile is a share")
    guard !isEmpty else { return 0 }
    // One step down, so that 0.07 · 100 is rank 7 and not 8.
    let wanted = (q * Double(count)).nextDown.rounded(.up)
    let rank = max(1, wanted >= Double(count) ? count : UInt64(wanted))
    if rank == 1 { return minimum }
    if rank == count { return maximum }
    var before: UInt64 = 0
    for bucket in usedBuckets {
      let inside = counts[bucket]
      if before + inside >= rank {
        return value(in: bucket, at: (Double(rank - before) - 0.5) / Double(inside))
      }
      before += inside
    }
    return maximum
  }

  /// Values above a limit, to the resolution of a bucket: those of the limit's own do not count.
  public func count(above limit: Int64) -> UInt64 {
    let next = limit < 0 ? 0 : BucketLayout(resolution).bucket(of: UInt64(limit)) + 1
    return next < counts.count ? counts[next...].reduce(0, +) : 0
  }

  /// The buckets with something in them: least value, the least value of the next, and count.
  public var buckets: [(from: Int64, upTo: Int64, count: UInt64)] {
    counts.enumerated().filter { $0.element > 0 }.map { bucket, count in
      let (low, high) = edges(of: bucket)
      return (Int64(low), Int64(high), count)
    }
  }

  private func value(in bucket: Int, at place: Double) -> Int64 {
    let (low, high) = edges(of: bucket)
    let inside = Double(low) + place * Double(high - low)
    return max(minimum, min(maximum, Int64(inside.rounded(.down))))
  }

  private func edges(of bucket: Int) -> (UInt64, UInt64) {
    let layout = BucketLayout(resolution)
    let low = layout.lowerEdge(of: bucket)
    let isOutermost = resolution == .coarse && bucket == BucketLayout.coarseBuckets - 1
    return (low, isOutermost ? UInt64(maximum) + 1 : layout.lowerEdge(of: bucket + 1))
  }
}
