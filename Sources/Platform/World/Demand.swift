import Primitives

/// What nodes and gateways are asked for within an epoch, and the slowdown that follows for the next.
///
/// Slowdown of the next epoch = max(1, cores wanted, averaged over this epoch, / cores); for a gateway, requests
/// over what it bears. It holds for what begins in that epoch and moves no completion.
struct Demand: ~Copyable {
  private let nodeCores: [Double]
  private let gatewayCapacity: Double
  private let nodes: UnsafeMutablePointer<Double>
  private let gateways: UnsafeMutablePointer<Double>
  /// Published: read by lanes during an epoch.
  let nodeSlowdowns: UnsafeMutablePointer<Double>
  let gatewaySlowdowns: UnsafeMutablePointer<Double>
  let gatewayCount: Int
  /// Nodes and gateways with demand in this epoch.
  private var touchedNodes = TouchedList()
  private var touchedGateways = TouchedList()
  /// Those with a slowdown above one, which ends with the next epoch unless it is earned again.
  private var slowNodes: [Int] = []
  private var slowGateways: [Int] = []

  /// - Parameters:
  ///   - nodeCores: processors of each node.
  ///   - gatewayCapacity: requests a second that a gateway bears; infinite: never slow.
  init(nodeCores: [Double], gatewayCount: Int, gatewayCapacity: Double) {
    self.nodeCores = nodeCores
    self.gatewayCount = gatewayCount
    self.gatewayCapacity = gatewayCapacity
    func zeros(_ count: Int, _ value: Double) -> UnsafeMutablePointer<Double> {
      let pointer = UnsafeMutablePointer<Double>.allocate(capacity: max(1, count))
      pointer.initialize(repeating: value, count: max(1, count))
      return pointer
    }
    touchedNodes = TouchedList(count: nodeCores.count)
    touchedGateways = TouchedList(count: gatewayCount)
    nodes = zeros(nodeCores.count, 0)
    gateways = zeros(gatewayCount, 0)
    nodeSlowdowns = zeros(nodeCores.count, 1)
    gatewaySlowdowns = zeros(gatewayCount, 1)
  }

  deinit {
    nodes.deallocate()
    gateways.deallocate()
    nodeSlowdowns.deallocate()
    gatewaySlowdowns.deallocate()
  }

  mutating func addCores(_ coreNanoseconds: Double, node: Int) {
    touchedNodes.insert(node)
    nodes[node] += coreNanoseconds
  }

  mutating func addRequests(_ requests: Double, gateway: Int) {
    touchedGateways.insert(gateway)
    gateways[gateway] += requests
  }

  /// Closes an epoch of `length` nanoseconds: publishes slowdowns, reports each node's mean cores in use.
  mutating func close(length: Double, _ used: (_ node: Int, _ cores: Double) -> Void) {
    for node in slowNodes { nodeSlowdowns[node] = 1 }
    for gateway in slowGateways { gatewaySlowdowns[gateway] = 1 }
    slowNodes.removeAll(keepingCapacity: true)
    slowGateways.removeAll(keepingCapacity: true)
    touchedNodes.drain { node in
      let cores = max(0, nodes[node] / length)
      nodes[node] = 0
      used(node, min(cores, nodeCores[node]))
      guard cores > nodeCores[node] else { return }
      nodeSlowdowns[node] = cores / nodeCores[node]
      slowNodes.append(node)
    }
    touchedGateways.drain { gateway in
      let rate = gateways[gateway] / (length * 1e-9)
      gateways[gateway] = 0
      guard rate > gatewayCapacity else { return }
      gatewaySlowdowns[gateway] = rate / gatewayCapacity
      slowGateways.append(gateway)
    }
  }

  borrowing func clone() -> Demand {
    var copy = Demand(
      nodeCores: nodeCores, gatewayCount: gatewayCount, gatewayCapacity: gatewayCapacity)
    copy.nodes.update(from: nodes, count: nodeCores.count)
    copy.gateways.update(from: gateways, count: gatewayCount)
    copy.nodeSlowdowns.update(from: nodeSlowdowns, count: nodeCores.count)
    copy.gatewaySlowdowns.update(from: gatewaySlowdowns, count: gatewayCount)
    copy.touchedNodes = touchedNodes
    copy.touchedGateways = touchedGateways
    copy.slowNodes = slowNodes
    copy.slowGateways = slowGateways
    return copy
  }
}

/// Indices that were touched since the last drain, each once, in the order of first touch.
private struct TouchedList {
  private var indices: [Int] = []
  private var isTouched: [Bool]

  init(count: Int = 0) { isTouched = Array(repeating: false, count: count) }

  mutating func insert(_ index: Int) {
    guard !isTouched[index] else { return }
    isTouched[index] = true
    indices.append(index)
  }

  mutating func drain(_ body: (Int) -> Void) {
    for index in indices {
      isTouched[index] = false
      body(index)
    }
    indices.removeAll(keepingCapacity: true)
  }
}
