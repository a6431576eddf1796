import ControlPlane
import Primitives

/// Orders of AutoScale that stand in line before Kubernetes' API, by the part of a lane that they
/// are for.
struct OrdersInLine: Sendable {
  private struct Part: Sendable {
    /// The oldest first; those before `head` have left.
    var orders: [UInt64] = []
    var head = 0
  }

  /// Asked only for keys.
  private var awaited: [UInt64: Part] = [:]

  private static func key(_ lane: LaneID, _ part: Int) -> UInt64 {
    UInt64(lane.raw) << 16 | UInt64(part)
  }

  private static func key(_ start: StartRequest) -> UInt64 { key(start.lane, Int(start.part)) }

  mutating func line(_ start: StartRequest, _ order: UInt64) {
    awaited[Self.key(start), default: Part()].orders.append(order)
  }

  /// An order has its turn, and all of its part that came before it are over, since a line keeps
  /// its order. O(1) amortised.
  mutating func leave(_ start: StartRequest, _ order: UInt64) {
    let key = Self.key(start)
    guard var part = awaited[key],
      let place = part.orders[part.head...].firstIndex(of: order)
    else { return }
    // So that there is one array, and no copy.
    awaited[key] = nil
    part.head = place + 1
    guard part.head < part.orders.count else { return }
    if part.head > 64, part.head * 2 > part.orders.count {
      part.orders.removeFirst(part.head)
      part.head = 0
    }
    awaited[key] = part
  }

  /// Takes the youngest of a part out, `count` at most; the youngest first.
  mutating func takeLast(_ count: Int, of lane: LaneID, part index: Int) -> [UInt64] {
    let key = Self.key(lane, index)
    guard var part = awaited[key] else { return [] }
    awaited[key] = nil
    let taken = Array(part.orders[part.head...].suffix(count).reversed())
    part.orders.removeLast(taken.count)
    if part.head < part.orders.count { awaited[key] = part }
    return taken
  }
}
