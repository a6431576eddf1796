import ControlPlane
import Primitives

/// mcrouter's plain score: the combined hash as a floating-point number, the last of equals wins.
private enum McrouterScoring: RendezvousScoring {
  static func score(key: UInt64, member: UInt64) -> UInt64 {
    // Bits of positive floating-point numbers are in the order of the numbers.
    Double(Mixing.hash128to64(upper: member, lower: key)).bitPattern
  }
  static var lastOfEqualWins: Bool { true }
}

/// The combined hash itself, of which the weighted rule takes the low bits.
private enum CombinedScoring: RendezvousScoring {
  static func score(key: UInt64, member: UInt64) -> UInt64 {
    Mixing.hash128to64(upper: member, lower: key)
  }
}

/// go-rendezvous' score.
private enum XorshiftScoring: RendezvousScoring {
  static func score(key: UInt64, member: UInt64) -> UInt64 {
    Mixing.xorshiftMultiply64(key ^ member)
  }
}

private enum Mcrouter {
  static func member(_ index: Int) -> UInt64 {
    MurmurHash2A64.hash64("xxx.\(index).yy", seed: 4_193_360_111)
  }

  static func members(_ count: Int) -> [UInt64] { (0..<count).map(member) }

  static func key(_ text: String) -> UInt64 {
    guard text == "bytes(-128..127)" else {
      return MurmurHash2A64.hash64(text, seed: 2_718_281_828)
    }
    let bytes = (0..<256).map { UInt8(truncatingIfNeeded: $0 - 128) }
    return bytes.withUnsafeBytes { MurmurHash2A64.hash64($0, seed: 2_718_281_828) }
  }

  /// The number of keys, or `mykey:0..mykey:LAST`.
  static func keys(_ value: VectorValue) throws -> [UInt64] {
    guard case .text(let text) = value else {
      return (0..<Int(try value.double())).map { key("mykey:\($0)") }
    }
    let start = "mykey:0..mykey:"
    guard text.hasPrefix(start), let last = Int(text.dropFirst(start.count)) else {
      throw VectorValue.Unreadable(description: "nobody knows the keys `\(text)`")
    }
    return (0...last).map { key("mykey:\($0)") }
  }

  static func weights(_ one: VectorValue) throws -> [Double] {
    guard case .text(let text)? = one["weights"] else {
      return try one.list("weights").map { try $0.double() }
    }
    guard text == "all 1" else {
      throw VectorValue.Unreadable(description: "nobody knows the weights `\(text)`")
    }
    return Array(repeating: 1, count: try one.int("n"))
  }
}

