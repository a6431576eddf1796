import ControlPlane
import Primitives
import SimulationKernel

extension ControlShard {
  /// A copy that continues on its own. Everything but the queue is a value, so it is copied when it
  /// is changed.
  func clone(recorder: any RunRecorder) -> ControlShard {
    ControlShard(cloning: self, recorder: recorder)
  }

  func reseed(seed: UInt64, replication: UInt64) {
    keys = ControlKeys(seed: seed ^ configuration.drawKey, replication: replication)
    network = Network(configuration.network, lossKey: keys.loss.raw)
  }
}
