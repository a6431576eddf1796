import ControlPlane
import Platform
import Primitives

/// What components, pools and messages are called for people.
public struct ComponentNames {
  private let simulation: ClusterSimulation
  private var configuration: ClusterConfiguration { simulation.configuration }

  /// Other clusters of the region, of which single lanes are watched.
  private let others: [WatchedElsewhere]
  /// Asked for once: lanes may be at work when somebody asks for a name.
  private let laneCount: Int

  /// - Parameter others: by which lanes of other clusters are named too.
  public init(_ simulation: ClusterSimulation, others: [WatchedElsewhere] = []) {
    self.simulation = simulation
    self.others = others
    laneCount = simulation.laneCount
  }

  /// A lane of another cluster, as that numbers it.
  private func elsewhere(_ lane: LaneID) -> (cluster: WatchedElsewhere, lane: LaneID)? {
    guard lane.index >= laneCount,
      let cluster = others.first(where: { $0.lanes.contains(lane.index) })
    else { return nil }
    return (cluster, LaneID(lane.index - cluster.lanes.lowerBound))
  }

  public func zone(_ zone: ZoneID) -> String { configuration.zones[zone.index].name }

  public func service(ofLane lane: LaneID) -> String {
    if let (other, own) = elsewhere(lane) {
      return ComponentNames(other.simulation).service(ofLane: own)
    }
    return configuration.services[simulation.place(of: lane).service.index].name
  }

  public func zone(ofLane lane: LaneID) -> String {
    if let (other, own) = elsewhere(lane) {
      return ComponentNames(other.simulation).zone(ofLane: own)
    }
    return zone(simulation.place(of: lane).zone)
  }

  /// A gateway or a consumer, by its number in the cluster.
  public func entry(_ lane: LaneID, part: Int) -> String {
    if let (other, own) = elsewhere(lane) {
      return ComponentNames(other.simulation).entry(own, part: part)
    }
    let number = simulation.entry(of: lane, part: part)
    let gateways = configuration.zones.count * configuration.gateways.perZone
    return number < gateways ? "gateway \(number)" : "consumer \(number - gateways)"
  }

  public func name(_ address: Address) -> String {
    let index = Int(address.index)
    switch address.kind {
    case .gateway: return entry(LaneID(index), part: Int(address.part))
    case .dispatcher: return "dispatcher \(index)"
    case .workerManager: return "worker manager \(index)"
    case .hostAgent: return "host agent of node \(index)"
    case .zoneCache: return "code cache of \(zone(ZoneID(index)))"
    case .kubernetes: return "kubernetes"
    case .etcd: return "etcd"
    case .autoscaler: return "autoscaler"
    case .node: return "processors of place \(index)"
    case .nodeAutoscaler: return "cluster autoscaler"
    case .machineSupply: return "machine supply"
    case .balancer: return "balancer"
    case .coordinator: return "coordinator"
    case .downstream: return "downstream \(configuration.downstreams[index].name)"
    case .zoneEntry: return "entry of \(zone(ZoneID(index)))"
    }
  }

  public func pool(_ pool: PoolID) -> String {
    let pool = configuration.pools[pool.index]
    let runtime = configuration.runtimes[pool.runtime].name
    let owners = pool.tenants.isEmpty ? "" : " of \(configuration.ownerNames(pool))"
    return "\(runtime) \(configuration.shapes[pool.shape].name) in \(zone(pool.zone))\(owners)"
  }

  /// The word for a message: `need_instance`.
  public static func name(_ message: ControlMessage) -> String {
    let label = "\(message)".prefix { $0 != "(" }
    return label.reduce(into: "") { word, letter in
      if letter.isUppercase { word += "_" }
      word += letter.lowercased()
    }
  }

  /// How a start is called: by the gateway's count of them.
  static func name(_ start: StartRequest) -> String {
    start.isAhead ? "start ahead \(start.ordinal)" : "start \(start.ordinal)"
  }
}
