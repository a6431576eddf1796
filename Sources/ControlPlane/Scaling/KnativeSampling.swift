/// How Knative's autoscaler and activator divide their work over pods.
public enum KnativeSampling {
  /// Pods that one scrape asks for the load of all: 95 % confidence of a tenth, by Cochran's
  /// formula for a small population. (serving, `pkg/autoscaler/metrics/sample_size.go`.)
  public static func size(population: Int) -> Int {
    guard population > 3 else { return max(0, population) }
    // 1.96² x 100 / 25: the z-score, a variance of 100 and a margin of 5.
    let x = 1.96 * 1.96 * 100 / 25
    let n = Double(population)
    return Int((n * x / (n + x - 1)).rounded(.up))
  }

  /// The pods that one of several activators sends to, and how many at the end are shared by turn:
  /// with fewer pods than activators they wrap around. (serving, `pkg/activator/net`, pickIndices.)
  public static func share(
    pods: Int, activators: Int, index: Int
  ) -> (range: Range<Int>, remnants: Int) {
    guard pods > activators else {
      let begin = index % max(1, pods)
      return (begin..<(begin + 1), 0)
    }
    let size = pods / activators
    return ((index * size)..<((index + 1) * size), pods % activators)
  }
}
