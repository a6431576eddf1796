import ControlPlane
import Platform
import Primitives

/// What happened to the invocations of a service that came within a window.
public struct WindowSummary {
  /// In order of arrival.
  public let entries: [InvocationLog.Entry]
  /// By the word for an outcome, a way to an instance, and the age of the route; each in a fixed
  /// order, without those that did not occur.
  public let outcomes: [(word: String, count: Int)]
  public let paths: [(word: String, count: Int)]
  public let routes: [(word: String, count: Int)]
  /// Takes from warm pools for the service, and failed starts, from the window's beginning to the
  /// end of what was watched.
  public let poolHits: Int
  public let poolMisses: Int
  public let failedStarts: Int
  /// Of invocations that were answered, ascending, nanoseconds.
  public let latencies: [Int64]
  private let watchedTo: Instant

  /// - Parameter watchedTo: what is open was so then.
  public init(_ log: InvocationLog, window: Range<Instant>, watchedTo: Instant) {
    self.watchedTo = watchedTo
    entries = log.inOrder
    var words = TracedEnd.Outcome.allCases.map(\.rawValue)
    words.append(Self.open)
    outcomes = Self.counts(entries.map { Self.word($0.outcome) }, in: words)
    paths = Self.counts(
      entries.map { InvocationPath($0).rawValue }, in: InvocationPath.allCases.map(\.rawValue))
    routes = Self.counts(
      entries.compactMap { $0.arrival.gateway?.route.rawValue },
      in: [RouteState.fresh, .stale, .absent].map(\.rawValue))
    var (hits, misses, failed) = (0, 0, 0)
    for deed in log.deeds where deed.at >= window.lowerBound {
      switch deed {
      case .decided(.took(_, _, _, let isHit, _, _)):
        if isHit { hits += 1 } else { misses += 1 }
      case .sent(let sent):
        if case .startFailed = sent.message { failed += 1 }
      default: break
      }
    }
    (poolHits, poolMisses, failedStarts) = (hits, misses, failed)
    latencies = entries.compactMap { entry in
      entry.outcome == .ended(.completed) ? entry.latency?.count : nil
    }.sorted()
  }

  public static let open = "open"

  public static func word(_ outcome: Explanation.Outcome) -> String {
    switch outcome {
    case .ended(let outcome): outcome.rawValue
    case .open: open
    }
  }

  private static func counts(_ found: [String], in words: [String]) -> [(word: String, count: Int)]
  {
    var counts: [String: Int] = [:]
    for word in found { counts[word, default: 0] += 1 }
    return words.compactMap { word in counts[word].map { (word: word, count: $0) } }
  }

  /// The least latency that a share of them does not exceed; nil without one.
  public func quantile(_ share: Double) -> Nanoseconds? {
    guard !latencies.isEmpty else { return nil }
    let rank = Int((share * Double(latencies.count)).rounded(.up))
    return Nanoseconds(latencies[min(max(rank, 1), latencies.count) - 1])
  }

  /// The worst: those that failed first, then by latency, or by the time so far.
  public func worst(_ most: Int) -> [InvocationLog.Entry] {
    first(most, by: badness)
  }

  /// Those that waited longest for an instance; none that did not wait.
  public func longestWaits(_ most: Int) -> [InvocationLog.Entry] {
    first(most) { $0.wait?.count ?? 0 }.filter { $0.wait ?? .zero > .zero }
  }

  private func first(
    _ most: Int, by measure: (InvocationLog.Entry) -> Int64
  ) -> [InvocationLog.Entry] {
    let values = entries.map(measure)
    let order = entries.indices.sorted { a, b in
      values[a] != values[b] ? values[a] > values[b] : a < b
    }
    return order.prefix(most).map { entries[$0] }
  }

  private func badness(_ entry: InvocationLog.Entry) -> Int64 {
    switch entry.outcome {
    case .ended(.completed): entry.latency?.count ?? 0
    case .ended: .max
    case .open: (watchedTo - entry.arrival.at).count
    }
  }
}
