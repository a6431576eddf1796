import Primitives

/// What a consumer's part in a central limit wants done.
public protocol QuotaClientEffects {
  mutating func ask(_ ask: QuotaAsk)
  /// From now on so many requests a second may go out.
  mutating func limit(_ amount: QuotaAmount)
  /// Call `wake` at this instant of the consumer's clock; replaces the wish before.
  mutating func wakeQuotaClient(at instant: Instant)
}

/// A consumer's side of a central limit: asks for a part of the capacity in time, and never goes by
/// a lease that has run out.
///
/// Only differences of the consumer's own clock are used, and a lease counts from when its question
/// was first sent, so that it runs out here before it does at the server. Without a lease the
/// consumer goes by the safe capacity that it was told last, or by `initial` (Doorman; published).
///
/// **A clock that jumps.** Ahead: the lease ends early and is asked for again; nothing is violated.
/// Back: where the clock shows less than at the last look, the lease is given up at once. A jump
/// back that is shorter than the time since the last look cannot be seen; then the lease is used
/// for as much longer as the jump, which is no more than the time between two looks and so less
/// than a lease. For that time the sum of what is used can be above the capacity by this lease.
public struct QuotaClient: Sendable {
  public struct Rules: Sendable, Equatable {
    /// An unanswered question is repeated after this; **assumed**.
    public var repeatAfter = Nanoseconds.seconds(1)
    /// What may go out before the server has said anything; **assumed**: nothing.
    public var initial = QuotaAmount.zero
    /// For how much less than its length a lease is trusted.
    public var clockMargin = Nanoseconds.zero

    public init() {}
  }

  public let consumer: Int
  public let life: UInt32
  public let rules: Rules
  public private(set) var wants = QuotaAmount.zero
  public private(set) var subclients: Int64 = 1
  /// Nil: none, or it has run out.
  public private(set) var lease: QuotaAmount?
  public private(set) var safe: QuotaAmount
  private var trustedUntil: Instant
  private var grant: UInt64 = 0
  private var question: UInt64 = 0
  /// When the open question was first sent; nil: all are answered.
  private var asked: Instant?
  private var nextSend: Instant
  /// The latest that the clock has shown.
  private var seen: Instant
  private var told: QuotaAmount

  public init(consumer: Int, life: UInt32 = 0, _ rules: Rules = Rules(), at now: Instant) {
    self.consumer = consumer
    self.life = life
    self.rules = rules
    safe = rules.initial
    told = rules.initial
    trustedUntil = now
    nextSend = now
    seen = now
  }

  /// What may go out a second, as of the last look at the clock.
  public var allowed: QuotaAmount { lease ?? safe }

  /// The consumer wants another part, or has other subclients; asks at once.
  public mutating func wants(
    _ amount: QuotaAmount, subclients: Int64 = 1, at now: Instant,
    into effects: inout some QuotaClientEffects
  ) {
    look(at: now)
    guard amount != wants || subclients != self.subclients || question == 0 else {
      return finish(at: now, into: &effects)
    }
    wants = amount
    self.subclients = subclients
    asked = nil
    nextSend = now
    send(at: now, into: &effects)
    finish(at: now, into: &effects)
  }

  /// The alarm: refreshes, repeats, and gives up in time.
  public mutating func wake(at now: Instant, into effects: inout some QuotaClientEffects) {
    look(at: now)
    if question > 0, nextSend <= now { send(at: now, into: &effects) }
    finish(at: now, into: &effects)
  }

  /// An answer. One to an earlier question or life says nothing.
  public mutating func granted(
    _ answer: QuotaGrant, at now: Instant, into effects: inout some QuotaClientEffects
  ) {
    look(at: now)
    guard answer.life == life, answer.question == question, let sent = asked else {
      return finish(at: now, into: &effects)
    }
    asked = nil
    grant = answer.grant
    nextSend = now + answer.refreshAfter
    guard answer.lasts > .zero else {
      // The server does not know yet how many there are, and so not what is safe.
      lease = nil
      return finish(at: now, into: &effects)
    }
    safe = answer.safe
    lease = answer.amount
    trustedUntil = sent + answer.lasts - rules.clockMargin
    dropIfOver(at: now)
    finish(at: now, into: &effects)
  }

  public borrowing func clone() -> Self { copy self }

  /// Sees whether the lease has run out, or the clock has jumped back.
  private mutating func look(at now: Instant) {
    if now < seen {
      lease = nil
      trustedUntil = now
      // When the open question was sent is not known any more; another one is.
      asked = nil
      nextSend = now
    }
    seen = now
    dropIfOver(at: now)
  }

  private mutating func dropIfOver(at now: Instant) {
    guard lease != nil, now >= trustedUntil else { return }
    lease = nil
    nextSend = min(nextSend, now)
  }

  private mutating func send(at now: Instant, into effects: inout some QuotaClientEffects) {
    if asked == nil {
      asked = now
      question += 1
    }
    nextSend = now + rules.repeatAfter
    effects.ask(
      QuotaAsk(
        consumer: consumer, life: life, question: question, grant: grant, has: lease ?? .zero,
        wants: wants, subclients: subclients))
  }

  private mutating func finish(at now: Instant, into effects: inout some QuotaClientEffects) {
    if allowed != told {
      told = allowed
      effects.limit(told)
    }
    guard question > 0 else { return }
    effects.wakeQuotaClient(
      at: max(now, lease == nil ? nextSend : min(nextSend, trustedUntil)))
  }
}
