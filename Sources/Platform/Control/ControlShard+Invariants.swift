import ControlPlane
import Primitives

// What must hold of the shared part at every instant.
extension ControlShard {
  /// What is wrong, if anything. O(pods + nodes + shards × managers).
  func violation() -> String? {
    pods.violation() ?? queue.violation ?? allocationViolation ?? hostViolation
      ?? ownershipViolation ?? machineViolation
  }

  /// Each node has given out what its pods have, and no more than it has.
  private var allocationViolation: String? {
    var cpuMilli = [Int64](repeating: 0, count: topology.nodeZones.count)
    var memoryMiB = cpuMilli
    pods.visit { node, pool in
      let shape = configuration.shapes[configuration.pools[pool.index].shape]
      cpuMilli[node.index] += shape.cpuMilli
      memoryMiB[node.index] += shape.memoryMiB
    }
    for node in topology.nodeZones.indices {
      guard !topology.nodes.isVirtual(NodeID(node)) else { continue }
      let settings = topology.nodes.nodes[node].capacity
      let given = kubernetes.allocated(NodeID(node))
      guard given.cpuMilli == cpuMilli[node], given.memoryMiB == memoryMiB[node] else {
        return "node \(node) has given out \(given), its pods have \(cpuMilli[node]) milli-cores "
          + "and \(memoryMiB[node]) MiB"
      }
      guard given.cpuMilli <= settings.cpuMilli, given.memoryMiB <= settings.memoryMiB
      else { return "node \(node) has given out \(given), which is more than it has" }
      guard kubernetes.isPresent[node] || given.cpuMilli == 0 else {
        return "node \(node) is not there and has given out \(given)"
      }
    }
    return nil
  }

  /// Machines of a node pool with a supply that ends: in stock, on their way there and back, and
  /// present are as many as there were.
  private var machineViolation: String? {
    guard let scaler = nodeScaler else { return nil }
    let between =
      Int(scaler.supply.arrived) - scaler.register.joined.reduce(0, +)
      + Int(scaler.register.returned) - scaler.supply.returnedCount
    var (found, expected) = (between, 0)
    for (index, pool) in configuration.nodePools.enumerated() {
      guard let initial = pool.supply, let stock = scaler.supply.stock[index] else { return nil }
      expected += initial + pool.initial * pool.zones.count
      found += stock
    }
    for (index, group) in topology.nodes.groups.enumerated() {
      found += scaler.supply.groups[index].onTheWay
      found += group.slots.reduce(0) { $0 + (kubernetes.isPresent[$1] ? 1 : 0) }
    }
    return found == expected ? nil : "there are \(found) machines, of \(expected)"
  }

  /// Worker Managers that serve a shard, by their own clocks.
  func serving(_ shard: Int, at now: Instant) -> [Int] {
    managers.indices.filter { index in
      isManagerUp[index] && managers[index].holdsToken[shard]
        && managers[index].mayServe(at: managerServers[index].clock.local(now))
    }
  }

  /// One owner a token, but for those whose clocks were set back or were slow: what a lease is good
  /// for rests on that they are not.
  private var ownershipViolation: String? {
    for shard in topology.shardCandidates.indices {
      let serving = serving(shard, at: queueTime).filter { index in
        leaseDoubts[index].map { $0 <= queueTime } ?? true
      }
      if serving.count > 1 { return "shard \(shard) is served by Worker Managers \(serving)" }
    }
    return nil
  }

  /// Whether a pod is an instance of a lane, as far as the world is concerned.
  func isInstance(_ pod: PodID, of lane: LaneID) -> Bool {
    pods[pod].state == .ready && pods[pod].lane == lane
  }
}
