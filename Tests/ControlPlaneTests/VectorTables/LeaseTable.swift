import ControlPlane
import Primitives
import Testing

extension VectorTables {
  @Test func etcdLeases() throws {
    let table = try VectorTable("etcd_lease")
    try table.check(
      "promote_pileup", expecting: "per_second_expiries_from_10_to_29", by: Self.pileup)
    try table.check(
      "lease_semantics",
      expecting: "result", "granted_ttl", "min_ttl_s", "remaining_after_s", "period_ms",
      "interval_s", by: LeaseSemantics.differences)
    try table.check(
      "client_keepalive", expecting: "next_keepalive_after_s", "retry_wait_ms"
    ) { one in
      if one["ttl_s"] == nil { return try Self.clientTimes(one) }
      let timeToLive = Nanoseconds(try one.nanoseconds("ttl_s"))
      let period = LeaseHolder.keepAlivePeriod(timeToLive: timeToLive)
      var holder = LeaseHolder(timeToLive: timeToLive, clockMargin: .zero, at: .origin)
      var effects = HolderLog()
      holder.wake(at: .origin, into: &effects)
      holder.acknowledged(
        LeaseID(7), timeToLive: timeToLive, question: effects.question, at: .origin,
        into: &effects)
      return VectorTable.close(
        "next", period.seconds, try one.double("next_keepalive_after_s"), relative: 1e-8)
        + VectorTable.close(
          "alarm", Double(effects.alarm.nanoseconds) / 1e9,
          try one.double("next_keepalive_after_s"), relative: 1e-8)
        + VectorTable.same(
          "deadline", Double(holder.trustedUntil.nanoseconds) / 1e9,
          try one.double("deadline_after_s"))
    }
    table.finish()
  }

  /// Leases of two lengths, whose expiries pile up when a new leader begins all of them at once.
  private static func pileup(_ one: VectorValue) throws -> [String] {
    var rules = Lessor.Rules()
    rules.revocationsPerSecond = try one.int("revoke_rate")
    var lessor = Lessor(rules: rules)
    var id: Int64 = 0
    guard case .object(let lengths) = try one.member("leases_ttl_s") else { return ["no leases"] }
    for length in lengths.keys.compactMap(Int64.init).sorted() {
      for _ in 0..<Int(try one.member("leases_ttl_s").double(String(length))) {
        id += 1
        _ = try lessor.grant(LeaseID(id), timeToLive: .seconds(length), at: .origin)
      }
    }
    lessor.demote()
    lessor.promote(extendedBy: .zero, at: .origin)
    let expiries = lessor.ids.compactMap { lessor.remaining($0, at: .origin)?.seconds }
    let expected = try one.list("per_second_expiries_from_10_to_29").map { Int(try $0.double()) }
    let found = expected.indices.map { second in
      expiries.count { Int($0) == 10 + second }
    }
    let bounds = try one.list("upstream_bounds").map { Int(try $0.double()) }
    return VectorTable.same("expiries", found, expected)
      + found.filter { $0 < bounds[0] || $0 > bounds[1] }.map { "\($0) in one second" }
  }

  private static func clientTimes(_ one: VectorValue) throws -> [String] {
    let found: [(String, Double)] = [
      ("retry_wait_ms", LeaseClientDefaults.retryWait.seconds * 1000),
      ("response_channel_size", Double(LeaseClientDefaults.responseBuffer)),
      ("send_loop_ms", LeaseClientDefaults.sendPeriod.seconds * 1000),
      ("deadline_check_ms", LeaseClientDefaults.deadlineCheckPeriod.seconds * 1000),
    ]
    let timeout = LeaseClientDefaults.firstKeepAliveTimeout.seconds
    return try found.flatMap { VectorTable.same($0.0, $0.1, try one.double($0.0)) }
      + VectorTable.same(
        "first", "dial timeout + 1, default \(Int(timeout)) s",
        try one.text("first_keepalive_timeout_s"))
  }
}

/// What a holder wants.
struct HolderLog: LeaseHolderEffects {
  var question: UInt64 = 0
  var alarm = Instant.origin
  var held: [Bool] = []

  mutating func askForLease(timeToLive: Nanoseconds, question: UInt64) { self.question = question }
  mutating func sendKeepAlive(_ lease: LeaseID, question: UInt64) { self.question = question }
  mutating func holds(_ lease: LeaseID, _ isHeld: Bool) { held.append(isHeld) }
  mutating func wake(at instant: Instant) { alarm = instant }
}
