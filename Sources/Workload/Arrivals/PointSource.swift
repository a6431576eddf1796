import Primitives

/// Requests at given times: a list, or a trace of single requests.
public struct PointSource: ArrivalSource {
  /// A request: when, and for how long if that is known.
  public struct Point: Sendable, BitwiseCopyable, Equatable {
    public var nanoseconds: Int64
    /// -1: to be drawn.
    public var serviceNanoseconds: Int64
    /// Position among all points of the service, the request's identity.
    public var ordinal: Int

    public init(nanoseconds: Int64, serviceNanoseconds: Int64 = -1, ordinal: Int) {
      self.nanoseconds = nanoseconds
      self.serviceNanoseconds = serviceNanoseconds
      self.ordinal = ordinal
    }
  }

  static let batch = 1024

  public var isRateLike: Bool { false }

  private let points: [Point]
  private var next = 0

  /// - Parameter points: in order of time.
  public init(_ points: [Point]) { self.points = points }

  /// The part of a service's points that a zone gets: each point is dealt by a draw keyed by its
  /// ordinal.
  public static func deal(
    _ points: [Point], zone: Int, by deal: PlaceDeal, key: StreamKey
  ) -> PointSource {
    guard deal.count > 1 else { return PointSource(points) }
    return PointSource(
      points.filter { point in
        var bits = key.stream(UInt64(point.ordinal))
        return deal.place(using: &bits) == zone
      })
  }

  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    let end = min(next + Self.batch, points.count)
    for point in points[next..<end] {
      buffer.append(
        Arrival(
          time: point.nanoseconds, identity: Arrival.identity(point: point.ordinal),
          serviceTime: point.serviceNanoseconds))
    }
    next = end
    return end == points.count ? .distantFuture : Instant(nanoseconds: points[end].nanoseconds)
  }

  public func count(second: Int) -> Int {
    let start = Int64(second) * 1_000_000_000
    return firstIndex(atOrAfter: start + 1_000_000_000) - firstIndex(atOrAfter: start)
  }

  public mutating func seek(to instant: Instant) {
    next = firstIndex(atOrAfter: instant.nanoseconds)
  }

  private func firstIndex(atOrAfter nanoseconds: Int64) -> Int {
    var low = 0
    var high = points.count
    while low < high {
      let middle = (low + high) / 2
      if points[middle].nanoseconds < nanoseconds { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
