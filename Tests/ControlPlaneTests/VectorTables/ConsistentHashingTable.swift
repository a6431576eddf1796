import ControlPlane
import Primitives
import Testing

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

  static func keys(_ count: Int) -> [UInt64] { (0..<count).map { key("mykey:\($0)") } }
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

private func counts(_ keys: [UInt64], _ members: Int, _ owner: (UInt64) -> Int) -> [Int] {
  var counts = [Int](repeating: 0, count: members)
  for key in keys { counts[owner(key)] += 1 }
  return counts
}

extension VectorTables {
  @Test func consistentHashing() throws {
    let table = try VectorTable("consistent_hashing")
    try plain(table)
    try weighted(table)
    try table.check("hrw_xorshift_fnv1a_computed", expecting: "ranking") { one in
      let names = try table.fields(of: "hrw_xorshift_fnv1a_computed").list("nodes").map {
        try $0.text()
      }
      let order = RendezvousOrder.all(
        key: fnv1a(try one.text("key")), members: names.map(fnv1a), by: XorshiftScoring.self)
      return VectorTable.same(
        "ranking", order.map { names[$0] }, try one.list("ranking").map { try $0.text() })
        + VectorTable.same("winner", names[order[0]], try one.text("winner"))
    }
    try table.check("hrw_properties", expecting: "property") { one in
      try HashingProperties.check(try one.text("property"), one)
    }
    try others(table)
    table.finish()
  }

  private func plain(_ table: VectorTable) throws {
    try table.check("hrw_plain_lookup", expecting: "index") { one in
      VectorTable.same(
        "owner", plainOwner(Mcrouter.key(try one.text("key")), Mcrouter.members(try one.int("n"))),
        try one.int("index"))
    }
    try table.check("hrw_plain_counts", expecting: "counts") { one in
      let members = Mcrouter.members(try one.int("n"))
      let expected = try one.list("counts").map { Int(try $0.double()) }
      let keys = Mcrouter.keys(try one.text("keys").hasSuffix(":9999") ? 10_000 : 1000)
      return VectorTable.same(
        "counts", counts(keys, members.count) { plainOwner($0, members) }, expected)
    }
    try table.check("hrw_plain_removal", expecting: "moved_keys") { one in
      let members = Mcrouter.members(try one.int("n"))
      let removed = try one.int("remove_index")
      var fewer = members
      fewer.remove(at: removed)
      var moved = 0
      var owned = 0
      for key in Mcrouter.keys(try one.int("keys")) {
        let before = plainOwner(key, members)
        if before == removed { owned += 1 }
        if fewer[plainOwner(key, fewer)] != members[before] { moved += 1 }
      }
      return VectorTable.same("moved", moved, try one.int("moved_keys"))
        + VectorTable.same("owned by the removed", owned, moved)
    }
  }

  private func weighted(_ table: VectorTable) throws {
    try table.check("hrw_weighted_lookup", expecting: "index") { one in
      let count = try one.int("n")
      return VectorTable.same(
        "owner",
        weightedOwner(
          Mcrouter.key(try one.text("key")), Mcrouter.members(count),
          Array(repeating: 1, count: count)), try one.int("index"))
    }
    try table.check("hrw_weighted_counts", expecting: "counts") { one in
      let members = Mcrouter.members(try one.int("n"))
      let weights = try one.list("weights").map { try $0.double() }
      let expected = try one.list("counts").map { Int(try $0.double()) }
      return VectorTable.same(
        "counts",
        counts(Mcrouter.keys(10_000), members.count) { weightedOwner($0, members, weights) },
        expected)
    }
    try table.check("hrw_weighted_removal", expecting: "moved_keys") { one in
      let members = Mcrouter.members(try one.int("n"))
      let removed = try one.int("remove_index")
      let all = Array(repeating: 1.0, count: members.count)
      var fewer = all
      fewer[removed] = 0
      let moved = Mcrouter.keys(try one.int("keys")).count {
        weightedOwner($0, members, all) != weightedOwner($0, members, fewer)
      }
      return VectorTable.same("moved", moved, try one.int("moved_keys"))
    }
  }

  private func others(_ table: VectorTable) throws {
    try table.check(
      "jump_hash", expecting: "bucket_for_n_1_to_20", "bucket_for_n_1_to_19", "bucket"
    ) { one in
      if one["bucket"] != nil {
        let found = JumpHash.bucket(key: try one.word("key"), buckets: try one.int("buckets"))
        return VectorTable.same("bucket", found, try one.int("bucket"))
      }
      let long = one["bucket_for_n_1_to_20"] != nil
      let expected = try one.list(long ? "bucket_for_n_1_to_20" : "bucket_for_n_1_to_19")
      let key = try one.hex("key_hex")
      let found = (1...expected.count).map { JumpHash.bucket(key: key, buckets: $0) }
      return VectorTable.same("buckets", found, try expected.map { Int(try $0.double()) })
    }
    try table.check("maglev_populate", expecting: "lookup") { one in
      func whole(_ list: [VectorValue]) throws -> [Int] { try list.map { Int(try $0.double()) } }
      let found = MaglevTable.populate(
        permutations: try one.list("permutations").map { try whole(try $0.list()) },
        dead: try whole(try one.list("dead")))
      return VectorTable.same("lookup", found, try whole(try one.list("lookup")))
    }
    try table.check("bounded_load_slots_computed", expecting: "host_slots") { one in
      let total = BoundedLoad.totalSlots(
        active: try one.int("overall_active"),
        balanceFactorPercent: try one.int("hash_balance_factor"))
      return VectorTable.same("total", total, try one.int("total_slots"))
        + VectorTable.same(
          "slots", BoundedLoad.slots(of: try one.double("host_weight"), total: total),
          try one.int("host_slots"))
    }
  }
}
