import ControlPlane
import Primitives

// Instances that are lost by themselves, and the lane's gateway, at flow fidelity.
extension FlowState {
  /// Does what losses of single instances ask for whose time has come.
  mutating func losePods() {
    guard !podLosses.isEmpty else { return }
    for loss in podLosses where loss.at == now && !isDown {
      let entries = instances.entries
      let gone = loss.chosen(of: Array(entries.indices), key: settings.spoilKey) {
        entries[$0].pod
      }
      lose(gone.sorted())
    }
    podLosses.removeAll { $0.at <= now }
  }

  /// The lane is with the gateway that it has been brought to by now, or with none.
  mutating func takeGateways() {
    guard let last = gatewayCourse.last(where: { $0.at <= now }) else { return }
    isGatewayDown = last.gateway == nil
    guard let gateway = last.gateway, settings.gateways[0] != gateway else { return }
    settings.gateways[0] = gateway
    adjustService()
  }
}
