import Primitives

/// Rendezvous (highest random weight) hashing: every member scores a key, the highest score owns
/// it, and the order of scores is the order of fail-over. Removing a member moves exactly its own
/// keys. (Thaler and Ravishankar, 1998.)
///
/// Keys and members are hashed once; a score is one multiplication of the two hashes mixed, so that
/// an owner among n members costs n multiplications and no allocation.
public enum RendezvousOrder {
  /// The score of a member for a key, from the hashes of both.
  @inlinable public static func score(key: UInt64, member: UInt64) -> UInt64 {
    Mixing.foldedMultiply(key ^ member, 0x9E37_79B9_7F4A_7C15)
  }

  /// Position of the member that owns a key; ties go to the lower one. Precondition: there is a
  /// member.
  @inlinable public static func owner(
    key: UInt64, members: UnsafeBufferPointer<UInt64>
  ) -> Int {
    var best = 0
    var highest = score(key: key, member: members[0])
    for index in 1..<members.count {
      let score = score(key: key, member: members[index])
      if score > highest {
        highest = score
        best = index
      }
    }
    return best
  }

  /// All positions, the owner first. O(n log n).
  public static func all(key: UInt64, members: [UInt64]) -> [Int] {
    let scores = members.map { score(key: key, member: $0) }
    return members.indices.sorted { a, b in
      scores[a] > scores[b] || (scores[a] == scores[b] && a < b)
    }
  }
}
