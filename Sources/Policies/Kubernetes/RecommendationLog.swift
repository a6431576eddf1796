import Primitives

/// Recent recommendations, which hold a number of replicas back in both directions.
/// (kubernetes, `horizontal.go`, stabilizeRecommendation and its form with behaviours.)
public struct RecommendationLog: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public var replicas: Int
    public var at: Instant

    public init(replicas: Int, at: Instant) {
      self.replicas = replicas
      self.at = at
    }
  }

  /// Entries that are too old for both windows give their places to new ones.
  public private(set) var entries: [Entry]

  public init(_ entries: [Entry] = []) { self.entries = entries }

  /// Where nothing was recommended yet, the replicas that are there count as recommended, so that
  /// an autoscaler that begins takes none of them away before its window has passed.
  /// (kubernetes, `horizontal.go`, recordInitialRecommendation.)
  public mutating func begin(with replicas: Int, at now: Instant) {
    if entries.isEmpty { entries.append(Entry(replicas: replicas, at: now)) }
  }

  /// The replicas nearest to the current ones between the least recommendation of the window up and
  /// the greatest of the window down, this one among both.
  public mutating func stabilized(
    _ desired: Int, current: Int, up: Nanoseconds, down: Nanoseconds, at now: Instant
  ) -> Int {
    var least = desired
    var greatest = desired
    for entry in entries {
      if entry.at > now - up { least = min(least, entry.replicas) }
      if entry.at > now - down { greatest = max(greatest, entry.replicas) }
    }
    record(desired, longest: max(up, down), at: now)
    return min(max(current, least), greatest)
  }

  /// The older form: the greatest recommendation of one window.
  public mutating func stabilized(_ desired: Int, window: Nanoseconds, at now: Instant) -> Int {
    let greatest = entries.reduce(desired) {
      $1.at < now - window ? $0 : max($0, $1.replicas)
    }
    record(desired, longest: window, at: now)
    return greatest
  }

  public mutating func record(_ replicas: Int, longest window: Nanoseconds, at now: Instant) {
    let entry = Entry(replicas: replicas, at: now)
    if let old = entries.lastIndex(where: { $0.at < now - window }) {
      entries[old] = entry
    } else {
      entries.append(entry)
    }
  }

  /// When the latest entry that fulfils a condition leaves a window; nil: none does.
  func end(of window: Nanoseconds, where isHeld: (Int) -> Bool) -> Instant? {
    entries.filter { isHeld($0.replicas) }.map { $0.at + window }.max()
  }
}
