import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// Which fidelity a lane has by its own state, for runs that leave it to the lane.
///
/// The bounds are those inside which flow's errors were measured to be small (docs/fidelity.md); a
/// lane that is at request fidelity goes to flow only at half of them, so that none changes sides
/// at every review.
struct FidelityRule: Sendable {
  /// Arrivals a second below which single requests cost less than steps: two in the longest step,
  /// and two in a step of a lane whose capacity changes.
  static let leastRate = 2.0
  static let leastElasticRate = 20.0
  /// Mean service time, seconds, from which the instances in use are a slow process of their own: a
  /// third of the longest step.
  static let longestElasticService = 1.0 / 3
  /// Share of what instances do with one message in each delivery, up to which windows have room:
  /// where they are full all the time a delivery of many costs a request no more than one.
  static let mostSingle = 0.95
  /// Share of attempts that clients leave though they begin at once, and load of all attempts ÷
  /// slots, from which on a chance run may tip a lane over.
  static let leastLateShare = 0.02
  static let mostBeforeStorm = 0.7

  /// Share of what wide windows let through, up to which flow takes them for wider still.
  static let mostOfWideWindows = 0.5
  /// The same of windows of 1, 2, 4 and 8 messages: the load from which a message waits for its
  /// window by 2 % of a service on average, for lognormal services of a coefficient of variation of
  /// 1 (computed by the recursion of `FlowWindows`; by 2 ÷ (1 + c²) for others, to a fifth).
  private static let ofNarrowWindows = [0.02, 0.1, 0.2, 0.276]
  static let leastWide = 16

  static func mostOfWindows(_ window: Int, squaredCV: Double) -> Double {
    guard window < leastWide else { return mostOfWideWindows }
    let place = min(Elementary.log(Double(max(1, window))) / Elementary.log(2), 3)
    let below = min(2, Int(place))
    let part = place - Double(below)
    let even = (1 - part) * ofNarrowWindows[below] + part * ofNarrowWindows[below + 1]
    return min(mostOfWideWindows, even * 2 / (1 + squaredCV))
  }

  var rules: RouterRules
  var instances: Int
  /// Arrivals a second.
  var rate: Double
  /// Mean and squared coefficient of variation of the service time.
  var mean: Double
  var squaredCV: Double
  /// Of a topic: messages that its partitions can have in service, long ones holding back those
  /// behind them.
  var mostInService = Double.infinity
  /// The share of that up to which it does not matter.
  var mostOfWindows = mostOfWideWindows
  /// Deliveries carry several messages where windows are full.
  var isBatched = false
  /// Of attempts that begin at once, those that their clients leave, who then try again as often as
  /// this, with nothing that bounds it.
  var lateShare = 0.0
  var retries = 0

  /// - Parameter isFlow: the lane's fidelity now.
  func wantsFlow(isFlow: Bool) -> Bool {
    let margin = isFlow ? 1.0 : 2.0
    guard rate >= Self.leastRate * margin, instances > 0 else { return false }
    if isElastic {
      guard rate >= Self.leastElasticRate * margin,
        mean < Self.longestElasticService / margin
      else { return false }
    }
    let slots = Double(instances * rules.concurrencyLimit)
    let load = rate * mean * (isFlow ? 1 : 1.05)
    if load > mostOfWindows * mostInService { return false }
    if isNearStorm(load: load, slots: slots, margin: margin) { return false }
    if slots >= load + 5 * load.squareRoot() + 4 { return true }
    let utilisation = load / slots
    if isBatched, utilisation > Self.mostSingle { return false }
    if slots <= 5 * margin, squaredCV > 1.5, utilisation > 0.3 / margin { return false }
    if slots <= 2 * margin, utilisation > 0.9 / margin { return false }
    if slots <= 10 * margin, mean >= 0.1 / margin || rules.startRule == .onDemand { return false }
    // Flow's queue has no end that matters.
    return Double(rules.queueLimit) >= slots
  }

  /// What clients who leave make others wait and leave may be more than the lane bears. When it
  /// begins is a matter of rare runs, which flow has too few of.
  private func isNearStorm(load: Double, slots: Double, margin: Double) -> Bool {
    guard retries > 0, lateShare > Self.leastLateShare / margin else { return false }
    var (attempts, share) = (1.0, 1.0)
    for _ in 0..<min(retries, 64) {
      share *= lateShare
      attempts += share
    }
    return load * attempts > Self.mostBeforeStorm / margin * slots
  }

  /// Instances come for single requests and go when they have been idle: when each was last used
  /// matters.
  private var isElastic: Bool {
    rules.startRule == .onDemand && rules.keepAlive.count < .max
  }
}
