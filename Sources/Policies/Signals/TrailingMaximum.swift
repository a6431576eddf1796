import Primitives

/// The greatest value that something had in the last while, where each value holds until the next
/// one. A change is O(1) on average.
struct TrailingMaximum: Sendable {
  private struct Past: Sendable {
    var value: Int
    /// When another value took its place.
    var ended: Instant
  }

  let length: Nanoseconds
  /// What was before, falling in value and rising in end; only what may still be the greatest.
  private var past: [Past] = []
  private(set) var latest: Int

  init(_ value: Int, length: Nanoseconds) {
    self.length = length
    latest = value
  }

  /// A value that holds from an instant on.
  mutating func set(_ value: Int, at now: Instant) {
    while let first = past.first, first.ended + length <= now { past.removeFirst() }
    guard value != latest else { return }
    if value < latest { past.append(Past(value: latest, ended: now)) }
    while let last = past.last, last.value <= value { past.removeLast() }
    latest = value
  }

  /// The greatest value since `now` less the length; a value that ended then is gone.
  func maximum(at now: Instant) -> Int {
    past.first { $0.ended + length > now }?.value ?? latest
  }

  /// When the maximum falls next if no value comes.
  func unchangedUntil(at now: Instant) -> Instant {
    past.first { $0.ended + length > now }.map { $0.ended + length } ?? .distantFuture
  }
}
