import Primitives

/// Requests that a clock sends: at each of its firings a number of them.
///
/// A firing of a service may be late as a whole (`jitter`), and each of its requests has an instant
/// of its own in the time after that (`spread`); both are uniform draws. Services with the same
/// schedule fire at the same instants: that is the herd.
public struct TimerSource: ArrivalSource {
  /// What is sent, and when.
  public struct Rule: Sendable, Equatable {
    /// Nanoseconds, ascending.
    public var firings: [Int64]
    /// Of each firing.
    public var requests: Int
    /// A firing is late by up to this, and its requests lie in so long a time after that: together
    /// no longer than the shortest gap between two firings.
    public var jitter = Nanoseconds.zero
    public var spread = Nanoseconds.zero

    public init(firings: [Int64], requests: Int) {
      self.firings = firings
      self.requests = requests
    }

    /// The shortest time between two firings; nil where there are fewer than two.
    public var shortestGap: Nanoseconds? {
      zip(firings.dropFirst(), firings).map { Nanoseconds($0 - $1) }.min()
    }
  }

  public var isRateLike: Bool { false }

  private let rule: Rule
  private let key: StreamKey
  private let lane: Int
  private let deal: PlaceDeal
  private var next = 0
  /// What came before has been handed over by whoever came before.
  private var notBefore: Int64 = 0

  /// - Parameters:
  ///   - key: of the service.
  ///   - lane: position of the lane among those that requests are dealt to.
  public init(_ rule: Rule, key: StreamKey, lane: Int, by deal: PlaceDeal) {
    self.rule = rule
    self.key = key.appending(0x71E2)
    self.lane = lane
    self.deal = deal
  }

  /// Puts one firing into the buffer. O(requests log requests).
  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    guard next < rule.firings.count else { return .distantFuture }
    for arrival in arrivals(of: next) where arrival.time >= notBefore { buffer.append(arrival) }
    next += 1
    guard next < rule.firings.count else { return .distantFuture }
    return Instant(nanoseconds: rule.firings[next])
  }

  private func arrivals(of firing: Int) -> [Arrival] {
    var bits = key.appending(UInt64(firing)).sequence()
    let begin = rule.firings[firing] + Int64(bits.uniform() * Double(rule.jitter.count))
    let spread = Double(rule.spread.count)
    var found: [Arrival] = []
    for number in 0..<rule.requests {
      let offset = Int64(bits.uniform() * spread)
      guard deal.place(using: &bits) == lane else { continue }
      found.append(
        Arrival(
          time: begin + offset, identity: Arrival.identity(point: firing * rule.requests + number)))
    }
    return found.sorted { ($0.time, $0.identity) < ($1.time, $1.identity) }
  }

  /// - Complexity: linear in the requests of the firings that reach into the second.
  public func count(second: Int) -> Int {
    let start = Int64(second) * 1_000_000_000
    let end = start + 1_000_000_000
    var firing = firstIndex(reaching: start)
    var count = 0
    while firing < rule.firings.count, rule.firings[firing] < end {
      count += arrivals(of: firing).count { (start..<end).contains($0.time) }
      firing += 1
    }
    return count
  }

  public mutating func seek(to instant: Instant) {
    next = firstIndex(reaching: instant.nanoseconds)
    notBefore = instant.nanoseconds
  }

  /// The first firing whose requests may come at or after an instant.
  private func firstIndex(reaching instant: Int64) -> Int {
    let reach = rule.jitter.count + rule.spread.count
    var (low, high) = (0, rule.firings.count)
    while low < high {
      let middle = (low + high) / 2
      if rule.firings[middle] + reach < instant { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
