import ControlPlane
import Primitives

/// Properties of rendezvous hashing, by the platform's own score.
enum HashingProperties {
  private static func members(_ count: Int) -> [UInt64] {
    (0..<count).map { XXH3.hash64("member-\($0)") }
  }

  private static func keys(_ count: Int) -> [UInt64] {
    (0..<count).map { XXH3.hash64("key-\($0)") }
  }

  private static func owner(_ key: UInt64, _ members: [UInt64], _ weights: [Double]) -> Int? {
    WeightedRendezvous.owner(key: key, members: members, weights: weights)
  }

  /// Differences from the property that a sentence states; an unknown sentence is one.
  static func check(_ property: String, _ one: VectorValue) throws -> [String] {
    let count = Int((try? one.double("nodes")) ?? 10)
    let keys = keys(Int((try? one.double("keys")) ?? 10_000))
    switch property {
    case "adding one node: each key either keeps its node or moves to the new node":
      return addition(members(count), keys)
    case "scaling all weights by the same factor moves no key":
      let weights = (0..<count).map { Double($0 + 1) }
      return moves(keys, weights, to: weights.map { 2 * $0 }) { _, _ in false }
    case "raising one weight: moved keys only go to that node":
      let weights = Array(repeating: 5.0, count: count)
      let raised = weights.indices.map { $0 == 3 ? 9 : weights[$0] }
      return moves(keys, weights, to: raised) { _, after in after == 3 }
    case "lowering some weights: moved keys never go to a lowered node":
      let weights = Array(repeating: 100.0, count: count)
      let lowered = weights.indices.map { $0 < 5 ? 50 : weights[$0] }
      return moves(keys, weights, to: lowered) { before, after in before < 5 && after >= 5 }
    case "weight -> 0: exactly the keys of that node move":
      return zero(keys, members(count))
    case "distribution error <= 1.0 percentage point":
      return try distribution(
        keys, one.list("weights").map { try $0.list().map { try $0.double() } })
    case "order of nodes does not matter (shuffle-invariant)":
      return shuffled(keys, members(count))
    default: return ["nobody knows how to check: \(property)"]
    }
  }

  private static func plain(_ key: UInt64, _ members: [UInt64]) -> UInt64 {
    members.withUnsafeBufferPointer { members[RendezvousOrder.owner(key: key, members: $0)] }
  }

  private static func addition(_ members: [UInt64], _ keys: [UInt64]) -> [String] {
    let new = XXH3.hash64("another")
    var moved = 0
    for key in keys {
      let (before, after) = (plain(key, members), plain(key, members + [new]))
      if before != after, after != new { return ["a key moved between old members"] }
      if before != after { moved += 1 }
    }
    // Binomial with p = 1/11 and 10,000 keys: 909 ± 28.7; five deviations.
    let expected = Double(keys.count) / Double(members.count + 1)
    return abs(Double(moved) - expected) < 5 * expected.squareRoot()
      ? [] : ["\(moved) keys moved to the new member instead of \(expected)"]
  }

  /// Every key that moves when weights change must move in an allowed way, and some must unless
  /// none may.
  private static func moves(
    _ keys: [UInt64], _ weights: [Double], to changed: [Double],
    isAllowed: (_ before: Int, _ after: Int) -> Bool
  ) -> [String] {
    let members = members(weights.count)
    for key in keys {
      guard let before = owner(key, members, weights), let after = owner(key, members, changed)
      else { return ["a key has no owner"] }
      if before != after, !isAllowed(before, after) {
        return ["a key moved from \(before) to \(after)"]
      }
    }
    return []
  }

  private static func zero(_ keys: [UInt64], _ members: [UInt64]) -> [String] {
    let all = Array(repeating: 1.0, count: members.count)
    var without = all
    without[4] = 0
    for key in keys {
      let (before, after) = (owner(key, members, all), owner(key, members, without))
      if (before == 4) != (before != after) || after == 4 { return ["\(key) moved wrongly"] }
    }
    return []
  }

  private static func distribution(_ keys: [UInt64], _ sets: [[Double]]) -> [String] {
    sets.flatMap { weights -> [String] in
      let members = members(weights.count)
      var counts = [Int](repeating: 0, count: weights.count)
      for key in keys { counts[owner(key, members, weights) ?? 0] += 1 }
      let total = weights.reduce(0, +)
      return zip(counts, weights).compactMap { count, weight in
        let error = abs(Double(count) / Double(keys.count) - weight / total)
        return error <= 0.01 ? nil : "a weight of \(weight) has \(count) keys"
      }
    }
  }

  private static func shuffled(_ keys: [UInt64], _ members: [UInt64]) -> [String] {
    let other = members.reversed() + []
    for key in keys where plain(key, members) != plain(key, Array(other)) {
      return ["the order of members moved a key"]
    }
    for key in keys.prefix(1000) {
      let a = RendezvousOrder.all(key: key, members: members).map { members[$0] }
      let top = RendezvousOrder.top(3, key: key, members: members).map { members[$0] }
      if Array(a.prefix(3)) != top { return ["the first three are not the top of the order"] }
    }
    return []
  }
}
