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
    if let start = order.start, start.isFromAutoscaler { kubernetes.ahead.line(start, order.id) }
    if isFirst { armTurn(at: now) }
  }

  private func armTurn(at now: Instant) {
    guard let first = kubernetes.line.first else { return }
    schedule(.admitCreation(first), at: kubernetes.line.turn(at: now), class: EventRank.alarm)
  }

  private func takeTurn(_ id: UInt64, at now: Instant) {
    if let start = kubernetes.creations[id]?.order.start, start.isFromAutoscaler {
      kubernetes.ahead.leave(start, id)
    }
    kubernetes.line.admit(at: now, slowdown: conditions.slowdown(of: .kubernetes, at: now))
    create(id, at: now)
  }

  /// AutoScale wants so many of its orders for a part no more: the latest that stand in line have
  /// no turn.
  func withdrawOrders(_ count: Int, for lane: LaneID, part: Int, at now: Instant) {
    var withdrawn: UInt32 = 0
    for id in kubernetes.ahead.takeLast(count, of: lane, part: part) {
      guard let order = kubernetes.creations[id]?.order else { continue }
      withdrawn += 1
      let manager = listener(order)
      kubernetes.end(order, pod: nil, isShared: true)
      digest.record(RecordKind.creationFailed, at: now, order.id, 2)
      sendPlain(
        .creationWithdrawn(order), from: .kubernetes, to: Address(.workerManager, manager),
        leavingAt: now)
    }
    sendPlain(
      .ordersWithdrawn(lane, part: UInt8(part), count: withdrawn), from: .kubernetes,
      to: .autoscaler, leavingAt: now)
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
