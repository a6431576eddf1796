import Primitives

/// What the layer-7 balancer of a region wants done.
public protocol RegionBalancerEffects {
  /// Traffic of lanes at home in `origin` goes by these weights from an instant on. A set with a
  /// lower number than one that was heard is out of date.
  mutating func setWeights(_ weights: [Int], from origin: Int, at instant: Instant, number: UInt64)
}

/// The layer-7 balancer of a region: hears how many hosts of each place are healthy, and tells the
/// weights that change.
public struct RegionBalancer: Sendable {
  public let rules: FailoverWeights.Rules
  public let window: Nanoseconds
  public private(set) var places: [FailoverWeights.Place]
  /// By origin, those told last.
  public private(set) var weights: [[Int]]
  private var number: UInt64 = 0

  /// - Parameters:
  ///   - places: as the balancer takes them to be at the beginning.
  ///   - window: what a change needs to reach all clusters.
  public init(
    places: [FailoverWeights.Place], rules: FailoverWeights.Rules, window: Nanoseconds
  ) {
    self.rules = rules
    self.window = window
    self.places = places
    weights = places.indices.map { FailoverWeights.weights(from: $0, places: places, rules: rules) }
  }

  /// A place has so many healthy and degraded hosts.
  ///
  /// - Complexity: O(places²) where that is news, over the places of one region; else O(1).
  public mutating func hears(
    healthy: Int, degraded: Int = 0, of place: Int, at now: Instant,
    into effects: inout some RegionBalancerEffects
  ) {
    guard places[place].healthy != healthy || places[place].degraded != degraded else { return }
    places[place].healthy = healthy
    places[place].degraded = degraded
    update(at: now, into: &effects)
  }

  /// A place is taken out, or given back, by hand.
  public mutating func drain(
    _ place: Int, _ isDrained: Bool, at now: Instant, into effects: inout some RegionBalancerEffects
  ) {
    guard places[place].isDrained != isDrained else { return }
    places[place].isDrained = isDrained
    update(at: now, into: &effects)
  }

  private mutating func update(at now: Instant, into effects: inout some RegionBalancerEffects) {
    let instant = FailoverWeights.effectiveTime(decidedAt: now, window: window)
    for origin in places.indices {
      let fresh = FailoverWeights.weights(from: origin, places: places, rules: rules)
      guard fresh != weights[origin] else { continue }
      weights[origin] = fresh
      number += 1
      effects.setWeights(fresh, from: origin, at: instant, number: number)
    }
  }

  public borrowing func clone() -> Self { copy self }
}
