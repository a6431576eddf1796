import ControlPlane
import Platform
import Primitives

/// What the kinds of capacity of a run came to, and where machines and virtual nodes cost the same.
public struct CapacityCost: Sendable {
  public enum Kind: String, Sendable {
    case machines
    case virtualNodes = "virtual_nodes"
    /// A part of the machines and of their cost.
    case warmPods = "warm_pods"
  }

  public struct Line: Sendable {
    public var kind: Kind
    public var name: String
    /// Nil: all.
    public var zone: Int?
    public var item: CapacitySummary.Item
    public var machinesOrdered: Int?
    public var machinesRefused: Int?
  }

  public struct BreakEven: Sendable {
    public var machines: String
    public var shape: String
    public var podsPerNode: Int
    public var nodePerHour: Double
    public var virtualPodPerHour: Double
    /// Pods on a machine, mean over its hours, from which on it is cheaper.
    public var pods: Double { nodePerHour / virtualPodPerHour }
    public var use: Double { pods / Double(podsPerNode) }
  }

  public let lines: [Line]
  public let breakEvens: [BreakEven]
  public let hours: Double

  public init(_ configuration: ClusterConfiguration, _ control: ControlSummary) {
    let capacity = control.capacity
    hours = capacity.hours
    var lines = capacity.zones.enumerated().filter { configuration.zones[$0.offset].nodeCount > 0 }
      .map { zone, item in Line(kind: .machines, name: "fixed", zone: zone, item: item) }
    lines += capacity.groups.map { group in
      Line(
        kind: .machines, name: configuration.nodePools[group.pool].name, zone: group.zone.index,
        item: group.item, machinesOrdered: group.machinesOrdered, machinesRefused: group.refused)
    }
    if configuration.virtualNodes != nil {
      lines.append(Line(kind: .virtualNodes, name: "virtual", zone: nil, item: capacity.virtual))
    }
    for zone in configuration.zones.indices {
      let machines = lines.filter { $0.kind == .machines && $0.zone == zone }
      if let warm = Self.warmPods(zone, among: machines, configuration, control) {
        lines.append(warm)
      }
    }
    self.lines = lines
    breakEvens = Self.breakEvens(configuration)
  }

  /// Warm pods at the mean price of a core on the zone's shared machines; nil where there are none.
  private static func warmPods(
    _ zone: Int, among machines: [Line], _ configuration: ClusterConfiguration,
    _ control: ControlSummary
  ) -> Line? {
    var item = CapacitySummary.Item()
    for (index, pool) in configuration.pools.enumerated()
    where pool.isWarm && pool.zone.index == zone {
      let hours = control.pools[index].idlePodSeconds / 3600
      item.units += control.pools[index].level
      item.unitHours += hours
      item.coreHours += hours * Double(configuration.shapes[pool.shape].cpuMilli) / 1000
    }
    guard item.unitHours > 0 else { return nil }
    let cores = machines.reduce(0) { $0 + $1.item.coreHours }
    let cost = machines.reduce(0) { $0 + $1.item.cost }
    item.cost = cores > 0 ? item.coreHours * cost / cores : 0
    item.most = item.units
    return Line(kind: .warmPods, name: "warm", zone: zone, item: item)
  }

  /// Why there is nothing to compare, though there are both machines and virtual nodes.
  public func whyNoBreakEven(_ configuration: ClusterConfiguration) -> String? {
    guard breakEvens.isEmpty, let virtual = configuration.virtualNodes else { return nil }
    let machines =
      configuration.zones.filter { $0.nodeCount > 0 }.map(\.pricePerHour)
      + configuration.nodePools.map(\.pricePerHour)
    guard !machines.isEmpty else { return nil }
    if machines.allSatisfy({ $0 == 0 }) { return "as machines have no `price_per_hour`" }
    let prices = Set(configuration.services.map(\.shape)).map {
      virtual.price(of: configuration.shapes[$0]) ?? 0
    }
    if prices.allSatisfy({ $0 == 0 }) { return "as virtual nodes cost nothing" }
    return "as no pod fits on a machine with a price"
  }

  /// For each kind of machine with a price and each shape in use; none without virtual nodes.
  private static func breakEvens(_ configuration: ClusterConfiguration) -> [BreakEven] {
    guard let virtual = configuration.virtualNodes else { return [] }
    let fixed = configuration.zones.filter { $0.nodeCount > 0 }.map { zone in
      (
        "fixed/\(zone.name)",
        NodeCapacity(cpuMilli: zone.nodeCPUMilli, memoryMiB: zone.nodeMemoryMiB),
        zone.pricePerHour
      )
    }
    let pools = configuration.nodePools.map { ($0.name, $0.capacity, $0.pricePerHour) }
    let shapes = Set(configuration.services.map(\.shape)).sorted()
    return (fixed + pools).filter { $0.2 > 0 }.flatMap { name, capacity, price in
      shapes.compactMap { index -> BreakEven? in
        let shape = configuration.shapes[index]
        let pods = min(
          shape.cpuMilli > 0 ? capacity.cpuMilli / shape.cpuMilli : .max,
          shape.memoryMiB > 0 ? capacity.memoryMiB / shape.memoryMiB : .max)
        guard pods > 0, pods < .max, let one = virtual.price(of: shape), one > 0 else {
          return nil
        }
        return BreakEven(
          machines: name, shape: shape.name, podsPerNode: Int(pods), nodePerHour: price,
          virtualPodPerHour: one)
      }
    }
  }
}

extension RunOutcome {
  public var capacityCost: CapacityCost { CapacityCost(configuration, control) }
}
