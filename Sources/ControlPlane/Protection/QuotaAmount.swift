import Primitives

/// A rate that is handed out, in millionths of a request a second, so that sums are exact whatever
/// their order.
public struct QuotaAmount: Hashable, Comparable, AdditiveArithmetic, Sendable, BitwiseCopyable {
  public var micros: Int64

  @inlinable public init(micros: Int64) { self.micros = micros }

  /// Rounded to the nearest millionth; below 0 and NaN: 0; at most `most`.
  public init(perSecond: Double) {
    let scaled = (perSecond * 1e6).rounded()
    micros = scaled > 0 ? Int64(min(scaled, Double(Self.most.micros))) : 0
  }

  public static let zero = QuotaAmount(micros: 0)
  /// A thousand million requests a second, of which 8,000 can be added up.
  public static let most = QuotaAmount(micros: 1_000_000_000_000_000)

  public var perSecond: Double { Double(micros) / 1e6 }

  public static func < (a: Self, b: Self) -> Bool { a.micros < b.micros }
  public static func + (a: Self, b: Self) -> Self { .init(micros: a.micros + b.micros) }
  public static func - (a: Self, b: Self) -> Self { .init(micros: a.micros - b.micros) }

  /// self × numerator / denominator, rounded down; at most `most`. Precondition: none is negative,
  /// the denominator is positive.
  public func scaled(_ numerator: Int64, over denominator: Int64) -> QuotaAmount {
    let product = UInt64(micros).multipliedFullWidth(by: UInt64(numerator))
    guard product.high < UInt64(denominator) else { return .most }
    let quotient = UInt64(denominator).dividingFullWidth(product).quotient
    return QuotaAmount(micros: Int64(min(quotient, UInt64(Self.most.micros))))
  }
}

/// How a capacity is divided among consumers that ask for parts of it.
///
/// The first four are Doorman's (`go/server/doorman/algorithm.go`; published), its quirks with
/// them: clients that are not asking count with what they wanted last.
public enum QuotaAlgorithm: Sendable, Equatable, CaseIterable {
  /// Everybody gets what it wants.
  case none
  /// Everybody gets what it wants, up to the capacity each.
  case each
  /// What is wanted while the sum of wishes fits; else an equal share for each subclient, and what
  /// some leave of theirs in proportion to what the others want beyond.
  case proportionalShare
  /// An equal share for each subclient, and what some leave of theirs in equal parts, in two
  /// rounds.
  case fairShare
  /// As the one before, until nothing is left that somebody wants: max-min fairness. Our own.
  case waterFilling
}

/// A consumer's question for a part of the capacity.
public struct QuotaAsk: Sendable, Equatable, BitwiseCopyable {
  public var consumer: Int
  /// How often the consumer began anew: what it was granted in an earlier life it does not use.
  public var life: UInt32
  /// Counts up within a life. A repetition has the same.
  public var question: UInt64
  /// The grant that it goes by; 0: none of this server's, or none.
  public var grant: UInt64
  public var has: QuotaAmount
  public var wants: QuotaAmount
  /// Parts of it that count as one client each.
  public var subclients: Int64

  public init(
    consumer: Int, life: UInt32 = 0, question: UInt64, grant: UInt64 = 0, has: QuotaAmount,
    wants: QuotaAmount, subclients: Int64 = 1
  ) {
    self.consumer = consumer
    self.life = life
    self.question = question
    self.grant = grant
    self.has = has
    self.wants = wants
    self.subclients = subclients
  }
}

/// The answer.
public struct QuotaGrant: Sendable, Equatable, BitwiseCopyable {
  public var life: UInt32
  public var question: UInt64
  /// Which grant this is, of all lives of the server.
  public var grant: UInt64
  public var amount: QuotaAmount
  /// From when the question was sent; zero: there is no lease, and what was safe before goes on.
  public var lasts: Nanoseconds
  public var refreshAfter: Nanoseconds
  /// What to go by when the lease has run out and the server is not to be reached.
  public var safe: QuotaAmount

  public init(
    life: UInt32, question: UInt64, grant: UInt64, amount: QuotaAmount, lasts: Nanoseconds,
    refreshAfter: Nanoseconds, safe: QuotaAmount
  ) {
    self.life = life
    self.question = question
    self.grant = grant
    self.amount = amount
    self.lasts = lasts
    self.refreshAfter = refreshAfter
    self.safe = safe
  }
}
