import Primitives

/// A consumer's question for a part of a central limit, as it goes over the network: whose it is
/// says the message.
public struct QuotaQuestion: Sendable, Equatable, BitwiseCopyable {
  public var life: UInt32
  public var question: UInt32
  public var grant: UInt64
  public var has: QuotaAmount
  public var wants: QuotaAmount

  public init(_ ask: QuotaAsk) {
    life = ask.life
    question = UInt32(truncatingIfNeeded: ask.question)
    grant = ask.grant
    has = ask.has
    wants = ask.wants
  }

  public func ask(of consumer: Int) -> QuotaAsk {
    QuotaAsk(
      consumer: consumer, life: life, question: UInt64(question), grant: grant, has: has,
      wants: wants)
  }
}

/// The Coordinator's answer; times in milliseconds.
public struct QuotaAnswer: Sendable, Equatable, BitwiseCopyable {
  public var life: UInt32
  public var question: UInt32
  public var grantNumber: UInt64
  public var amount: QuotaAmount
  public var safe: QuotaAmount
  public var lasts: UInt32
  public var refreshAfter: UInt32

  public init(_ grant: QuotaGrant) {
    life = grant.life
    question = UInt32(truncatingIfNeeded: grant.question)
    grantNumber = grant.grant
    amount = grant.amount
    safe = grant.safe
    lasts = UInt32(clamping: grant.lasts.count / 1_000_000)
    refreshAfter = UInt32(clamping: grant.refreshAfter.count / 1_000_000)
  }

  public var grant: QuotaGrant {
    QuotaGrant(
      life: life, question: UInt64(question), grant: grantNumber, amount: amount,
      lasts: .milliseconds(Int64(lasts)), refreshAfter: .milliseconds(Int64(refreshAfter)),
      safe: safe)
  }
}
