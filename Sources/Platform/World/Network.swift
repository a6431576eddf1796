import ControlPlane
import Primitives

/// Where a component stands, as far as the network is concerned: a zone, or the cluster's control
/// plane.
struct Place: Hashable, BitwiseCopyable {
  var raw: Int16
  static let controlPlane = Place(raw: -1)
  init(raw: Int16) { self.raw = raw }
  init(_ zone: ZoneID) { raw = Int16(truncatingIfNeeded: zone.index) }
}

/// The network between components: a question with three answers, a delay, lost, or cut.
///
/// Delays are constant for a pair of places, so messages of one pair keep their order. Loss is a
/// keyed draw by the sender's own count of messages, so that nobody else's traffic moves it.
struct Network: Sendable {
  enum Outcome: Equatable {
    case delivered(after: Nanoseconds)
    case lost
  }

  let delays: NetworkDelays
  let lossKey: UInt64
  let lossThreshold: UInt64

  var canLose: Bool { lossThreshold > 0 }

  init(_ delays: NetworkDelays, lossKey: UInt64) {
    self.delays = delays
    self.lossKey = lossKey
    lossThreshold = UInt64(delays.loss * 0x1p53)
  }

  func delay(from: Place, to: Place) -> Nanoseconds {
    if from == .controlPlane || to == .controlPlane { return delays.controlPlane }
    return from == to ? delays.sameZone : delays.crossZone
  }

  /// - Parameters:
  ///   - sender: number of the sending component.
  ///   - ordinal: how many messages it has sent before.
  func send(from: Place, to: Place, sender: UInt64, ordinal: UInt64) -> Outcome {
    if lossThreshold > 0 {
      var bits = KeyedStream(key: lossKey ^ sender, index: ordinal)
      if bits.next() >> 11 < lossThreshold { return .lost }
    }
    return .delivered(after: delay(from: from, to: to))
  }
}
