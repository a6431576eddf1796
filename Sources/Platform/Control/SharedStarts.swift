import ControlPlane
import Primitives

/// Pods that AutoScale has ordered and that wait for room, by the part of a lane that they are for:
/// each is also one that the part's gateway asks for.
///
/// Gateways know nothing of AutoScale's orders, and AutoScale only of those starts that it has
/// heard of by a sample. For others two pods would wait for one wish, and machines be ordered for
/// both; whoever has asked for the one that comes, the part's calls go to it.
struct SharedStarts: Sendable {
  private struct Part: Sendable {
    /// Orders of AutoScale that wait.
    var ordered = 0
    /// The gateway's starts that AutoScale knew of when it ordered last.
    var known = 0
    /// The gateway's orders that wait for pods of their own, the oldest first.
    var own: [UInt64] = []
    /// The gateway's starts that wait for one of AutoScale's, the oldest first, and until when each
    /// is wanted.
    var asked: [(start: UInt64, until: Instant)] = []
  }

  /// Asked only for keys.
  private var awaited: [UInt64: Part] = [:]

  /// Lane and part in one word.
  private static func key(_ start: StartRequest) -> UInt64 { start.identity >> 32 }

  /// A pod begins to wait for room. O(orders of the part that do).
  ///
  /// - Returns: of one that AutoScale has ordered: the gateway's order that AutoScale knew nothing
  ///   of, which it stands for from now on.
  mutating func begin(_ start: StartRequest, order: UInt64) -> UInt64? {
    var part = awaited[Self.key(start)] ?? Part()
    defer { awaited[Self.key(start)] = part }
    guard start.isFromAutoscaler else {
      part.own.append(order)
      return nil
    }
    part.ordered += 1
    part.known = Int(start.knownStarts)
    guard part.own.count > part.known, part.asked.count < part.ordered else { return nil }
    return part.own.removeFirst()
  }

  /// It waits no more. O(orders of the part that do).
  ///
  /// - Parameter hasRoom: else it has been given up, and the youngest question has to wait for a
  ///   pod of its own.
  /// - Returns: of one that AutoScale has ordered: the ordinal of the gateway's start that its pod
  ///   is for as well.
  mutating func end(
    _ start: StartRequest, order: UInt64, hasRoom: Bool, at now: Instant
  ) -> UInt32? {
    guard var part = awaited[Self.key(start)] else { return nil }
    defer { awaited[Self.key(start)] = part.ordered > 0 || !part.own.isEmpty ? part : nil }
    guard start.isFromAutoscaler else {
      part.own.removeAll { $0 == order }
      return nil
    }
    part.asked.removeAll { $0.until <= now }
    part.ordered -= 1
    if hasRoom, !part.asked.isEmpty {
      return UInt32(truncatingIfNeeded: part.asked.removeFirst().start)
    }
    if part.asked.count > part.ordered { part.asked.removeLast() }
    return nil
  }

  /// Whether a gateway's start that finds no room has a pod of AutoScale's to itself, which waits
  /// already; not those that AutoScale has counted on. O(starts of the part that wait).
  ///
  /// - Parameter end: it is wanted until then, unless it is asked for again.
  mutating func takes(_ start: StartRequest, until end: Instant, at now: Instant) -> Bool {
    guard var part = awaited[Self.key(start)] else { return false }
    part.asked.removeAll { $0.until <= now || $0.start == start.identity }
    let hasOne = part.own.count >= part.known && part.asked.count < part.ordered
    if hasOne { part.asked.append((start.identity, end)) }
    awaited[Self.key(start)] = part
    return hasOne
  }
}

extension StartRequest {
  var isFromAutoscaler: Bool { isAhead && replacement == nil }
}
