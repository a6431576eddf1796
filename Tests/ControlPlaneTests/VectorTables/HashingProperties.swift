import ControlPlane
import Primitives

/// Properties of rendezvous hashing that the file states in sentences, by the platform's own score.
///
/// A sentence stands for claims: counts and shares by name, each from a least to a greatest value.
/// Shares are binomial and have five standard deviations.
enum HashingProperties {
  private enum Property: String {
    case addition = "adding one node: each key either keeps its node or moves to the new node"
    case scaling = "scaling all weights by the same factor moves no key"
    case raising = "raising one weight: moved keys only go to that node"
    case lowering = "lowering some weights: moved keys never go to a lowered node"
    case zero = "weight -> 0: exactly the keys of that node move"
    case distribution = "distribution error <= 1.0 percentage point"
    case order = "order of nodes does not matter (shuffle-invariant)"

    init(_ one: VectorValue) throws {
      let text = try one.text("property")
      guard let known = Property(rawValue: text) else {
        throw VectorValue.Unreadable(description: "nobody knows the property `\(text)`")
      }
      self = known
    }
  }

  static var check: GroupCheck {
    GroupCheck(
      .partly, inputs: ["property", "nodes", "keys", "weights", "lowered"],
      expecting: [Expectation(whole: "claims", changedBy: wrongClaims)], reading: read
    ) { one, _ in
      let found = try observed(one)
      guard case .object(let claims) = try one.member("claims") else { return Comparison() }
      return try claims.keys.sorted().comparing { name in
        let bounds = try one.member("claims").doubles(name)
        guard let value = found[name] else {
          throw VectorValue.Unreadable(description: "nobody counts `\(name)`")
        }
        return .within(name, value, bounds[0]...bounds[1])
      }
    }
  }

  /// Each claim once another: that the value lies above its range.
  private static func wrongClaims(_ claims: VectorValue) -> [VectorValue] {
    guard case .object(let members) = claims else { return [] }
    return members.keys.sorted().compactMap { name in
      guard let bounds = try? claims.doubles(name) else { return nil }
      let above = bounds[1] + max(1, 1e-6 * bounds[1])
      return claims.setting(name, to: .list([.number(above), .number(2 * above)]))
    }
  }

  // MARK: Claims

  /// Adds what a sentence claims.
  private static func read(_ one: VectorValue) throws -> VectorValue {
    guard one["claims"] == nil else { return one }
    var claims: [String: VectorValue] = [:]
    for (name, range) in try claimed(one) {
      claims[name] = .list([.number(range.lowerBound), .number(range.upperBound)])
    }
    return one.setting("claims", to: .object(claims))
  }

  private static func claimed(_ one: VectorValue) throws -> [String: ClosedRange<Double>] {
    let count = Double(size(one))
    switch try Property(one) {
    case .addition:
      return ["moved between old nodes": 0...0, "moved": share(1 / (count + 1), one)]
    case .scaling:
      return ["moved": 0...0, "nodes with keys": count...count]
    case .raising:
      let gain = 9 / (5 * count + 4) - 1 / count
      return ["moved elsewhere": 0...0, "moved": share(gain, one)]
    case .lowering:
      let lowered = try one.double("lowered")
      let loss = lowered / count - lowered * 50 / (lowered * 50 + (count - lowered) * 100)
      return ["moved to a lowered node": 0...0, "moved": share(loss, one)]
    case .zero:
      return ["wrongly moved or kept": 0...0, "moved": share(1 / count, one)]
    case .distribution: return ["greatest error in points": 0...1]
    case .order:
      return ["moved": 0...0, "other followers": 0...0]
    }
  }

  private static func share(_ p: Double, _ one: VectorValue) -> ClosedRange<Double> {
    let n = Double(keyCount(one))
    let width = 5 * (n * p * (1 - p)).squareRoot()
    return n * p - width...n * p + width
  }

  // MARK: Observations

