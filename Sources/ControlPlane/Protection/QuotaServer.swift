import Primitives

/// The Coordinator's side of a central limit on requests a second: leases of parts of one capacity.
///
/// As in Doorman (published), consumers ask again and again, a lease runs out if they do not, and a
/// server that begins anew first learns for one lease's length, granting what consumers say that
/// they have. One that says that it has none is given none, and goes on by what is safe, as it did
/// without the server: a lease of nothing, which Doorman's server grants then, would be worse for
/// it than no server. Beyond Doorman, what a consumer may still go by counts as taken: a smaller
/// grant frees the difference only when the consumer has shown that it knows, or its lease has run
/// out.
///
/// The grants that consumers may go by never come to more than the capacity, in whatever order
/// messages arrive, as long as clocks advance alike; nor while a server that begins anew learns, if
/// it does so for a lease's length. (Consumers that claim what they do not have, or a capacity that
/// falls, are another matter while their leases last.) A server's clock that jumps ahead lets it
/// give away what is still in use, for as long as the jump and no longer than a lease. When the
/// capacity falls, grants follow within a lease. The safe capacity of consumers that cannot reach
/// the server comes on top.
public struct QuotaServer: Sendable {
  public struct Rules: Sendable, Equatable {
    public var algorithm = QuotaAlgorithm.waterFilling
    /// Published (Doorman's default template, `server.go`).
    public var leaseLength = Nanoseconds.seconds(20)
    /// **Assumed**; Doorman's default is 1 s.
    public var refreshInterval = Nanoseconds.seconds(5)
    /// How long a server that begins only confirms; published (Doorman): a lease's length.
    public var learningTime: Nanoseconds?
    /// What is safe without a lease; nil: capacity / subclients, as Doorman's dynamic safe capacity
    /// (published).
    public var safe: QuotaAmount?

    public init() {}
  }

  struct Lease: Sendable {
    var consumer: Int
    var life: UInt32
    var question: UInt64
    var grant: UInt64
    var amount: QuotaAmount
    /// The most that the consumer may still go by.
    var reserved: QuotaAmount
    var wants: QuotaAmount
    var subclients: Int64
    var expires: Instant
    /// It was asked for by who has none while the server learned: there is none.
    var isNone: Bool
  }

  public let rules: Rules
  public private(set) var capacity: QuotaAmount
  public let learnsUntil: Instant
  /// In ascending order of consumers.
  private(set) var leases: [Lease] = []
  private(set) var sumReserved = QuotaAmount.zero
  private(set) var sumWants = QuotaAmount.zero
  private(set) var subclients: Int64 = 0
  private var grants: UInt64
  private var expiries = DeadlineRing<Int>()
  /// Per subclient, up to where water stands; nil: to be found again.
  private var level: WaterLevel?

  /// - Parameters:
  ///   - life: how often the server began anew, so that its grants are not taken for earlier ones.
  ///   - now: of the server's clock, as all times here.
  public init(
    capacity: QuotaAmount, _ rules: Rules = Rules(), life: UInt32 = 0, at now: Instant
  ) {
    self.rules = rules
    grants = UInt64(life) << 32
    self.capacity = capacity
    learnsUntil = now + (rules.learningTime ?? rules.leaseLength)
  }

  public func isLearning(at now: Instant) -> Bool { now < learnsUntil }

  /// The sum of what consumers may go by.
  public var reserved: QuotaAmount { sumReserved }
  /// Consumers with a lease.
  public var count: Int { leases.count }

  /// Another capacity from now on.
  public mutating func change(capacity: QuotaAmount) {
    self.capacity = capacity
    level = nil
  }

  /// A question. Nil for one that is older than one that was answered.
  ///
  /// - Complexity: O(log consumers) while nothing but time changes and for `none` and `each`,
  ///   O(consumers) by Doorman's shares and where a consumer is new, O(n log n) after a changed
  ///   wish by `waterFilling`.
  public mutating func answer(_ question: QuotaAsk, at now: Instant) -> QuotaGrant? {
    expire(at: now)
    var ask = question
    ask.has = min(max(.zero, ask.has), .most)
    ask.wants = min(max(.zero, ask.wants), .most)
    ask.subclients = min(max(1, ask.subclients), 1 << 20)
    let place = place(of: ask.consumer)
    var old: Lease?
    if place < leases.count, leases[place].consumer == ask.consumer { old = leases[place] }
    if let old {
      if old.life > ask.life { return nil }
      if old.life == ask.life {
        if old.question > ask.question { return nil }
        if old.question == ask.question { return grant(old) }
      }
    }
    let lease = renewed(old, for: ask, at: now)
    put(lease, at: place, replacing: old)
    expiries.append(ask.consumer, at: now)
    return grant(lease)
  }

