/// Jump consistent hashing: a bucket of n without any table, where growth from n to n + 1 moves one
/// key in n + 1. Buckets come and go at the end only, so it shards what never fails.
/// (Lamping and Veach, 2014.)
public enum JumpHash {
  /// The bucket of a key, from 0. Precondition: there is a bucket. O(ln n) expected.
  public static func bucket(key: UInt64, buckets: Int) -> Int {
    precondition(buckets > 0, "a key needs a bucket")
    var state = key
    var bucket: Int64 = -1
    var next: Int64 = 0
    while next < Int64(buckets) {
      bucket = next
      state = state &* 2_862_933_555_777_941_757 &+ 1
      let step = Double(1 << 31) / Double((state >> 33) + 1)
      next = Int64(Double(bucket + 1) * step)
    }
    return Int(bucket)
  }
}
