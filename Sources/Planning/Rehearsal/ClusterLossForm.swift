import Platform
import Primitives
import Simulation

/// What a cluster must bear when others of its region are lost, by a closed form.
///
/// The traffic of a service that is at home in lost clusters goes to its other clusters, in
/// proportion to the gateways that they have for it. Load is offered processors: requests a second
/// times time times the share of it that computes. With c clusters alike and one lost that is
/// c ÷ (c - 1).
public struct ClusterLossForm: Sendable {
  /// A cluster that is left.
  public struct Survivor: Sendable, Equatable {
    public var cluster: Int
    public var path: String
    /// Load with the loss ÷ load without.
    public var factor: Double
  }

  public var survivors: [Survivor]

  /// - Parameter lost: numbers of clusters.
  public init(_ configuration: ClusterConfiguration, lost: Set<Int>) {
    let parts = configuration.parts
    let touched = Set(lost.map { parts[$0].region })
    var before = parts.map { _ in 0.0 }
    var after = before
    var moved: [String: Double] = [:]
    func load(_ service: ServiceConfiguration) -> Double {
      service.meanRatePerSecond * service.serviceTime.mean * service.cpuFraction
    }
    for (cluster, part) in parts.enumerated() {
      for service in configuration.services[part.services] {
        before[cluster] += load(service)
        if lost.contains(cluster), service.spread != nil {
          moved[service.name, default: 0] += load(service)
        }
      }
    }
    // By service, the zones that are left to it.
    var zones: [String: Int] = [:]
    let left = parts.enumerated().filter { !lost.contains($0.offset) }
    for (_, part) in left {
      for service in configuration.services[part.services] where moved[service.name] != nil {
        zones[service.name, default: 0] += service.zones.count
      }
    }
    for (cluster, part) in left {
      after[cluster] = before[cluster]
      for service in configuration.services[part.services] {
        guard let load = moved[service.name], let all = zones[service.name] else { continue }
        after[cluster] += load * Double(service.zones.count) / Double(all)
      }
    }
    survivors = parts.indices.filter {
      !lost.contains($0) && touched.contains(parts[$0].region) && after[$0] > before[$0]
    }.map {
      Survivor(
        cluster: $0, path: parts[$0].path,
        factor: before[$0] > 0 ? after[$0] / before[$0] : .infinity)
    }
  }

  /// Of the clusters that are lost as a whole in a run.
  public init(_ outcome: RunOutcome) {
    let zones = Set(
      outcome.collected.log.events.map(\.event).filter { $0.kind == .zoneLost }.map(\.subject))
    let lost = outcome.configuration.parts.enumerated().filter {
      $0.element.zones.allSatisfy(zones.contains)
    }
    self.init(outcome.configuration, lost: Set(lost.map(\.offset)))
  }
}
