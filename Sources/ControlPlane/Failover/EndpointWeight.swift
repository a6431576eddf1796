import Primitives

/// Weights of single hosts that change with time and load. Envoy's rules (published).
public enum EndpointWeight {
  /// A host that is new takes its full weight only after a window (`slow_start.rst`):
  /// weight × max(least share, (max(elapsed, 1 s) / window)^(1 / aggression)).
  ///
  /// - Parameters:
  ///   - aggression: 1: linear; above, faster at first.
  ///   - least: share of the weight that it has at once, 0...1; published: 0.1.
  public static func slowStart(
    weight: Double, elapsed: Nanoseconds, window: Nanoseconds, aggression: Double = 1,
    least: Double = 0.1
  ) -> Double {
    guard elapsed < window else { return weight }
    let part = max(elapsed, .seconds(1)).seconds / window.seconds
    let factor = aggression == 1 ? part : Elementary.pow(part, 1 / aggression)
    return weight * min(1, max(least, factor))
  }

  /// Weighted least request (`least_request_lb.cc`): weight / (active + 1)^bias.
  public static func leastRequest(weight: Double, active: Int, bias: Double) -> Double {
    if bias == 0 { return weight }
    let load = Double(active + 1)
    return weight / (bias == 1 ? load : Elementary.pow(load, bias))
  }
}
