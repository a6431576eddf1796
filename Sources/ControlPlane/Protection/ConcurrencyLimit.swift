/// A limit on requests that are under way at once.
///
/// The limit may fall below what is under way; then nothing begins until enough have ended.
public struct ConcurrencyLimit: Sendable, Equatable {
  public private(set) var limit: Int
  public private(set) var inFlight = 0

  /// Precondition: the limit is not negative.
  public init(_ limit: Int) {
    precondition(limit >= 0, "a limit below none")
    self.limit = limit
  }

  @inlinable public var hasRoom: Bool { inFlight < limit }

  /// Begins a request where there is room. O(1).
  public mutating func begin() -> Bool {
    guard inFlight < limit else { return false }
    inFlight += 1
    return true
  }

  /// A request that had begun ended.
  public mutating func end() {
    precondition(inFlight > 0, "ends without a beginning")
    inFlight -= 1
  }

  /// Another limit, as an adaptive rule finds it.
  public mutating func change(to limit: Int) { self.limit = max(0, limit) }

  public borrowing func clone() -> Self { copy self }
}
