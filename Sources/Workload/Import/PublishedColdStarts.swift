/// Cold starts that the publishers of a trace give beside its invocations.
public struct PublishedColdStarts: Sendable, Equatable {
  /// The column that has them.
  public var column: String
  public var invocations: UInt64
  public var coldStarts: UInt64

  public init(column: String, invocations: UInt64, coldStarts: UInt64) {
    self.column = column
    self.invocations = invocations
    self.coldStarts = coldStarts
  }

  /// Of the invocations; nil without one.
  public var share: Double? {
    invocations > 0 ? Double(coldStarts) / Double(invocations) : nil
  }
}

extension Trace {
  /// The publishers' cold starts of all services, in the whole trace or in a part of it.
  /// - Parameter seconds: from the trace's origin; nil: all.
  /// - Returns: nil where the file has none, or where the part cuts through a block.
  /// - Complexity: linear in services and blocks.
  public func publishedColdStarts(in seconds: Range<Int>? = nil) -> PublishedColdStarts? {
    guard let coldStartColumn else { return nil }
    var sum = PublishedColdStarts(column: coldStartColumn, invocations: 0, coldStarts: 0)
    for service in services {
      guard case .counts(let counts, let width) = service.demand, let cold = service.coldStarts
      else { return nil }
      var blocks = counts.indices
      if let seconds {
        guard seconds.lowerBound % width == 0, seconds.upperBound % width == 0 else { return nil }
        blocks = (seconds.lowerBound / width..<seconds.upperBound / width).clamped(to: blocks)
      }
      for block in blocks {
        sum.invocations += UInt64(counts[block])
        sum.coldStarts += UInt64(cold[block])
      }
    }
    return sum
  }
}
