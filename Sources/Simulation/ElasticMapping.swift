import ControlPlane
import Platform
import Primitives
import Scenario
import SimulationKernel

// Node pools, virtual nodes and tenants.
extension ScenarioMapping {
  func mapElastic(_ cluster: inout ClusterConfiguration) {
    cluster.tenants = document.tenants.map { section in
      var tenant = TenantConfiguration(name: section.name)
      tenant.quotaCPUMilli = section.quotaCPUMilli
      tenant.reserve = section.reserve
      tenant.weight = section.weight
      return tenant
    }
    cluster.nodePools = document.cluster.nodePools.map(nodePool)
    cluster.nodeScaling = nodeScaling(document.cluster.nodeScaling)
    cluster.virtualNodes = document.cluster.virtualNodes.map(virtualNodes)
  }

  private func nodePool(_ section: NodePoolSection) -> NodePoolConfiguration {
    var pool = NodePoolConfiguration(
      name: section.name, zones: zoneIDs(named: section.zones),
      capacity: NodeCapacity(cpuMilli: section.cpuMilli, memoryMiB: section.memoryBytes >> 20),
      maximum: section.maximum)
    pool.initial = section.initial
    pool.minimum = section.minimum
    pool.pricePerHour = section.pricePerHour
    pool.provision = Distribution(section.provision)
    pool.supply = section.supply
    pool.tenants = section.tenants.compactMap { tenant(named: $0) }
    return pool
  }

  private func nodeScaling(_ section: NodeScalingSection) -> NodeScalingConfiguration {
    var scaling = NodeScalingConfiguration()
    scaling.rules.scanInterval = section.scanInterval
    scaling.rules.unneededTime = section.unneededTime
    scaling.rules.utilizationThreshold = section.utilisationThreshold
    scaling.rules.delayAfterAdd = section.delayAfterAdd
    scaling.rules.delayAfterFailure = section.delayAfterFailure
    scaling.rules.maxNodeProvisionTime = section.provisionTime
    scaling.rules.balanceSimilarPools = section.balancesSimilar
    let expanders: [String: Expander] = [
      "least_nodes": .leastNodes, "most_pods": .mostPods, "price": .price, "random": .random,
    ]
    scaling.expander = expanders[section.expander] ?? .leastWaste
    return scaling
  }

  private func virtualNodes(_ section: VirtualNodesSection) -> VirtualNodeConfiguration {
    var nodes = VirtualNodeConfiguration(
      zones: zoneIDs(named: section.zones),
      prices: section.prices.map {
        .init(
          size: NodeCapacity(cpuMilli: $0.cpuMilli, memoryMiB: $0.memoryBytes >> 20),
          perHour: $0.perHour)
      })
    nodes.start = Distribution(section.start)
    nodes.stockCPUMilli = section.stockCPUMilli
    nodes.isPreferred = section.prefer == "virtual"
    return nodes
  }

  private func zoneIDs(named names: [String]) -> [ZoneID] {
    names.isEmpty
      ? document.cluster.zones.indices.map { ZoneID($0) }
      : names.compactMap { zones[$0].map { ZoneID($0) } }
  }

  func tenant(named name: String) -> Int? { document.tenants.firstIndex { $0.name == name } }
}
