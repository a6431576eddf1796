import Primitives

/// Keys of the streams that the shared part of a cluster draws from, one for each thing drawn.
struct ControlKeys: Sendable {
  var clock: StreamKey
  var loss: StreamKey
  var creation: StreamKey
  var refill: StreamKey
  var allocation: StreamKey
  var agent: StreamKey
  var code: StreamKey
  var initialisation: StreamKey
  var publication: StreamKey
  var provision: StreamKey
  var expander: StreamKey

  init(seed: UInt64, replication: UInt64) {
    func key(_ name: String) -> StreamKey {
      StreamKey(seed: seed, replication: replication, name: name)
    }
    clock = key("clock")
    loss = key("network loss")
    creation = key("pod creation")
    refill = key("pool refill")
    allocation = key("pool allocation")
    agent = key("agent")
    code = key("code loading")
    initialisation = key("runtime initialisation")
    publication = key("route publication")
    provision = key("machine provision")
    expander = key("node pool expander")
  }
}
