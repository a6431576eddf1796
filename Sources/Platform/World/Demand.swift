import Primitives

/// What nodes and gateways are asked for within an epoch, and the slowdown that follows for the
/// next.
///
/// Slowdown of the next epoch = max(1, cores wanted, averaged over this epoch, / cores); for a
/// gateway, requests over what it bears. It holds for what begins in that epoch and moves no
/// completion. A node keeps the cores that are wanted as long as nothing changes, so an epoch costs
/// what changed in it and in the one before.
struct Demand: ~Copyable {
  private let nodeCores: [Double]
  private let nodeZones: [ZoneID]
  private let gatewayCapacities: [Double]
  /// Over which requests are counted that come one by one.
  private let epochSeconds: Double
  /// By node: cores wanted now; core-nanoseconds by which this epoch differs from having wanted
  /// them all along.
  private var wanted: [Double]
  private var corrections: [Double]
  /// By node: how much `wanted` has changed in this epoch.
  private var changes: [Double]
  private var gatewayRequests: [Double]
  /// By gateway: requests a second of lanes that know no single ones, until they say otherwise.
  private var gatewayRates: [Double]
  /// Published: read by lanes during an epoch.
  let nodeSlowdowns: UnsafeMutablePointer<Double>
  let gatewaySlowdowns: UnsafeMutablePointer<Double>
  let gatewayCount: Int
  /// Where gateways shed; and what services call.
  var shedding: GatewayShedding
  var downstreams: Downstreams
  private var touchedNodes: TouchedList
  private var touchedGateways: TouchedList
  /// Nodes and gateways whose slowdown is to be looked at again although nothing new happens there.
  private var settlingNodes: [Int] = []
  private var slowGateways: [Int] = []
  /// By zone: cores used as long as nothing changes, and core seconds used so far.
  private var steadyCores: [Double]
  private(set) var zoneCoreSeconds: [Double]

  /// - Parameters:
  ///   - nodeCores: processors of each node.
  ///   - gatewayCapacities: requests a second that each gateway and consumer bears; infinite:
  ///     never slow.
  ///   - epochSeconds: an epoch, but for those in which nothing happens.
  init(
    nodeCores: [Double], nodeZones: [ZoneID], zoneCount: Int, gatewayCapacities: [Double],
    epochSeconds: Double, shedding: SheddingConfiguration? = nil,
    downstreams: [DownstreamConfiguration] = []
  ) {
    self.epochSeconds = epochSeconds
    self.shedding = GatewayShedding(
      shedding, capacities: gatewayCapacities, epochSeconds: epochSeconds)
    self.downstreams = Downstreams(downstreams, epochSeconds: epochSeconds)
    let gatewayCount = gatewayCapacities.count
    self.nodeCores = nodeCores
    self.nodeZones = nodeZones
    self.gatewayCount = gatewayCount
    self.gatewayCapacities = gatewayCapacities
    wanted = Array(repeating: 0, count: nodeCores.count)
    corrections = wanted
    changes = wanted
    gatewayRequests = Array(repeating: 0, count: gatewayCount)
    gatewayRates = gatewayRequests
    steadyCores = Array(repeating: 0, count: zoneCount)
    zoneCoreSeconds = steadyCores
    touchedNodes = TouchedList(count: nodeCores.count)
    touchedGateways = TouchedList(count: gatewayCount)
    nodeSlowdowns = .allocate(capacity: max(1, nodeCores.count))
    nodeSlowdowns.initialize(repeating: 1, count: max(1, nodeCores.count))
    gatewaySlowdowns = .allocate(capacity: max(1, gatewayCount))
    gatewaySlowdowns.initialize(repeating: 1, count: max(1, gatewayCount))
  }

  deinit {
    nodeSlowdowns.deallocate()
    gatewaySlowdowns.deallocate()
  }

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

  mutating func addRequests(_ requests: Double, gateway: Int) {
    touchedGateways.insert(gateway)
    gatewayRequests[gateway] += requests
  }

