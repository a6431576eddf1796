import Primitives

/// How a member scores a key, from the hashes of both.
public protocol RendezvousScoring {
  static func score(key: UInt64, member: UInt64) -> UInt64
  /// Whether the last of equal scores wins; else the first.
  static var lastOfEqualWins: Bool { get }
}

extension RendezvousScoring {
  @inlinable public static var lastOfEqualWins: Bool { false }
}

/// The platform's score: one multiplication of the two hashes, mixed.
public enum PlatformScoring: RendezvousScoring {
  @inlinable @inline(__always)
  public static func score(key: UInt64, member: UInt64) -> UInt64 {
    Mixing.foldedMultiply(key ^ member, 0x9E37_79B9_7F4A_7C15)
  }
}

/// Rendezvous (highest random weight) hashing: every member scores a key, the highest score owns
/// it, and the order of scores is the order of fail-over. Removing a member moves exactly its own
/// keys. (Thaler and Ravishankar, 1998.)
///
/// Keys and members are hashed once, by any hash, so that an owner among n members costs n scores
/// and no allocation.
public enum RendezvousOrder {
  /// Position of the member that owns a key. Precondition: there is a member.
  @inlinable public static func owner(
    key: UInt64, members: UnsafeBufferPointer<UInt64>
  ) -> Int {
    owner(key: key, members: members, by: PlatformScoring.self)
  }

  /// The same by another score.
  @inlinable public static func owner<Scoring: RendezvousScoring>(
    key: UInt64, members: UnsafeBufferPointer<UInt64>, by scoring: Scoring.Type
  ) -> Int {
    var best = 0
    var highest = scoring.score(key: key, member: members[0])
    for index in 1..<members.count {
      let score = scoring.score(key: key, member: members[index])
      if score > highest || (score == highest && scoring.lastOfEqualWins) {
        highest = score
        best = index
      }
    }
    return best
  }

  /// All positions, the owner first. O(n log n).
  public static func all(key: UInt64, members: [UInt64]) -> [Int] {
    all(key: key, members: members, by: PlatformScoring.self)
  }

  /// The same by another score.
  public static func all<Scoring: RendezvousScoring>(
    key: UInt64, members: [UInt64], by scoring: Scoring.Type
  ) -> [Int] {
    let scores = members.map { scoring.score(key: key, member: $0) }
    return members.indices.sorted { a, b in
      if scores[a] != scores[b] { return scores[a] > scores[b] }
      return scoring.lastOfEqualWins ? a > b : a < b
    }
  }

  /// The owner and those who follow when it fails, `count` in all. O(n count).
  public static func top(_ count: Int, key: UInt64, members: [UInt64]) -> [Int] {
    var chosen: [(score: UInt64, index: Int)] = []
    for (index, member) in members.enumerated() {
      let score = PlatformScoring.score(key: key, member: member)
      let place = chosen.firstIndex { $0.score < score } ?? chosen.count
      guard place < count else { continue }
      chosen.insert((score, index), at: place)
      if chosen.count > count { chosen.removeLast() }
    }
    return chosen.map(\.index)
  }
}

/// Rendezvous hashing in which members own shares of the keys in proportion to their weights.
///
/// The logarithmic method: with u = the score's low 53 bits over 2⁵³, the largest of weight / −ln u
/// owns the key, the first of equal ones; a weight of zero owns nothing. Scaling all weights moves
/// no key, and raising one moves keys to it alone. (Rule: facebook/mcrouter,
/// `WeightedRendezvousHashFunc`.)
public enum WeightedRendezvous {
  /// Position of the owner; nil when every weight is zero. O(n) logarithms.
  public static func owner<Scoring: RendezvousScoring>(
    key: UInt64, members: [UInt64], weights: [Double], by scoring: Scoring.Type
  ) -> Int? {
    var best: Int?
    var highest = 0.0
    for (index, member) in members.enumerated() where weights[index] > 0 {
      let low = scoring.score(key: key, member: member) & (1 << 53 - 1)
      guard low > 0 else { continue }
      let score = weights[index] / -Elementary.log(Double(low) * 0x1p-53)
      if score > highest {
        highest = score
        best = index
      }
    }
    return best
  }

  /// The same by the platform's score.
  public static func owner(key: UInt64, members: [UInt64], weights: [Double]) -> Int? {
    owner(key: key, members: members, weights: weights, by: PlatformScoring.self)
  }
}
