import Platform
import Primitives
import Workload

/// The invocations of a service in the order in which they come, over all of its zones: what
/// `SERVICE#INDEX` counts. Two at the same nanosecond are in the order of the zones.
///
/// Nothing is simulated for it: what comes is a function of scenario, seed and replication, and
/// what clients try again has no number of its own. A
/// balancer that gives a zone's traffic to another moves arrivals and changes no time.
public struct InvocationIndex: Sendable {
  /// One invocation.
  public struct Place: Sendable, Equatable {
    /// From 1.
    public var number: Int
    public var at: Instant
    /// As in `Arrival.identity`.
    public var identity: UInt64
  }

  private let sources: [any ArrivalSource]
  private let duration: Nanoseconds

  public init(_ simulation: ClusterSimulation, _ service: ServiceID, duration: Nanoseconds) {
    sources = simulation.arrivals(of: service)
    self.duration = duration
  }

  private static let second: Int64 = 1_000_000_000

  /// Whole seconds of the run.
  private var wholeSeconds: Int { Int(duration.count / Self.second) }
  /// The same and a part of one more.
  private var seconds: Int { Int((duration.count + Self.second - 1) / Self.second) }

  /// Invocations of a second that lie within the run. O(lanes), for most sources.
  public func count(second: Int) -> Int {
    guard second < wholeSeconds else {
      return second < seconds ? arrivals(second: second).count : 0
    }
    return sources.reduce(0) { $0 + $1.count(second: second) }
  }

  /// Of the whole run. O(seconds · lanes).
  public var count: Int { (0..<seconds).reduce(0) { $0 + count(second: $1) } }

  /// Invocations that come before a second.
  public func count(before second: Int) -> Int {
    (0..<min(second, seconds)).reduce(0) { $0 + count(second: $1) }
  }

  /// Invocations within a window. O(seconds · lanes), and of those at its ends their arrivals.
  public func count(in window: Range<Instant>) -> Int {
    let (first, last) = (Self.second(of: window.lowerBound), Self.second(of: window.upperBound))
    return (first...last).reduce(0) { sum, second in
      let begin = Instant.seconds(Int64(second))
      let end = Instant.seconds(Int64(second + 1))
      if begin >= window.lowerBound, end <= window.upperBound { return sum + count(second: second) }
      guard begin < window.upperBound else { return sum }
      return sum + arrivals(second: second).count { window.contains(Instant(nanoseconds: $0.time)) }
    }
  }

  static func second(of instant: Instant) -> Int { Int(instant.nanoseconds / second) }

  /// The invocation of a number; nil beyond the run's last.
  public func place(_ number: Int) -> Place? {
    var before = 0
    for second in 0..<seconds {
      let count = count(second: second)
      if before + count >= number {
        let index = number - before - 1
        let found = arrivals(second: second)
        guard found.indices.contains(index) else { return nil }
        return Place(
          number: number, at: Instant(nanoseconds: found[index].time),
          identity: found[index].identity)
      }
      before += count
    }
    return nil
  }

  /// Invocations of a second, numbered.
  public func places(second: Int) -> [Place] {
    let before = count(before: second)
    return arrivals(second: second).enumerated().map { index, arrival in
      Place(
        number: before + index + 1, at: Instant(nanoseconds: arrival.time),
        identity: arrival.identity)
    }
  }

  /// Arrivals of a second within the run, in order of time, then of zone.
  private func arrivals(second: Int) -> [Arrival] {
    let begin = Int64(second) * Self.second
    let end = min(begin + Self.second, duration.count)
    var found: [(arrival: Arrival, position: Int)] = []
    for position in sources.indices {
      var source = sources[position].clone()
      source.seek(to: Instant(nanoseconds: begin))
      var buffer = ArrivalBuffer()
      var horizon = Instant.origin
      while horizon.nanoseconds < end {
        horizon = source.fill(&buffer)
        while !buffer.isEmpty {
          let arrival = buffer.removeFirst()
          if arrival.time >= begin, arrival.time < end { found.append((arrival, position)) }
        }
      }
    }
    // Of one zone in the order of its source.
    return found.enumerated().sorted {
      ($0.element.arrival.time, $0.element.position, $0.offset)
        < ($1.element.arrival.time, $1.element.position, $1.offset)
    }.map(\.element.arrival)
  }
}
