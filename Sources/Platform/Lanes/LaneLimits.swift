import ControlPlane
import Policies
import Primitives
import SimulationKernel

/// What stands before the router of one gateway's or consumer's part of a lane.
struct PartGate: Sendable {
  var rate: RateLimit?
  var concurrency: ConcurrencyLimit?
  var adaptive: (any AdaptiveLimit)?
  /// Of a consumer: how much it sends at once, and what it may send by the central limit.
  var window: BackpressureWindow?
  var lease: RateLimit?
  var client: QuotaClient?
  /// When the client wants to be woken, and when what it wants is looked at next.
  var clientAlarm = Instant.distantFuture
  var nextLook = Instant.distantFuture
  /// The earliest alarm that is set; others are void.
  var armedAt = Instant.distantFuture
  /// Deliveries that go out again, and partitions that have something to send, the first first.
  var heldDeliveries: [Ticket] = []
  var blocked: [Int] = []
  /// Messages of its partitions when it was looked at what it wants.
  var seen: Int64 = 0
  var leases = LeaseTally()

  /// Messages that may go out now, by the rates.
  func room(at now: Instant) -> Int64 {
    min(rate?.room(at: now) ?? .max, lease?.room(at: now) ?? .max)
  }

  /// Takes so many messages out of what the rates let through; false, and nothing is taken, where
  /// they do not.
  mutating func take(_ count: Int64, at now: Instant) -> Bool {
    var (own, central) = (rate, lease)
    if own != nil, own?.admit(count, at: now).isAdmitted != true { return false }
    if central != nil, central?.admit(count, at: now).isAdmitted != true { return false }
    (rate, lease) = (own, central)
    leases.used &+= UInt64(count)
    return true
  }

  /// Takes as many of a queue of messages as both rates let through within an interval.
  mutating func serve(_ count: Int, from start: Instant, to end: Instant) -> Int {
    var (own, central) = (rate, lease)
    let most = min(
      own?.serve(count, from: start, to: end) ?? count,
      central?.serve(count, from: start, to: end) ?? count)
    _ = rate?.serve(most, from: start, to: end)
    _ = lease?.serve(most, from: start, to: end)
    leases.used &+= UInt64(most)
    return most
  }

  /// When the rates let one more message through; nil: nobody knows.
  func opens(at now: Instant) -> Instant? {
    var latest = now
    for limit in [rate, lease] {
      guard let limit else { continue }
      guard let opens = limit.opens(at: now) else { return nil }
      latest = max(latest, opens)
    }
    return latest
  }

  /// When something is due by the clock, beside the rates.
  var nextDue: Instant { min(nextLook, clientAlarm) }

  /// Deliveries that may be outstanding.
  var mostOutstanding: Int { min(concurrency?.limit ?? .max, window?.window ?? .max) }

  borrowing func clone() -> Self {
    var copy = copy self
    copy.adaptive = adaptive?.clone()
    return copy
  }
}

/// The limits of a lane, part by part. A lane without any has none of these.
struct LaneLimits: Sendable {
  var gates: [PartGate] = []

  init() {}

  init(_ settings: LaneSettings, at now: Instant) {
    guard settings.isGated else { return }
    gates = settings.partLimits.indices.map { Self.gate(settings, $0, life: 0, at: now) }
  }

  private static func gate(
    _ settings: LaneSettings, _ part: Int, life: UInt32, at now: Instant
  ) -> PartGate {
    let limits = settings.partLimits[part]
    var gate = PartGate()
    gate.rate = limits.rate.map { RateLimit($0, burst: limits.burst, at: now) }
    gate.concurrency = limits.concurrency.map(ConcurrencyLimit.init)
    gate.adaptive = settings.limits?.adaptive?(
      settings.limitKey.appending(UInt64(part)), now)
    guard settings.isTopic else { return gate }
    gate.window = settings.limits?.backpressure.map { rules in
      var rules = rules
      rules.most = max(1, settings.mostOutstanding / settings.partLimits.count)
      rules.least = min(rules.least, rules.most)
      return BackpressureWindow(rules)
    }
    if let central = settings.central {
      gate.lease = RateLimit(.zero, burst: 0, at: now)
      gate.client = QuotaClient(
        consumer: Int(Address.gateway(settings.lane, part: part).tag), life: life, at: now)
      gate.nextLook = now + central.offset
    }
    return gate
  }

  /// Whoever had a gate is gone with all that it knew, and begins anew.
  mutating func renew(_ part: Int, _ settings: LaneSettings, at now: Instant) {
    let life = gates[part].client.map { $0.life + 1 } ?? 0
    let leases = gates[part].leases
    gates[part] = Self.gate(settings, part, life: life, at: now)
    gates[part].leases = leases
    gates[part].leases.note(nil, at: now)
  }

  /// Whoever has gates is gone, and with it the leases.
  mutating func dropLeases(at now: Instant) {
    for part in gates.indices { gates[part].leases.note(nil, at: now) }
  }

