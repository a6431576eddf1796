import Primitives

/// A limit on the rate of requests in millionths of one a second, of which nothing may be left: a
/// share of a service's limit, or a lease.
///
/// It is `GCRA` with the amount as requests in a million seconds, so that every amount is exact.
public struct RateLimit: Sendable, Equatable {
  private static let period = Nanoseconds.seconds(1_000_000)

  public private(set) var amount: QuotaAmount
  /// Requests that may come at once beyond the first.
  public private(set) var burst: Int64
  /// Nil: nothing passes.
  private var bucket: GCRA?

  /// Begins with a full bucket. Precondition: the burst is not negative.
  public init(_ amount: QuotaAmount, burst: Int64, at now: Instant = .origin) {
    precondition(burst >= 0, "a bucket has a size")
    self.amount = amount
    self.burst = burst
    bucket = Self.bucket(amount, burst, now)
  }

  private static func bucket(_ amount: QuotaAmount, _ burst: Int64, _ now: Instant) -> GCRA? {
    guard amount > .zero else { return nil }
    return GCRA(rate: amount.micros, per: period, burst: burst, at: now)
  }

  /// Whether `count` requests may pass now; if so they have. O(1).
  public mutating func admit(_ count: Int64 = 1, at now: Instant) -> GCRA.Decision {
    bucket?.admit(count, at: now) ?? .refused(retryAfter: nil)
  }

  /// When one more may pass, if nothing else does until then; nil: never.
  public func opens(at now: Instant) -> Instant? {
    guard var copy = bucket else { return nil }
    switch copy.admit(1, at: now) {
    case .admitted: return now
    case .refused(let wait): return wait.map { now + $0 }
    }
  }

  /// Requests that would pass at once. O(1).
  public func room(at now: Instant) -> Int64 { bucket?.remaining(at: now) ?? 0 }

  /// Another amount from now on. What was used of the bucket stays used; a bucket of nothing was
  /// empty.
  public mutating func change(to amount: QuotaAmount, burst: Int64, at now: Instant) {
    guard amount != self.amount || burst != self.burst else { return }
    if amount > .zero, bucket != nil {
      bucket?.change(rate: amount.micros, burst: burst, at: now)
    } else {
      bucket = Self.bucket(amount, burst, now)
      _ = bucket?.admit(burst + 1, at: now)
    }
    self.amount = amount
    self.burst = burst
  }
}

// MARK: Counts

extension RateLimit {
  /// Parts that an interval is divided into, at most.
  public static let mostParts = 256

  /// How many parts an interval must have so that none lasts longer than a quarter of the time that
  /// the bucket takes to fill.
  public func parts(of length: Nanoseconds) -> Int {
    let tokens = amount.perSecond * length.seconds
    return max(1, Int(min(4 * tokens / Double(burst + 1), 1e6).rounded(.up)))
  }

  /// Takes as many as pass of a queue of `count` requests within an interval, each as soon as it
  /// may: what the bucket holds at the beginning, and what comes into it up to the end. O(1).
  public mutating func serve(_ count: Int, from start: Instant, to end: Instant) -> Int {
    guard count > 0, let served = bucket?.serve(Int64(count), from: start, to: end) else {
      return 0
    }
    return Int(served)
  }

  /// Up to here the share that does not pass is found exactly.
  public static let smallBucket = 64

  /// The share of a Poisson process that does not pass, in the long run, where it comes `load`
  /// times as fast as the bucket fills.
  ///
  /// A request passes while fewer than `burst` + 1 have passed whose time on a server of one period
  /// ÷ rate is not over: that is M/D/1 with so many places, which is solved for small buckets. For
  /// others it is the local time of a Brownian motion at the upper of two barriers,
  /// (ρ − 1) / ρ / (1 − e^(−2 (ρ − 1) b / ρ)).
  ///
  /// - Complexity: O(b²) for small buckets, else O(1).
  public func refusedShare(load: Double) -> Double {
    guard load > 0 else { return 0 }
    guard amount > .zero else { return 1 }
    if burst < Self.smallBucket { return Self.blockedShare(load: load, places: Int(burst) + 1) }
    let size = Double(burst + 1)
    let drift = (load - 1) / load
    guard abs(drift) * size > 1e-4 else { return min(1, 1 / (2 * size)) }
    let share = drift / (1 - Elementary.exp(max(-700, min(700, -2 * drift * size))))
    return min(1, max(0, share))
  }

  /// Blocking of M/D/1 with places for so many, the one in service among them: from the numbers
  /// that those who leave see, π(j+1) = (π(j) − Σ π(i) a(j−i+1) − π(0) a(j)) / a(0) with Poisson a,
  /// it is 1 − 1 / (π(0) + ρ). (Takagi, *Queueing Analysis*, volume 2.)
  private static func blockedShare(load: Double, places: Int) -> Double {
    guard load < 100 else { return 1 - 1 / load }
    var arrivals = [Elementary.exp(-load)]
    for count in 1...places { arrivals.append(arrivals[count - 1] * load / Double(count)) }
    var seen = [1.0]
    var sum = 1.0
    for left in 0..<places - 1 {
      var next = seen[left] - arrivals[left]
      if left > 0 { for from in 1...left { next -= seen[from] * arrivals[left - from + 1] } }
      seen.append(max(0, next / arrivals[0]))
      sum += seen[left + 1]
      // What is left of the first by then says nothing any more.
      guard sum < 1e12 else { return max(0, 1 - 1 / load) }
    }
    return max(0, min(1, 1 - 1 / (1 / sum + load)))
  }
}
