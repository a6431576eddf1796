/// A time in nanoseconds that stands for so many requests.
public struct CountedTime: Sendable, Equatable, BitwiseCopyable {
  public var nanoseconds: Int64
  public var count: Int

  @inlinable
  public init(_ nanoseconds: Int64, count: Int) {
    self.nanoseconds = nanoseconds
    self.count = count
  }
}