  /// What leases have come to up to now, of all parts together, for the lane's counts.
  func count(into counters: inout LaneCounters, at now: Instant) {
    let clients = gates.filter { $0.client != nil }
    guard !clients.isEmpty else { return }
    let totals = clients.map { $0.leases.total(at: now) }
    counters.leaseGranted = totals.reduce(0) { $0 + $1.granted }
    counters.leaseUsed = clients.reduce(0) { $0 &+ $1.leases.used }
    counters.leasedSeconds = totals.reduce(0) { $0 + $1.leased.seconds }
    counters.unleasedSeconds = totals.reduce(0) { $0 + $1.unleased.seconds }
  }

  /// The rates that hold from now on; what was used of the buckets stays used.
  mutating func change(to limits: [PartLimits], at now: Instant) {
    for (part, limits) in zip(gates.indices, limits) {
      if let rate = limits.rate {
        gates[part].rate?.change(to: rate, burst: limits.burst, at: now)
      }
      if let most = limits.concurrency { gates[part].concurrency?.change(to: most) }
    }
  }

  borrowing func clone() -> LaneLimits {
    var copy = LaneLimits()
    copy.gates = gates.map { $0.clone() }
    return copy
  }
}

/// What a consumer's leases of a central limit have come to. When it is looked at changes nothing.
struct LeaseTally: Sendable {
  /// Messages that leases before the present one would have let out, and the time with a lease and
  /// without.
  private var before = (granted: 0.0, leased: Nanoseconds.zero, unleased: Nanoseconds.zero)
  private var lease: QuotaAmount?
  private var since = Instant.origin
  /// Messages that went out.
  var used: UInt64 = 0

  /// From now on there is another lease, or none.
  mutating func note(_ fresh: QuotaAmount?, at now: Instant) {
    guard fresh != lease else { return }
    before = total(at: now)
    (lease, since) = (fresh, now)
  }

  func total(
    at now: Instant
  ) -> (granted: Double, leased: Nanoseconds, unleased: Nanoseconds) {
    let time = now - since
    guard let lease else { return (before.granted, before.leased, before.unleased + time) }
    return (
      before.granted + lease.perSecond * time.seconds, before.leased + time, before.unleased
    )
  }
}

/// How a lane's consumers take part in a central limit.
struct CentralShare: Sendable {
  /// Its number among the downstreams.
  var downstream: UInt8
  /// How often a consumer looks at what it wants, and when it does first.
  var interval: Nanoseconds
  var offset: Nanoseconds
  /// What a consumer wants before it has seen anything.
  var initial: QuotaAmount
  /// Messages of a delivery, at most.
  var batch: Int64

  /// A tenth of a second of a lease may go out at once, or one delivery where that is more.
  func burst(of lease: QuotaAmount) -> Int64 {
    max(batch, Int64(lease.perSecond / 10)) - 1
  }

  /// What a consumer wants that is so many messages behind and has seen so many come since it last
  /// looked: to have worked off all of it until it looks again, and always one message a second,
  /// so that one that comes unexpected goes out at once.
  func wants(behind: Int, came: Int64) -> QuotaAmount {
    QuotaAmount(perSecond: max(1, (Double(behind) + Double(came)) / interval.seconds))
  }
}

/// What a consumer's part in a central limit wants, in order.
struct QuotaWishes: QuotaClientEffects {
  var questions: [QuotaAsk] = []
  var amount: QuotaAmount?
  var alarm: Instant?

  mutating func ask(_ ask: QuotaAsk) { questions.append(ask) }
  mutating func limit(_ amount: QuotaAmount) { self.amount = amount }
  mutating func wakeQuotaClient(at instant: Instant) { alarm = instant }
}

extension PartGate {
  /// Does what the client wants but for its questions, which are returned.
  mutating func follow(
    _ wishes: QuotaWishes, _ share: CentralShare, at now: Instant
  ) -> [QuotaAsk] {
    if let amount = wishes.amount {
      lease?.change(to: amount, burst: share.burst(of: amount), at: now)
    }
    clientAlarm = wishes.alarm ?? clientAlarm
    leases.note(client?.lease, at: now)
    return wishes.questions
  }

  /// An answer of the Coordinator.
  mutating func take(
    _ answer: QuotaGrant, _ share: CentralShare, at now: Instant
  ) -> [QuotaAsk] {
    var wishes = QuotaWishes()
    client?.granted(answer, at: now, into: &wishes)
    return follow(wishes, share, at: now)
  }

  /// Does what is due by the clock.
  ///
  /// - Parameters:
  ///   - behind: messages that are not committed.
  ///   - end: messages of its partitions since the beginning.
  mutating func look(
    behind: Int, end: Int64, _ share: CentralShare, at now: Instant
  ) -> [QuotaAsk] {
    var questions: [QuotaAsk] = []
    if nextLook <= now {
      nextLook = now + share.interval
      let wanted =
        now < .origin + share.interval
        ? max(share.initial, share.wants(behind: behind, came: end - seen))
        : share.wants(behind: behind, came: end - seen)
      seen = end
      var wishes = QuotaWishes()
      client?.wants(wanted, at: now, into: &wishes)
      questions += follow(wishes, share, at: now)
    }
    if clientAlarm <= now {
      clientAlarm = .distantFuture
      var wishes = QuotaWishes()
      client?.wake(at: now, into: &wishes)
      questions += follow(wishes, share, at: now)
    }
    return questions
  }
}
