import ControlPlane
import Primitives
import SimulationKernel

// Dependencies that do not answer or are slow, and what waits for them.
extension ControlShard {
  func beginCondition(_ fault: Int, at now: Instant) {
    conditions.begin(fault, faults[fault])
    follow(faults[fault].kind, at: now)
  }

  func endCondition(_ fault: Int, at now: Instant) {
    conditions.end(fault)
    follow(faults[fault].kind, at: now)
  }

  /// What a change means to whoever has a state of its own.
  private func follow(_ kind: FaultConfiguration.Kind, at now: Instant) {
    switch kind {
    case .stop(.etcd):
      if conditions.isStopped(.etcd) {
        etcd.loseLeader()
      } else {
        etcd.electLeader(at: now)
        armScan(at: now)
      }
    case .stop(.kubernetes), .stop(.registry), .stop(.coordinator):
      guard case .stop(let part) = kind, !conditions.isStopped(part) else { return }
      let due = postponed.filter { $0.part == part }
      postponed.removeAll { $0.part == part }
      for waiting in due { schedule(waiting.event, at: now, class: EventRank.alarm) }
    default: break
    }
  }

  /// Puts off what Kubernetes or the registry would do, until it is there again.
  func isPostponed(_ event: ControlEvent, by part: Dependency) -> Bool {
    guard !conditions.isEmpty, conditions.isStopped(part) else { return false }
    postponed.append(PostponedEvent(part: part, event: event))
    return true
  }

  /// A node has to bring the image of a runtime, which takes the registry: virtual nodes always,
  /// machines that have joined for their first pod of it. Fixed machines have all images.
  func needsImage(_ node: NodeID, runtime: Int) -> Bool {
    if topology.nodes.isVirtual(node) { return true }
    return topology.nodes.isOfPool(node)
      && !images.contains(UInt64(node.raw) << 32 | UInt64(runtime))
  }

  /// What the Coordinator spends on an answer or a decision, of which only what is beyond that is
  /// waited for: it answers at once where it is not slow (assumed).
  private static let coordinatorHandling = Nanoseconds.milliseconds(10)

  /// Whether a message passes that is sent now, and how long it takes beside what the network says.
  func passage(
    of delay: Nanoseconds, from: Address, to address: Address, ordinal: UInt64, at now: Instant
  ) -> Nanoseconds? {
    let (factor, loss) = conditions.passage(
      from: from, at: topology.place(of: from), to: address, at: topology.place(of: address),
      now: now)
    if loss > 0 {
      var bits = KeyedStream(key: keys.loss.raw ^ from.tag ^ 0xD40B, index: ordinal)
      if bits.uniform() < loss { return nil }
    }
    var slowed = delay.seconds * factor
    if from.kind == .kubernetes { slowed *= conditions.slowdown(of: .kubernetes, at: now) }
    if from.kind == .coordinator {
      slowed +=
        Self.coordinatorHandling.seconds
        * (conditions.slowdown(of: .coordinator, at: now) - 1)
    }
    if from.kind == .etcd {
      let slowdown = conditions.slowdown(of: .etcd, at: now)
      slowed *= slowdown
      slowed += configuration.etcd.handling.seconds * (slowdown - 1)
    }
    return max(delay, Nanoseconds(seconds: slowed))
  }
}

/// What waits until a dependency is there again.
struct PostponedEvent: Sendable {
  var part: Dependency
  var event: ControlEvent
}
