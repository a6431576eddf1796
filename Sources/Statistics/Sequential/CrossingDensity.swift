import Foundation

/// The sub-density of a Brownian path that has stayed inside symmetric bounds so far.
///
/// The recursion of Armitage, McPherson & Rowe (1969): the density after a look is the density
/// before it, cut at the bound, convolved with the normal law of the next step. Held at
/// Gauss-Legendre nodes on the continuation interval.
struct CrossingDensity {
  private let rule: GaussLegendre
  private var time = 0.0
  /// Positions of the nodes, and density times weight there; empty before the first look.
  private var positions: [Double] = []
  private var masses: [Double] = []

  init(nodes: Int = 256) throws(StatisticsError) {
    rule = try GaussLegendre(count: nodes)
  }

  /// P(inside until now, and |S(t)| > z √t at the look at `time`).
  func crossing(z: Double, at next: Double) -> Double {
    let step = (next - time).squareRoot()
    guard !positions.isEmpty else { return 2 * Tails.normalAbove(z) }
    let bound = z * next.squareRoot()
    var sum = 0.0
    for (position, mass) in zip(positions, masses) {
      let above = Tails.normalAbove((bound - position) / step)
      let below = Tails.normalAbove((bound + position) / step)
      sum += mass * (above + below)
    }
    return sum
  }

  /// Continues with the paths that stay inside `z` at the look at `next`.
  mutating func advance(z: Double, to next: Double) {
    let bound = z * next.squareRoot()
    let step = (next - time).squareRoot()
    let newPositions = rule.nodes.map { $0 * bound }
    let newMasses = zip(newPositions, rule.weights).map { position, weight in
      weight * bound * density(at: position, step: step)
    }
    (positions, masses, time) = (newPositions, newMasses, next)
  }

  private func density(at position: Double, step: Double) -> Double {
    let scale = 1 / (step * (2 * Double.pi).squareRoot())
    guard !positions.isEmpty else {
      let u = position / step
      return scale * exp(-0.5 * u * u)
    }
    var sum = 0.0
    for (origin, mass) in zip(positions, masses) {
      let u = (position - origin) / step
      sum += mass * exp(-0.5 * u * u)
    }
    return scale * sum
  }
}
