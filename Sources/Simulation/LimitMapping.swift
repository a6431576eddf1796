import ControlPlane
import Platform
import Policies
import Primitives
import Scenario
import SimulationKernel

extension ScenarioMapping {
  func limits(_ section: LimitSection) -> LimitConfiguration {
    var limits = LimitConfiguration()
    limits.rate = section.ratePerSecond.map { QuotaAmount(perSecond: $0) }
    // The bucket holds one more than the burst.
    let second = Int64((section.ratePerSecond ?? 0).rounded(.up)) - 1
    limits.burst = section.burst.map { Int64($0) } ?? max(0, second)
    switch section.concurrency {
    case .unlimited: break
    case .fixed(let most): limits.concurrency = most
    case .adaptive("gradient"):
      limits.adaptive = { EnvoyGradientLimit(stream: $0.stream(0), at: $1) }
    case .adaptive("gradient2"):
      limits.adaptive = { _, now in WindowedLimit(Gradient2Limit(), at: now) }
    case .adaptive: limits.adaptive = { _, _ in AIMDLimit() }
    }
    limits.followsTraffic = section.followsTraffic
    if section.hasBackpressure {
      var rules = BackpressureWindow.Rules()
      rules.latencyTarget = section.latencyTarget
      limits.backpressure = rules
    }
    return limits
  }

  func downstream(_ section: DownstreamSection) -> DownstreamConfiguration {
    var downstream = DownstreamConfiguration(
      name: section.name, capacityPerSecond: section.capacityPerSecond)
    downstream.central = section.centralPerSecond.map { perSecond in
      var central = DownstreamConfiguration.CentralLimit(QuotaAmount(perSecond: perSecond))
      central.rules.algorithm =
        switch section.sharing {
        case "fair_share": .fairShare
        case "proportional_share": .proportionalShare
        default: .waterFilling
        }
      central.rules.leaseLength = section.lease
      central.rules.refreshInterval = section.refresh
      central.rules.learningTime = section.learning
      central.rules.safe = section.safePerSecond.map { QuotaAmount(perSecond: $0) }
      central.reports = section.reports
      return central
    }
    return downstream
  }

  func downstream(named name: String) -> Int? {
    document.downstreams.firstIndex { $0.name == name }
  }

  func shedding(_ section: SheddingSection) -> SheddingConfiguration {
    var shedding = SheddingConfiguration()
    shedding.mark = section.mark
    shedding.shares = section.shares
    return shedding
  }
}
