import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// Which fidelity a lane has by its own state, for runs that leave it to the lane.
///
/// The bounds are those inside which flow's errors were measured to be small; a lane that is at
/// request fidelity goes to flow only at half of them, so that none changes sides at every review.
struct FidelityRule: Sendable {
  /// Arrivals a second below which single requests cost less than steps.
  static let leastRate = 2.0

  /// Whether flow has a form for lanes of this service at all.
  static func mayFlow(_ service: ServiceConfiguration, _ configuration: ClusterConfiguration)
    -> Bool
  {
    service.router.choice == .leastRequests && service.coldServiceTime == nil
      && (service.gatewaysPerLane ?? configuration.gateways.perLane) == 1
      && !configuration.hopByHop
      && configuration.kubernetes.eviction == .none
      && (configuration.contention == .epoch || service.cpuFraction == 0)
      && service.serviceTime.mean > 0 && service.serviceTime.mean.isFinite
  }

  /// Whether the arrivals of a source are those of a rate, and not a list of single requests.
  static func isRateLike(_ source: any ArrivalSource) -> Bool { !(source is PointSource) }

  var rules: RouterRules
  var instances: Int
  /// Arrivals a second.
  var rate: Double
  /// Mean and squared coefficient of variation of the service time.
  var mean: Double
  var squaredCV: Double

  /// - Parameter isFlow: the lane's fidelity now.
  func wantsFlow(isFlow: Bool) -> Bool {
    let margin = isFlow ? 1.0 : 2.0
    guard rate >= Self.leastRate * margin, instances > 0 else { return false }
    let slots = Double(instances * rules.concurrencyLimit)
    let load = rate * mean * (isFlow ? 1 : 1.05)
    if slots >= load + 5 * load.squareRoot() + 4 { return true }
    let utilisation = load / slots
    if slots <= 5 * margin, squaredCV > 1.5, utilisation > 0.3 / margin { return false }
    if slots <= 2 * margin, utilisation > 0.9 / margin { return false }
    if slots <= 10 * margin, mean >= 0.1 / margin || rules.startRule == .onDemand { return false }
    // Flow's queue has no end that matters.
    return Double(rules.queueLimit) >= slots
  }
}
