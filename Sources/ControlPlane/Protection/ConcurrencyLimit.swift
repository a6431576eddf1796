/// A limit on requests that are under way at once.
///
/// The limit may fall below what is under way; then nothing begins until enough have ended.
public struct ConcurrencyLimit: Sendable, Equatable {
  @usableFromInline var storedLimit: Int
  @usableFromInline var storedInFlight = 0

  @inlinable public var limit: Int { storedLimit }
  @inlinable public var inFlight: Int { storedInFlight }

  /// Precondition: the limit is not negative.
  public init(_ limit: Int) {
    precondition(limit >= 0, "a limit below none")
    storedLimit = limit
  }

  @inlinable public var hasRoom: Bool { inFlight < limit }

  /// Whether one more may begin where somebody else counts what is under way.
  @inlinable public func hasRoom(beside others: Int) -> Bool { others < storedLimit }

  /// Begins a request where there is room. O(1).
  @inlinable public mutating func begin() -> Bool {
    guard inFlight < limit else { return false }
    storedInFlight += 1
    return true
  }

  /// A request that had begun ended.
  @inlinable public mutating func end() {
    precondition(inFlight > 0, "ends without a beginning")
    storedInFlight -= 1
  }

  /// Another limit, as an adaptive rule finds it.
  public mutating func change(to limit: Int) { storedLimit = max(0, limit) }

  public borrowing func clone() -> Self { copy self }
}
