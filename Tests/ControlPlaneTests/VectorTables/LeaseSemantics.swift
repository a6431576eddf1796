import ControlPlane
import Primitives

/// Each sentence of the lease table as calls of the lessor.
enum LeaseSemantics {
  static var check: GroupCheck {
    GroupCheck(
      .simulation,
      inputs: [
        "op", "id", "ttl", "min_ttl", "election_ticks", "heartbeat_ms", "at_remaining_s", "extend",
      ],
      expecting: [
        "result", "granted_ttl", "min_ttl_s", "remaining_after_s", "period_ms",
        "max_per_scan", "revoke_rate_default", "retry_if_not_revoked_s", "interval_s", "batch",
        "rate_per_s", "note",
      ].map { .init($0) }, notes: ["rule"]
    ) { one, _ in try comparison(one) }
  }

  private static func comparison(_ one: VectorValue) throws -> Comparison {
    switch try one.text("op") {
    case "grant": return try grant(one)
    case "grant twice same id":
      var lessor = Lessor()
      _ = try lessor.grant(LeaseID(5), timeToLive: .seconds(60), at: .origin)
      return try outcome(one) {
        _ = try lessor.grant(LeaseID(5), timeToLive: .seconds(9), at: .origin)
      }
    case "min ttl from config":
      let found = Lessor.leastTimeToLive(
        electionTicks: Int64(try one.int("election_ticks")),
        heartbeat: .milliseconds(Int64(try one.int("heartbeat_ms"))))
      return .same("least", found.seconds, try one.double("min_ttl_s"))
    case "renew": return try renew(one)
    case "renew after expiry, not yet revoked": return try lateRenewal(one)
    case "renew on non-primary":
      var lessor = Lessor(isPrimary: false)
      _ = try lessor.grant(LeaseID(1), timeToLive: .seconds(10), at: .origin)
      return try outcome(one) { _ = try lessor.renew(LeaseID(1), at: .origin) }
    case "demote": return try demote(one)
    case "revoke": return try revoke(one)
    case "expiry scan": return try scan(one)
    case "checkpoint": return try checkpoint(one)
    case "promote": return try promote(one)
    case let text: throw VectorValue.Unreadable(description: "nobody knows how to do `\(text)`")
    }
  }

  private static func words(_ error: LeaseError?) -> String {
    switch error {
    case nil: "ok"
    case .exists: "lease exists"
    case .notFound: "lease not found error"
    case .timeToLiveTooLarge: "TTL too large"
    case .notPrimary: "not primary"
    case .awaitsRevocation: "blocks until revoked then not found"
    }
  }

  private static func outcome(_ one: VectorValue, _ body: () throws -> Void) throws -> Comparison {
    var failure: LeaseError?
    do {
      try body()
    } catch let error as LeaseError {
      failure = error
    }
    return .same("result", words(failure), try one.text("result"))
  }

  private static func grant(_ one: VectorValue) throws -> Comparison {
    var lessor = Lessor()
    if one["granted_ttl"] != nil {
      var rules = Lessor.Rules()
      rules.leastTimeToLive = Nanoseconds(try one.nanoseconds("min_ttl"))
      lessor = Lessor(rules: rules)
      let granted = try lessor.grant(
        LeaseID(1), timeToLive: Nanoseconds(try one.nanoseconds("ttl")), at: .origin)
      return .same("granted", granted.seconds, try one.double("granted_ttl"))
    }
    let id = Int64((try? one.double("id")) ?? 1)
    let seconds = Int64((try? one.double("ttl")) ?? 10)
    return try outcome(one) {
      _ = try lessor.grant(LeaseID(id), timeToLive: .seconds(seconds), at: .origin)
    }
  }

  private static func renew(_ one: VectorValue) throws -> Comparison {
    var lessor = Lessor()
    let length = Nanoseconds(try one.nanoseconds("ttl"))
    _ = try lessor.grant(LeaseID(1), timeToLive: length, at: .origin)
    let now = Instant.origin + length - Nanoseconds(try one.nanoseconds("at_remaining_s"))
    _ = try lessor.renew(LeaseID(1), at: now)
    return .same(
      "remaining", lessor.remaining(LeaseID(1), at: now)?.seconds,
      try one.double("remaining_after_s"))
  }

  private static func lateRenewal(_ one: VectorValue) throws -> Comparison {
    var lessor = Lessor()
    _ = try lessor.grant(LeaseID(1), timeToLive: .seconds(10), at: .origin)
    let late = Instant.seconds(10)
    let waits = try outcome(one) { _ = try lessor.renew(LeaseID(1), at: late) }
    _ = lessor.expire(at: late)
    var after: LeaseError?
    do throws(LeaseError) { _ = try lessor.renew(LeaseID(1), at: late) } catch { after = error }
    return waits + .same("after the revocation", after, .notFound)
  }

