import ControlPlane
import Primitives
import SimulationKernel

// The line before Kubernetes' API, where more pods are asked for than it lets in.
extension ControlShard {
  /// An order begins, or waits for its turn.
  func admit(_ order: PodOrder, at now: Instant) {
    guard kubernetes.line.first == nil, kubernetes.line.turn(at: now) == now else {
      return lineUp(order, at: now)
    }
    takeTurn(order.id, at: now)
  }

  private func lineUp(_ order: PodOrder, at now: Instant) {
    let isFirst = kubernetes.line.first == nil
    kubernetes.noteWaiting(order, at: now)
    kubernetes.line.append(order.id)
    if isFirst { armTurn(at: now) }
  }

  private func armTurn(at now: Instant) {
    guard let first = kubernetes.line.first else { return }
    schedule(.admitCreation(first), at: kubernetes.line.turn(at: now), class: EventRank.alarm)
  }

  private func takeTurn(_ id: UInt64, at now: Instant) {
    kubernetes.line.admit(at: now, slowdown: conditions.slowdown(of: .kubernetes, at: now))
    create(id, at: now)
  }

  /// The first order in line has its turn, and those behind it that nobody waits for any more go
  /// without one: what a caller has given up is not made. So a line that a surge has left is gone
  /// when those who made it are.
  func turnComes(_ id: UInt64, at now: Instant) {
    // One whose turn came while Kubernetes stood still.
    guard kubernetes.line.first == id else { return create(id, at: now) }
    while let first = kubernetes.line.first {
      if isUnwanted(first, at: now) {
        kubernetes.line.removeFirst()
        withdraw(first, at: now)
      } else if kubernetes.line.turn(at: now) == now {
        kubernetes.line.removeFirst()
        takeTurn(first, at: now)
      } else {
        return armTurn(at: now)
      }
    }
  }

  /// Whether the gateway that has asked for a pod has asked anew or given up.
  private func isUnwanted(_ id: UInt64, at now: Instant) -> Bool {
    guard let creation = kubernetes.creations[id] else { return true }
    return gatewayTimeout(of: creation.order).map {
      creation.wantedAt + $0 + Self.askMargin <= now
    } ?? false
  }

  private func withdraw(_ id: UInt64, at now: Instant) {
    guard let order = kubernetes.creations[id]?.order else { return }
    kubernetes.end(order, pod: nil)
    digest.record(RecordKind.creationFailed, at: now, id, 2)
    sendPlain(
      .creationWithdrawn(order), from: .kubernetes, to: Address(.workerManager, listener(order)),
      leavingAt: now)
  }
}