  /// So many more requests come to a gateway in a second, from now on.
  mutating func addRate(_ perSecond: Double, gateway: Int) {
    touchedGateways.insert(gateway)
    gatewayRates[gateway] += perSecond
  }

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
    closeGateways(length)
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

  private mutating func closeGateways(_ length: Nanoseconds) {
    if shedding.isOn { shedding.close(length) }
    // Those that were slow have their rates still.
    for gateway in slowGateways { touchedGateways.insert(gateway) }
    slowGateways.removeAll(keepingCapacity: true)
    for place in 0..<touchedGateways.count {
      let gateway = touchedGateways[place]
      let slowdown = gatewaySlowdown(gateway, over: length.seconds)
      gatewayRequests[gateway] = 0
      gatewaySlowdowns[gateway] = slowdown
      if slowdown > 1 { slowGateways.append(gateway) }
    }
    touchedGateways.removeAll()
  }

  /// max(1, N ÷ what the gateway bears in an epoch) on average, N being the requests that came and
  /// a Poisson count of those of which only the rate is known, taken for normal.
  private func gatewaySlowdown(_ gateway: Int, over seconds: Double) -> Double {
    let share = shedding.isOn ? shedding.share(of: gateway) : 1
    let rate = max(0, gatewayRates[gateway]) * share
    let mean = gatewayRequests[gateway] * share + rate * seconds
    let most = gatewayCapacities[gateway] * seconds
    let counted = min(seconds, epochSeconds)
    let deviation = (rate * counted).squareRoot() * seconds / counted
    guard deviation > 0, most < .infinity else { return max(1, mean / most) }
    let z = (mean - most) / deviation
    guard abs(z) < 6 else { return max(1, mean / most) }
    let density = Elementary.exp(-z * z / 2) / (2 * Double.pi).squareRoot()
    return 1 + deviation * (density + z * Elementary.normalCDF(z)) / most
  }

  /// Epochs in which nothing changes: slowdowns settle, and time passes.
  mutating func skip(from start: Instant, to end: Instant) {
    guard end > start else { return }
    close(length: end - start)
  }

  borrowing func clone() -> Demand {
    var copy = Demand(
      nodeCores: nodeCores, nodeZones: nodeZones, zoneCount: steadyCores.count,
      gatewayCapacities: gatewayCapacities, epochSeconds: epochSeconds)
    copy.wanted = wanted
    copy.corrections = corrections
    copy.gatewayRequests = gatewayRequests
    copy.gatewayRates = gatewayRates
    copy.nodeSlowdowns.update(from: nodeSlowdowns, count: nodeCores.count)
    copy.gatewaySlowdowns.update(from: gatewaySlowdowns, count: gatewayCount)
    copy.touchedNodes = touchedNodes
    copy.touchedGateways = touchedGateways
    copy.settlingNodes = settlingNodes
    copy.slowGateways = slowGateways
    copy.steadyCores = steadyCores
    copy.zoneCoreSeconds = zoneCoreSeconds
    copy.changes = changes
    copy.shedding = shedding.clone()
    copy.downstreams = downstreams.clone()
    return copy
  }
}

/// Indices that were touched since the last drain, each once, in the order of first touch.
private struct TouchedList {
  private var indices: [Int] = []
  private var isTouched: [Bool]

  init(count: Int = 0) { isTouched = Array(repeating: false, count: count) }

  func contains(_ index: Int) -> Bool { isTouched[index] }

  mutating func insert(_ index: Int) {
    guard !isTouched[index] else { return }
    isTouched[index] = true
    indices.append(index)
  }

  var count: Int { indices.count }

  subscript(place: Int) -> Int { indices[place] }

  /// None is touched any more.
  mutating func removeAll() {
    for index in indices { isTouched[index] = false }
    indices.removeAll(keepingCapacity: true)
  }
}