private func fnv1a(_ text: String) -> UInt64 {
  text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

private func plainOwner(_ key: UInt64, _ members: [UInt64]) -> Int {
  members.withUnsafeBufferPointer {
    RendezvousOrder.owner(key: key, members: $0, by: McrouterScoring.self)
  }
}

private func weightedOwner(_ key: UInt64, _ members: [UInt64], _ weights: [Double]) -> Int {
  WeightedRendezvous.owner(key: key, members: members, weights: weights, by: CombinedScoring.self)
    ?? -1
}

private func shares(_ keys: [UInt64], _ members: Int, _ owner: (UInt64) -> Int) -> [Int] {
  var counts = [Int](repeating: 0, count: members)
  for key in keys { counts[owner(key)] += 1 }
  return counts
}

extension VectorTables {
  static var consistentHashing: [String: GroupCheck] {
    let index = [Expectation("index")]
    let counts = [Expectation("counts")]
    let moved = [Expectation("moved_keys")]
    let removal: Set = ["n", "remove_index", "keys"]
    return [
      "hrw_plain_lookup": GroupCheck(.simulation, inputs: ["n", "key"], expecting: index) {
        one, _ in
        let members = Mcrouter.members(try one.int("n"))
        return .same(
          "owner", plainOwner(Mcrouter.key(try one.text("key")), members), try one.int("index"))
      },
      "hrw_plain_counts": GroupCheck(.simulation, inputs: ["n", "keys"], expecting: counts) {
        one, _ in
        let members = Mcrouter.members(try one.int("n"))
        let keys = try Mcrouter.keys(try one.member("keys"))
        return .same(
          "counts", shares(keys, members.count) { plainOwner($0, members) },
          try one.ints("counts"))
      },
      "hrw_plain_removal": GroupCheck(
        .simulation, inputs: removal, expecting: moved, by: plainRemoval),
      "hrw_weighted_lookup": GroupCheck(
        .library, inputs: ["n", "key", "weights"], expecting: index
      ) { one, _ in
        let members = Mcrouter.members(try one.int("n"))
        let key = Mcrouter.key(try one.text("key"))
        return .same(
          "owner", weightedOwner(key, members, try Mcrouter.weights(one)), try one.int("index"))
      },
      "hrw_weighted_counts": GroupCheck(
        .library, inputs: ["n", "keys", "weights"], expecting: counts
      ) { one, _ in
        let members = Mcrouter.members(try one.int("n"))
        let weights = try Mcrouter.weights(one)
        let keys = try Mcrouter.keys(try one.member("keys"))
        return .same(
          "counts", shares(keys, members.count) { weightedOwner($0, members, weights) },
          try one.ints("counts"))
      },
      "hrw_weighted_removal": GroupCheck(
        .library, inputs: removal, expecting: moved, by: weightedRemoval),
      "hrw_xorshift_fnv1a_computed": GroupCheck(
        .simulation, inputs: ["key"], expecting: [.init("ranking"), .init("winner")], by: ranking),
      "hrw_properties": HashingProperties.check,
      "jump_hash": GroupCheck(
        .library, inputs: ["key", "key_hex", "buckets"],
        expecting: [.init("bucket"), .init("bucket_for_n_1_to_*")], by: jumpHash),
      "maglev_populate": GroupCheck(
        .library, inputs: ["M", "permutations", "dead"], expecting: [.init("lookup")]
      ) { one, _ in
        let permutations = try one.list("permutations").map { try $0.ints() }
        return .same(
          "lookup", MaglevTable.populate(permutations: permutations, dead: try one.ints("dead")),
          try one.ints("lookup"))
          + .same("places", permutations[0].count, try one.int("M"))
      },
      "bounded_load_slots_computed": GroupCheck(
        .library, inputs: ["overall_active", "hash_balance_factor", "host_weight"],
        expecting: [.init("total_slots"), .init("host_slots")]
      ) { one, _ in
        let total = BoundedLoad.totalSlots(
          active: try one.int("overall_active"),
          balanceFactorPercent: try one.int("hash_balance_factor"))
        return .same("total", total, try one.int("total_slots"))
          + .same(
            "slots", BoundedLoad.slots(of: try one.double("host_weight"), total: total),
            try one.int("host_slots"))
      },
    ]
  }

  private static func plainRemoval(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let members = Mcrouter.members(try one.int("n"))
    let removed = try one.int("remove_index")
    var fewer = members
    fewer.remove(at: removed)
    var moved = 0
    var owned = 0
    for key in try Mcrouter.keys(try one.member("keys")) {
      let before = plainOwner(key, members)
      if before == removed { owned += 1 }
      if fewer[plainOwner(key, fewer)] != members[before] { moved += 1 }
    }
    return .same("moved", moved, try one.int("moved_keys"))
      + .same("owned by the removed", owned, moved)
  }

  private static func weightedRemoval(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let members = Mcrouter.members(try one.int("n"))
    let all = Array(repeating: 1.0, count: members.count)
    var fewer = all
    fewer[try one.int("remove_index")] = 0
    let moved = try Mcrouter.keys(try one.member("keys")).count {
      weightedOwner($0, members, all) != weightedOwner($0, members, fewer)
    }
    return .same("moved", moved, try one.int("moved_keys"))
  }

  private static func ranking(_ one: VectorValue, _ group: VectorValue) throws -> Comparison {
    let names = try group.list("nodes").map { try $0.text() }
    let order = RendezvousOrder.all(
      key: fnv1a(try one.text("key")), members: names.map(fnv1a), by: XorshiftScoring.self)
    return .same(
      "ranking", order.map { names[$0] }, try one.list("ranking").map { try $0.text() })
      + .same("winner", names[order[0]], try one.text("winner"))
  }

  private static func jumpHash(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    if one["bucket"] != nil {
      let found = JumpHash.bucket(key: try one.word("key"), buckets: try one.int("buckets"))
      return .same("bucket", found, try one.int("bucket"))
    }
    let start = "bucket_for_n_1_to_"
    guard case .object(let members) = one,
      let name = members.keys.first(where: { $0.hasPrefix(start) }),
      let most = Int(name.dropFirst(start.count))
    else { throw VectorValue.Unreadable(description: "no buckets") }
    let key = try one.hex("key_hex")
    return .same(
      "buckets", (1...most).map { JumpHash.bucket(key: key, buckets: $0) }, try one.ints(name))
  }
}
