import Primitives

/// How many calls may be retries at once: a share of what is under way, and always a few.
///
/// Envoy's rule (`circuit_breaker.proto`, `retry_budget`; published): a retry begins while fewer
/// than max(least, share × (requests under way and waiting)) are under way.
public struct ActiveRetryBudget: Sendable, Equatable {
  /// Percent; published (Envoy).
  public var share = 20
  /// Published (Envoy).
  public var least = 3
  public private(set) var active = 0

  public init(share: Int = 20, least: Int = 3) {
    self.share = share
    self.least = least
  }

  public func most(underWay: Int) -> Int { max(least, share * underWay / 100) }

  /// Begins a retry where the budget has one. O(1).
  ///
  /// - Parameter underWay: requests under way and waiting, retries among them.
  public mutating func begin(underWay: Int) -> Bool {
    guard active < most(underWay: underWay) else { return false }
    active += 1
    return true
  }

  public mutating func end() {
    precondition(active > 0, "ends without a beginning")
    active -= 1
  }

  public borrowing func clone() -> Self { copy self }
}

/// How many retries may go out over time: a share of the requests of the last seconds, and always a
/// few in each.
///
/// Finagle's rule (`RetryBudget`; published: 20 % on top of 10 a second, over 10 s). Each request
/// deposits a credit that is gone after the window; a retry takes 1 / share of them. The window
/// advances by tenths of itself, so credits live between nine tenths and all of it.
public struct WindowRetryBudget: Sendable, Equatable {
  private static let slices = 10
  private static let scale: Int64 = 1000

  public let window: Nanoseconds
  private let credit: Int64
  private let price: Int64
  private let reserve: Int64
  /// Deposits less withdrawals by slice; those of the latest, which is at `position`, are apart.
  private var credits = SIMD16<Int64>(repeating: 0)
  private var latest: Int64 = 0
  private var sum: Int64 = 0
  private var position = 0
  private var sliceEnd: Instant

  /// - Parameters:
  ///   - share: retries for each request; 0: the least alone.
  ///   - leastPerSecond: retries that may go out in any case.
  ///   - window: at least ten nanoseconds.
  public init(
    share: Double = 0.2, leastPerSecond: Int = 10, window: Nanoseconds = .seconds(10),
    at now: Instant
  ) {
    precondition(share >= 0 && leastPerSecond >= 0 && window.count >= 10, "a share and a window")
    self.window = window
    credit = share > 0 ? Self.scale : 0
    price = share > 0 ? max(1, Int64(Double(Self.scale) / share)) : 1
    reserve = Int64(Double(leastPerSecond) * window.seconds) * price
    sliceEnd = now + window / Int64(Self.slices)
  }

  /// Retries that may go out now.
  public mutating func balance(at now: Instant) -> Int64 {
    advance(to: now)
    return max(0, (sum + reserve) / price)
  }

  /// A request that is no retry goes out. O(1).
  public mutating func deposit(at now: Instant) {
    advance(to: now)
    latest += credit
    sum += credit
  }

  /// Takes a retry where the budget has one. O(1).
  public mutating func withdraw(at now: Instant) -> Bool {
    advance(to: now)
    guard sum + reserve >= price else { return false }
    latest -= price
    sum -= price
    return true
  }

  /// The same for so many at once. O(1).
  public mutating func deposit(_ count: Int, at now: Instant) {
    advance(to: now)
    latest += Int64(count) * credit
    sum += Int64(count) * credit
  }

  /// Takes as many retries as the budget has, up to a count; returns how many. O(1).
  public mutating func withdraw(upTo count: Int, at now: Instant) -> Int {
    let taken = min(Int64(count), balance(at: now))
    latest -= taken * price
    sum -= taken * price
    return Int(taken)
  }

  private mutating func advance(to now: Instant) {
    guard now >= sliceEnd else { return }
    credits[position] = latest
    latest = 0
    let slice = window / Int64(Self.slices)
    let passed = (now - sliceEnd).count / slice.count + 1
    for _ in 0..<min(passed, Int64(Self.slices)) {
      position = (position + 1) % Self.slices
      sum -= credits[position]
      credits[position] = 0
    }
    sliceEnd = sliceEnd + slice * passed
  }

  public borrowing func clone() -> Self { copy self }
}

/// How long to wait before a retry: any time up to a bound that doubles.
///
/// *Full jitter* of Brooker, "Exponential backoff and jitter" (AWS, 2015; published): uniform from
/// 0 to min(most, first × 2^attempt), which spreads callers that failed together. The times are
/// **assumed**.
public struct Backoff: Sendable, Equatable {
  public var first: Nanoseconds
  public var most: Nanoseconds

  /// Precondition: 0 < first <= most.
  public init(
    first: Nanoseconds = .milliseconds(25), most: Nanoseconds = .milliseconds(250)
  ) {
    precondition(first > .zero && first <= most, "a back-off has a length")
    self.first = first
    self.most = most
  }

  /// The bound of the wait before retry `attempt`, from 0.
  public func bound(attempt: Int) -> Nanoseconds {
    guard attempt < 62 else { return most }
    let (length, isBeyond) = first.count.multipliedReportingOverflow(by: 1 << Int64(attempt))
    return isBeyond ? most : min(most, Nanoseconds(length))
  }

  /// - Parameter stream: the draws of this retry, so that no other takes them.
  public func delay(attempt: Int, from stream: inout some BitSource) -> Nanoseconds {
    Nanoseconds(Int64(stream.integer(below: UInt64(bound(attempt: attempt).count) + 1)))
  }
}
