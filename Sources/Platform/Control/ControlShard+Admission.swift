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

  /// The first order in line has its turn; those behind it that are over go without one.
  ///
  /// What its caller has given up is made all the same: where orders that never find room are
  /// before it for longer than a gateway waits, nothing would be made for gateways at all.
  func turnComes(_ id: UInt64, at now: Instant) {
    // One whose turn came while Kubernetes stood still.
    guard kubernetes.line.first == id else { return create(id, at: now) }
    while let first = kubernetes.line.first {
      if kubernetes.creations[first] == nil {
        kubernetes.line.removeFirst()
      } else if kubernetes.line.turn(at: now) == now {
        kubernetes.line.removeFirst()
        takeTurn(first, at: now)
      } else {
        return armTurn(at: now)
      }
    }
  }
}
