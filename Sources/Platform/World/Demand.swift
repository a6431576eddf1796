import Primitives

/// What nodes and gateways are asked for within an epoch, and the slowdown that follows for the
/// next.
///
/// A node's slowdown of the next epoch = max(1, cores wanted, averaged over this epoch, / cores).
/// It holds for what begins in that epoch and moves no completion. A node keeps the cores that are
/// wanted as long as nothing changes, so an epoch costs what changed in it and in the one before.
struct Demand: ~Copyable {
  private let nodeCores: [Double]
  private let nodeZones: [ZoneID]
  /// By node: cores wanted now; core-nanoseconds by which this epoch differs from having wanted
  /// them all along.
  private var wanted: [Double]
  private var corrections: [Double]
  /// By node: how much `wanted` has changed in this epoch.
  private var changes: [Double]
  /// Published: read by lanes during an epoch.
  let nodeSlowdowns: UnsafeMutablePointer<Double>
  /// What stands before gateways; where they shed; and what services call.
  var gateways: GatewayQueues
  var shedding: GatewayShedding
  var downstreams: Downstreams
  private var touchedNodes: TouchedList
  /// Nodes whose slowdown is to be looked at again although nothing new happens there.
  private var settlingNodes: [Int] = []
  /// By zone: cores used as long as nothing changes, and core seconds used so far.
  private var steadyCores: [Double]
  private(set) var zoneCoreSeconds: [Double]

  /// - Parameters:
  ///   - nodeCores: processors of each node.
  ///   - entries: what each gateway and consumer bears, and takes for a call.
  ///   - epochSeconds: an epoch, but for those in which nothing happens.
  ///   - key: of what is drawn of calls of which only the rate is known.
  init(
    nodeCores: [Double], nodeZones: [ZoneID], zoneCount: Int, entries: [GatewayQueues.Entry],
    epochSeconds: Double, key: StreamKey, shedding: SheddingConfiguration? = nil,
    downstreams: [DownstreamConfiguration] = []
  ) {
    self.init(
      nodeCores: nodeCores, nodeZones: nodeZones, zoneCount: zoneCount,
      gateways: GatewayQueues(entries, epochSeconds: epochSeconds, key: key),
      shedding: GatewayShedding(
        shedding, capacities: entries.map { $0.capacityPerSecond ?? .infinity },
        epochSeconds: epochSeconds),
      downstreams: Downstreams(downstreams, epochSeconds: epochSeconds))
  }

  private init(
    nodeCores: [Double], nodeZones: [ZoneID], zoneCount: Int, gateways: consuming GatewayQueues,
    shedding: consuming GatewayShedding, downstreams: consuming Downstreams
  ) {
    self.gateways = gateways
    self.shedding = shedding
    self.downstreams = downstreams
    self.nodeCores = nodeCores
    self.nodeZones = nodeZones
    wanted = Array(repeating: 0, count: nodeCores.count)
    corrections = wanted
    changes = wanted
    steadyCores = Array(repeating: 0, count: zoneCount)
    zoneCoreSeconds = steadyCores
    touchedNodes = TouchedList(count: nodeCores.count)
    nodeSlowdowns = .allocate(capacity: max(1, nodeCores.count))
    nodeSlowdowns.initialize(repeating: 1, count: max(1, nodeCores.count))
  }

  deinit { nodeSlowdowns.deallocate() }

  /// A node is wanted by so many more cores from somewhere within this epoch on.
  /// - Parameter sinceThen: the core-nanoseconds that this makes in the epoch.
  mutating func add(cores: Double, sinceThen: Double, node: Int) {
    touchedNodes.insert(node)
    wanted[node] += cores
    corrections[node] += sinceThen
    changes[node] += cores
  }

  /// So many core seconds were used in the zone of a node beyond what its cores were wanted for.
  mutating func correct(coreSeconds: Double, zoneOf node: Int) {
    zoneCoreSeconds[nodeZones[node].index] += coreSeconds
  }

  /// Cores that a node is wanted by now.
  func wantedCores(node: Int) -> Double { wanted[node] }

  /// Closes an epoch: publishes slowdowns for the next.
  mutating func close(length: Nanoseconds) {
    let nanoseconds = Double(length.count)
    for zone in steadyCores.indices { zoneCoreSeconds[zone] += steadyCores[zone] * length.seconds }
    for node in settlingNodes where !touchedNodes.contains(node) {
      nodeSlowdowns[node] = max(1, wanted[node] / nodeCores[node])
    }
    settlingNodes.removeAll(keepingCapacity: true)
    for place in 0..<touchedNodes.count { closeNode(touchedNodes[place], nanoseconds) }
    touchedNodes.removeAll()
    if shedding.isOn { shedding.close(length) }
    gateways.close(length, shares: shedding.isOn ? shedding.taken : [])
    if downstreams.count > 0 { downstreams.close(length) }
  }

  private mutating func closeNode(_ node: Int, _ nanoseconds: Double) {
    let before = wanted[node] - changes[node]
    changes[node] = 0
    let mean = max(0, before + corrections[node] / nanoseconds)
    corrections[node] = 0
    if abs(wanted[node]) < 1e-9 { wanted[node] = 0 }
    nodeSlowdowns[node] = max(1, mean / nodeCores[node])
    settlingNodes.append(node)
    let zone = nodeZones[node].index
    let steadyBefore = min(before, nodeCores[node])
    zoneCoreSeconds[zone] += (min(mean, nodeCores[node]) - steadyBefore) * nanoseconds * 1e-9
    steadyCores[zone] += min(wanted[node], nodeCores[node]) - steadyBefore
  }

  /// Epochs in which nothing changes: slowdowns settle, and time passes.
  mutating func skip(from start: Instant, to end: Instant) {
    guard end > start else { return }
    close(length: end - start)
  }

  borrowing func clone() -> Demand {
    var copy = Demand(
      nodeCores: nodeCores, nodeZones: nodeZones, zoneCount: steadyCores.count,
      gateways: gateways.clone(), shedding: shedding.clone(), downstreams: downstreams.clone())
    copy.wanted = wanted
    copy.corrections = corrections
    copy.nodeSlowdowns.update(from: nodeSlowdowns, count: nodeCores.count)
    copy.touchedNodes = touchedNodes
    copy.settlingNodes = settlingNodes
    copy.steadyCores = steadyCores
    copy.zoneCoreSeconds = zoneCoreSeconds
    copy.changes = changes
    return copy
  }
}
