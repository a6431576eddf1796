import ControlPlane
import Primitives

// What the shared part tells gateways.
extension ControlShard {
  /// Hands a message over to a lane's gateway, where it arrives at an instant.
  ///
  /// The gateway opens a connection to what it is told of, and whom it is told of late, or by whom
  /// nobody could tell that the pod has ended, it finds gone: its connection is refused at once. So
  /// it believes in no instance that is none, whatever a message says that was true when it was
  /// written.
  func post(_ message: ControlMessage, to address: Address, at arrival: Instant) {
    let lane = LaneID(Int(address.index))
    var delivery = Delivery(message: message, part: address.part)
    var isUnasked = false
    switch message {
    case .instanceReady(let start, let pod, _):
      if isInstance(pod, of: lane) {
        delivery.origin = origin(of: pod)
      } else {
        delivery.message = .startFailed(start, .timedOut)
      }
      isUnasked = start.isAhead
    case .endpointAdded(let pod, let version):
      if isInstance(pod, of: lane) {
        delivery.origin = origin(of: pod)
      } else {
        delivery.message = .endpointRemoved(pod: pod, version: version)
      }
    case .evict(let pod, _):
      delivery.origin = origin(of: pod)
      isUnasked = true
    case .scaleDown, .podDeleted, .drainInstance, .quotaGranted: isUnasked = true
    case .startFailed(let start, _): isUnasked = start.isAhead
    default: break
    }
    mail.append(LaneMail(lane: lane, delivery: delivery, at: arrival, isUnasked: isUnasked))
  }

  private func origin(of pod: PodID) -> Delivery.Origin {
    Delivery.Origin(
      node: pods[pod].node, path: pods[pod].path, dispatcher: pods[pod].dispatcher,
      host: pods[pod].host)
  }
}
