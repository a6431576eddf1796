import ControlPlane
import Primitives

// A policy for idle instances, asked once for a step: what `ServiceRouter` does for each request.
extension FlowState {
  /// How long an idle instance stays now.
  var keepAliveLength: Nanoseconds {
    guard hasKeepAlive, let length = keepAlive?.length else { return rules.keepAlive }
    return length
  }

  /// Gives the lane a policy for idle instances, or takes it away.
  mutating func follow(_ policy: KeepAliveWatch?) {
    keepAlive = policy
    hasKeepAlive = policy != nil
  }

  /// Tells the policy of a step's arrivals. Where these are no single one, the first is taken for
  /// the first of so many that come evenly, and the others for such as overlap: a step is far
  /// shorter than what a policy tells apart.
  mutating func noteArrivals(_ count: Int, from start: Instant, isOneAtEnd: Bool) {
    guard hasKeepAlive, count > 0 else { return }
    let length = now - start
    let first = isOneAtEnd ? now : start + length / Int64(count + 1)
    keepAlive?.arrived(count, at: first)
  }

  /// Gives idle instances up early and asks for one ahead, as the policy says.
  mutating func followKeepAlive() {
    if inService + waiting + inDraining == 0 {
      guard counters.arrivals > 0 else { return }
      if keepAlive?.emptied(at: now) == true {
        retireIdle(instances.count - rules.minimumInstances, idleInstances())
      }
    } else {
      keepAlive?.idled(at: now)
    }
    guard let prewarmAt = keepAlive?.prewarmAt, prewarmAt <= now else { return }
    keepAlive?.prewarmed()
    guard instances.count + control.starts.count == 0, canStart else { return }
    let ordinal = control.nextOrdinal
    control.nextOrdinal &+= 1
    control.starts.append(FlowControl.Start(ordinal: ordinal, askedAt: now, attempt: 0))
    ask(ordinal, attempt: 0)
  }
}
