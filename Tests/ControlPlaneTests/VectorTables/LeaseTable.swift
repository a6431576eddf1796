import ControlPlane
import Primitives

extension VectorTables {
  /// etcd's leases are what Worker Managers hold tokens by.
  static var etcdLease: [String: GroupCheck] {
    [
      "promote_pileup": GroupCheck(
        .simulation, inputs: ["revoke_rate", "leases_ttl_s"],
        expecting: [
          .init("per_second_expiries_from_10_to_29"),
          .init(whole: "upstream_bounds") { bounds in
            guard case .list(let ends) = bounds, ends.count == 2 else { return [] }
            return [.list([ends[1], ends[1]]), .list([ends[0], ends[0]])]
          },
        ], by: pileup),
      "lease_semantics": LeaseSemantics.check,
      "client_keepalive": GroupCheck(
        .simulation, inputs: ["ttl_s"],
        expecting: [
          "next_keepalive_after_s", "deadline_after_s", "first_keepalive_timeout_s",
          "retry_wait_ms", "response_channel_size", "send_loop_ms", "deadline_check_ms",
        ].map { .init($0) }, by: keepAlive),
    ]
  }

  private static func keepAlive(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    if one["ttl_s"] == nil { return try Self.clientTimes(one) }
    let timeToLive = Nanoseconds(try one.nanoseconds("ttl_s"))
    let period = LeaseHolder.keepAlivePeriod(timeToLive: timeToLive)
    var holder = LeaseHolder(timeToLive: timeToLive, clockMargin: .zero, at: .origin)
    var effects = HolderLog()
    holder.wake(at: .origin, into: &effects)
    holder.acknowledged(
      LeaseID(7), timeToLive: timeToLive, question: effects.question, at: .origin, into: &effects)
    return .close(
      "next", period.seconds, try one.double("next_keepalive_after_s"), relative: 1e-8)
      + .close(
        "alarm", Double(effects.alarm.nanoseconds) / 1e9,
        try one.double("next_keepalive_after_s"), relative: 1e-8)
      + .same(
        "deadline", Double(holder.trustedUntil.nanoseconds) / 1e9,
        try one.double("deadline_after_s"))
  }

  /// Leases of two lengths, whose expiries pile up when a new leader begins all of them at once.
  private static func pileup(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var rules = Lessor.Rules()
    rules.revocationsPerSecond = try one.int("revoke_rate")
    var lessor = Lessor(rules: rules)
    var id: Int64 = 0
    guard case .object(let lengths) = try one.member("leases_ttl_s") else {
      throw VectorValue.Unreadable(description: "no leases")
    }
    for length in lengths.keys.compactMap(Int64.init).sorted() {
      for _ in 0..<Int(try one.member("leases_ttl_s").double(String(length))) {
        id += 1
        _ = try lessor.grant(LeaseID(id), timeToLive: .seconds(length), at: .origin)
      }
    }
    lessor.demote()
    lessor.promote(extendedBy: .zero, at: .origin)
    let expiries = lessor.ids.compactMap { lessor.remaining($0, at: .origin)?.seconds }
    let expected = try one.ints("per_second_expiries_from_10_to_29")
    let found = expected.indices.map { second in
      expiries.count { Int($0) == 10 + second }
    }
    let bounds = try one.doubles("upstream_bounds")
    return .same("expiries", found, expected)
      + found.comparing { .within("in one second", Double($0), bounds[0]...bounds[1]) }
  }

  private static func clientTimes(_ one: VectorValue) throws -> Comparison {
    let found: [(String, Double)] = [
      ("retry_wait_ms", LeaseClientDefaults.retryWait.seconds * 1000),
      ("response_channel_size", Double(LeaseClientDefaults.responseBuffer)),
      ("send_loop_ms", LeaseClientDefaults.sendPeriod.seconds * 1000),
      ("deadline_check_ms", LeaseClientDefaults.deadlineCheckPeriod.seconds * 1000),
    ]
    let timeout = LeaseClientDefaults.firstKeepAliveTimeout.seconds
    return try found.comparing { .same($0.0, $0.1, try one.double($0.0)) }
      + .same(
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
