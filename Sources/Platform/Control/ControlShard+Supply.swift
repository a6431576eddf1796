import ControlPlane
import Primitives
import SimulationKernel

// Whoever has machines to give.
extension ControlShard {
  func machineSupplyReceives(_ message: ControlMessage, at now: Instant) {
    switch message {
    case .changeMachines(let group, let request, let count):
      supply(Int(group), request, by: Int(count), at: now)
    case .listMachines(let scan):
      for (group, state) in (nodeScaler?.supply.groups ?? []).enumerated() {
        sendPlain(
          .machinesGiven(scan: scan, pool: UInt32(group), count: UInt32(state.given)),
          from: .machineSupply, to: .nodeAutoscaler, leavingAt: now)
      }
    case .machineKnown(let machine): _ = nodeScaler?.supply.deliveries.close(machine)
    case .machineReturned(let group, let number):
      nodeScaler?.supply.takeBack(number, of: Int(group))
      sendPlain(
        .machineTakenBack(number: number), from: .machineSupply, to: .kubernetes, leavingAt: now)
    default: break
    }
  }

  private func supply(_ group: Int, _ request: UInt32, by count: Int, at now: Instant) {
    let isDry = conditions.isStopped(.machineSupply)
    guard
      let change = nodeScaler?.supply.change(group, request: request, by: count, isDry: isDry)
    else { return }
    sendPlain(
      .machinesChanged(pool: UInt32(group), request: request, by: Int32(change.done)),
      from: .machineSupply, to: .nodeAutoscaler, leavingAt: now)
    guard !change.isRepeated, count > 0 else { return }
    for _ in 0..<change.done { begin(group, at: now) }
    if change.done < count {
      recorder.event(
        NotableEvent(
          kind: .machinesRefused, at: now, subject: group, detail: count - change.done))
    }
  }

  /// The n-th machine of a group takes as long whatever else is ordered.
  private func begin(_ group: Int, at now: Instant) {
    guard let begun = nodeScaler?.supply.groups[group].begun else { return }
    nodeScaler?.supply.groups[group].begun += 1
    var bits = keys.provision.appending(UInt64(group)).stream(begun)
    let pool = topology.nodes.groups[group].pool
    let time = configuration.nodePools[pool].provision.sampleNanoseconds(using: &bits)
    let slowed = Nanoseconds(time).stretched(by: conditions.slowdown(of: .machineSupply, at: now))
    schedule(.machineArrives(Int32(group)), at: now + slowed, class: EventRank.message)
  }

  /// A machine has come up, and says so until Kubernetes knows.
  func machineArrives(_ group: Int, at now: Instant) {
    guard let machine = nodeScaler?.supply.arrive(group) else { return }
    let message = ControlMessage.machineReady(pool: UInt32(group), machine: machine)
    nodeScaler?.supply.deliveries.open(machine, message, to: .kubernetes, at: now)
    sendPlain(message, from: .machineSupply, to: .kubernetes, leavingAt: now)
  }
}
