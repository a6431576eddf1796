import ControlPlane
import Primitives
import SimulationKernel

// Gateways and HostAgents that crash, for what the cluster shares.
extension ControlShard {
  // MARK: Gateways

  func stopGateway(_ index: Int) { gatewaysDown.insert(index) }

  func startGateway(_ index: Int) { gatewaysDown.remove(index) }

  // MARK: HostAgents

  /// Agents stop with all that they were at: downloads, the start of runtimes, words that nobody
  /// has confirmed. Pods go on without them.
  func stopAgents(_ nodes: [NodeID], at now: Instant) {
    for node in nodes where agentsDown.insert(node.index).inserted {
      agentAlarms[node.index] = .distantFuture
      agentLives[node.index] &+= 1
    }
  }

  /// Agents begin anew: the node's code is gone, and what its pods were given to is loaded again.
  func startAgents(_ nodes: [NodeID], at now: Instant) {
    for node in nodes where agentsDown.remove(node.index) != nil {
      guard !isLost(Address(.hostAgent, node.index)) else { continue }
      hostAgents[node.index].restart(at: agentClocks[node.index].local(now), into: &effects)
      applyAgentEffects(node.index, at: now)
    }
  }

  // MARK: Clocks

  /// A Worker Manager's clock jumps and runs at a rate from now on; it looks what that makes due.
  func setClock(of manager: Int, jump: Nanoseconds, rate: Double, at now: Instant) {
    // A clock that is behind, or slow, has a lease for longer than etcd has granted it.
    let life = configuration.workerManagers.rules.leaseTimeToLive
    let before = managerServers[manager].clock.rate
    if rate < 1 {
      leaseDoubts[manager] = .distantFuture
    } else if jump < .zero || before < 1 {
      let longest = Nanoseconds(seconds: life.seconds / min(1, before)) - min(.zero, jump)
      leaseDoubts[manager] = now + longest
    }
    managerServers[manager].clock.set(jump: jump, rate: rate, at: now)
    guard isManagerUp[manager] else { return }
    managerAlarms[manager] = now
    wakeManager(manager, incarnation: managerIncarnations[manager], at: now)
  }
}