  private static func demote(_ one: VectorValue) throws -> Comparison {
    var lessor = Lessor()
    _ = try lessor.grant(LeaseID(1), timeToLive: .seconds(10), at: .origin)
    lessor.demote()
    var failure: LeaseError?
    do throws(LeaseError) { _ = try lessor.renew(LeaseID(1), at: .seconds(1)) } catch {
      failure = error
    }
    let isForever = lessor.scan(at: .seconds(1_000_000)).isEmpty && lessor.nextExpiry == nil
    let found =
      "all expiries become \(isForever ? "forever" : "due"); pending renew fails with "
      + words(failure)
    return .same("result", found, try one.text("result"))
  }

  private static func revoke(_ one: VectorValue) throws -> Comparison {
    var lessor = Lessor()
    _ = try lessor.grant(LeaseID(1), timeToLive: .seconds(10), at: .origin)
    for key in [3, 1, 2] as [Int64] { try lessor.attach(LeasedKey(key), to: LeaseID(1)) }
    try lessor.detach(LeasedKey(2), from: LeaseID(1))
    let gone = try lessor.revoke(LeaseID(1))
    let isDone = gone == [LeasedKey(1), LeasedKey(3)] && !lessor.contains(LeaseID(1))
    let found = isDone ? "attached keys deleted in one transaction, lease removed" : "\(gone)"
    return .same("result", found, try one.text("result"))
  }

  private static func scan(_ one: VectorValue) throws -> Comparison {
    var lessor = Lessor()
    for id in 1...600 as ClosedRange<Int64> {
      _ = try lessor.grant(LeaseID(id), timeToLive: .seconds(10), at: .origin)
    }
    let first = lessor.scan(at: .seconds(10))
    let second = lessor.scan(at: .seconds(10))
    let retry = lessor.rules.retryPeriod
    let again = lessor.scan(at: .seconds(10) + retry)
    return .same(
      "period", lessor.rules.scanPeriod.seconds * 1000, try one.double("period_ms"))
      + .same(
        "most", "revokeRate/2 = \(first.count)", try one.text("max_per_scan"))
      + .same("the rest", second.count, 100)
      + .same("again", again.count, 500)
      + .same("retry", retry.seconds, try one.double("retry_if_not_revoked_s"))
      + .same(
        "rate", Double(lessor.rules.revocationsPerSecond), try one.double("revoke_rate_default"))
  }

  private static func checkpoint(_ one: VectorValue) throws -> Comparison {
    var lessor = Lessor()
    let rules = lessor.rules
    _ = try lessor.grant(LeaseID(1), timeToLive: .seconds(1000), at: .origin)
    _ = try lessor.grant(LeaseID(2), timeToLive: .seconds(1000), at: .origin)
    let due = lessor.dueCheckpoints(at: .origin + rules.checkpointInterval)
    try lessor.checkpoint(LeaseID(1), remaining: due[0].remaining, at: .seconds(300))
    lessor.demote()
    lessor.promote(extendedBy: .zero, at: .seconds(400))
    let survives = lessor.remaining(LeaseID(1), at: .seconds(400))?.seconds
    let isWhole = lessor.remaining(LeaseID(2), at: .seconds(400))?.seconds == 1000
    let found =
      "remaining TTL survives leader change \(survives == 700 ? "only when checkpointed" : "never")"
      + ", otherwise \(isWhole ? "full" : "another") TTL again"
    return .same("due", due.map(\.id), [LeaseID(1), LeaseID(2)])
      + .same("note", found, try one.text("note"))
      + .same(
        "interval", rules.checkpointInterval.seconds, try one.double("interval_s"))
      + .same("batch", Double(rules.checkpointsPerBatch), try one.double("batch"))
      + .same(
        "rate", Double(rules.checkpointsPerSecond), try one.double("rate_per_s"))
  }

  private static func promote(_ one: VectorValue) throws -> Comparison {
    guard try one.text("extend") == "election timeout" else {
      throw VectorValue.Unreadable(description: "nobody knows the extension")
    }
    var lessor = Lessor(isPrimary: false)
    _ = try lessor.grant(LeaseID(1), timeToLive: .seconds(30), at: .origin)
    let `extension` = Nanoseconds.seconds(1)
    lessor.promote(extendedBy: `extension`, at: .seconds(50))
    let remaining = lessor.remaining(LeaseID(1), at: .seconds(50))
    let found =
      remaining == .seconds(31) ? "every lease remaining = ttl + extend" : "\(remaining as Any)"
    return .same("result", found, try one.text("result"))
  }
}
