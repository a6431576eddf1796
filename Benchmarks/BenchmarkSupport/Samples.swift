import Glibc

/// How often a benchmark is repeated.
public enum Samples {
  /// 15, or what `HEADROOM_BENCH_SAMPLES` says: work counts need few, times need many.
  public static let count: Int = {
    guard let text = getenv("HEADROOM_BENCH_SAMPLES") else { return 15 }
    return max(1, Int(String(cString: text)) ?? 15)
  }()
}