  /// A consumer gives back what it has.
  public mutating func release(_ consumer: Int, life: UInt32) {
    let place = place(of: consumer)
    guard place < leases.count, leases[place].consumer == consumer, leases[place].life == life
    else { return }
    remove(at: place)
  }

  public borrowing func clone() -> Self { copy self }

  // MARK: Leases

  private mutating func renewed(_ old: Lease?, for ask: QuotaAsk, at now: Instant) -> Lease {
    var taken = QuotaAmount.zero
    if let old, old.life == ask.life {
      // It knows the latest grant, or may go by any since the one that it knows.
      taken = ask.grant == old.grant ? old.amount : old.reserved
    }
    let others = sumReserved - (old?.reserved ?? .zero)
    let amount: QuotaAmount
    let isLearning = isLearning(at: now)
    if isLearning {
      amount = ask.has
      level = nil
    } else {
      let share = share(of: ask, old: old)
      amount = isBounded ? max(.zero, min(share, capacity - others)) : share
    }
    grants += 1
    return Lease(
      consumer: ask.consumer, life: ask.life, question: ask.question, grant: grants,
      amount: amount, reserved: max(taken, amount), wants: ask.wants,
      subclients: ask.subclients, expires: now + rules.leaseLength,
      isNone: isLearning && ask.has == .zero)
  }

  /// Whether the capacity is one for all together.
  private var isBounded: Bool { rules.algorithm != .none && rules.algorithm != .each }

  private func grant(_ lease: Lease) -> QuotaGrant {
    QuotaGrant(
      life: lease.life, question: lease.question, grant: lease.grant, amount: lease.amount,
      lasts: lease.isNone ? .zero : rules.leaseLength, refreshAfter: rules.refreshInterval,
      safe: rules.safe ?? capacity.scaled(1, over: max(1, subclients)))
  }

  private func place(of consumer: Int) -> Int {
    var low = 0
    var high = leases.count
    while low < high {
      let middle = (low + high) / 2
      if leases[middle].consumer < consumer { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func put(_ lease: Lease, at place: Int, replacing old: Lease?) {
    if let old {
      leases[place] = lease
      sumReserved -= old.reserved
      sumWants -= old.wants
      subclients -= old.subclients
    } else {
      leases.insert(lease, at: place)
    }
    sumReserved += lease.reserved
    sumWants += lease.wants
    subclients += lease.subclients
  }

  private mutating func remove(at place: Int) {
    let lease = leases.remove(at: place)
    sumReserved -= lease.reserved
    sumWants -= lease.wants
    subclients -= lease.subclients
    level = nil
  }

  private mutating func expire(at now: Instant) {
    while let (consumer, at) = expiries.first, at + rules.leaseLength <= now {
      expiries.removeFirst()
      let place = place(of: consumer)
      if place < leases.count, leases[place].consumer == consumer, leases[place].expires <= now {
        remove(at: place)
      }
    }
  }

  // MARK: Shares

  private mutating func share(of ask: QuotaAsk, old: Lease?) -> QuotaAmount {
    switch rules.algorithm {
    case .none: return ask.wants
    case .each: return min(ask.wants, capacity)
    case .proportionalShare:
      let count = subclients + (old == nil ? ask.subclients : 0)
      return QuotaShares.proportional(
        ask, among: leases, count: count, sumWants: sumWants, capacity: capacity)
    case .fairShare:
      let count = subclients - (old?.subclients ?? 0) + ask.subclients
      return QuotaShares.fair(ask, among: leases, count: count, capacity: capacity)
    case .waterFilling:
      if level == nil || old?.wants != ask.wants || old?.subclients != ask.subclients {
        let others = leases.filter { $0.consumer != ask.consumer }
        level = WaterLevel(
          others.map { ($0.wants, $0.subclients) } + [(ask.wants, ask.subclients)],
          capacity: capacity)
      }
      return level?.share(wants: ask.wants, subclients: ask.subclients) ?? .zero
    }
  }
}