  private static func observed(_ one: VectorValue) throws -> [String: Double] {
    let count = size(one)
    let keys = keys(keyCount(one))
    let weights = one["weights"].flatMap { value -> String? in
      guard case .text(let text) = value else { return nil }
      return text
    }
    switch try Property(one) {
    case .addition:
      return addition(members(count), keys)
    case .scaling:
      guard weights == "i -> 2i" else { throw unknown(weights) }
      let before = (0..<count).map { Double($0 + 1) }
      let moves = moves(keys, before, to: before.map { 2 * $0 })
      return [
        "moved": Double(moves.count), "nodes with keys": Double(owners(keys, before).count),
      ]
    case .raising:
      let before = Array(repeating: 5.0, count: count)
      let moves = moves(keys, before, to: before.indices.map { $0 == 3 ? 9 : 5 })
      return [
        "moved": Double(moves.count), "moved elsewhere": Double(moves.count { $0.after != 3 }),
      ]
    case .lowering:
      guard weights == "100 -> 50" else { throw unknown(weights) }
      let lowered = try one.int("lowered")
      let before = Array(repeating: 100.0, count: count)
      let moves = moves(keys, before, to: before.indices.map { $0 < lowered ? 50 : 100 })
      return [
        "moved": Double(moves.count),
        "moved to a lowered node": Double(moves.count { $0.after < lowered }),
      ]
    case .zero:
      let before = Array(repeating: 1.0, count: count)
      let moves = moves(keys, before, to: before.indices.map { $0 == 4 ? 0 : 1 })
      let owned = owners(keys, before)[4] ?? 0
      return [
        "moved": Double(moves.count),
        "wrongly moved or kept": Double(moves.count { $0.before != 4 } + abs(owned - moves.count)),
      ]
    case .distribution:
      let sets = try one.list("weights").map { try $0.list().map { try $0.double() } }
      return ["greatest error in points": sets.map { error(keys, $0) }.max() ?? .infinity]
    case .order: return shuffled(keys, members(count))
    }
  }

  private static func unknown(_ weights: String?) -> VectorValue.Unreadable {
    .init(description: "nobody knows the weights `\(weights ?? "none")`")
  }

  /// Where a sentence leaves numbers open: ten nodes, ten thousand keys, as upstream.
  private static func size(_ one: VectorValue) -> Int { (try? one.int("nodes")) ?? 10 }
  private static func keyCount(_ one: VectorValue) -> Int { (try? one.int("keys")) ?? 10_000 }

  private static func members(_ count: Int) -> [UInt64] {
    (0..<count).map { XXH3.hash64("member-\($0)") }
  }

  private static func keys(_ count: Int) -> [UInt64] {
    (0..<count).map { XXH3.hash64("key-\($0)") }
  }

  private static func owner(_ key: UInt64, _ members: [UInt64], _ weights: [Double]) -> Int {
    WeightedRendezvous.owner(key: key, members: members, weights: weights) ?? -1
  }

  private static func plain(_ key: UInt64, _ members: [UInt64]) -> UInt64 {
    members.withUnsafeBufferPointer { members[RendezvousOrder.owner(key: key, members: $0)] }
  }

  private static func addition(_ members: [UInt64], _ keys: [UInt64]) -> [String: Double] {
    let new = XXH3.hash64("another")
    var counts = ["moved": 0.0, "moved between old nodes": 0.0]
    for key in keys {
      let (before, after) = (plain(key, members), plain(key, members + [new]))
      guard before != after else { continue }
      counts["moved", default: 0] += 1
      if after != new { counts["moved between old nodes", default: 0] += 1 }
    }
    return counts
  }

  /// The keys that move when weights change: from where to where.
  private static func moves(
    _ keys: [UInt64], _ weights: [Double], to changed: [Double]
  ) -> [(before: Int, after: Int)] {
    let members = members(weights.count)
    return keys.compactMap { key in
      let (before, after) = (owner(key, members, weights), owner(key, members, changed))
      return before == after ? nil : (before, after)
    }
  }

  /// Keys by the node that owns them.
  private static func owners(_ keys: [UInt64], _ weights: [Double]) -> [Int: Int] {
    let members = members(weights.count)
    return keys.reduce(into: [:]) { $0[owner($1, members, weights), default: 0] += 1 }
  }

  private static func error(_ keys: [UInt64], _ weights: [Double]) -> Double {
    let owned = owners(keys, weights)
    let total = weights.reduce(0, +)
    let errors = weights.indices.map { index in
      abs(Double(owned[index] ?? 0) / Double(keys.count) - weights[index] / total)
    }
    return 100 * (errors.max() ?? 1)
  }

  private static func shuffled(_ keys: [UInt64], _ members: [UInt64]) -> [String: Double] {
    let other = Array(members.reversed())
    let moved = keys.count { plain($0, members) != plain($0, other) }
    let strange = keys.prefix(1000).count { key in
      let all = RendezvousOrder.all(key: key, members: members).map { members[$0] }
      let top = RendezvousOrder.top(3, key: key, members: members).map { members[$0] }
      let others = RendezvousOrder.top(3, key: key, members: other).map { other[$0] }
      return Array(all.prefix(3)) != top || top != others
    }
    return ["moved": Double(moved), "other followers": Double(strange)]
  }
}
