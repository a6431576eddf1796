import Foundation

/// Paired differences on the log scale, with a tolerance that is both relative and absolute.
///
/// d = ln((candidate + a) / (base + a)), a = absolute / relative, judged against ln(1 + relative):
/// at base 0 a change of exactly `absolute` gives exactly the tolerance, far above a the
/// difference is the relative change. The log removes the skewness of latencies and counts, on
/// which sequential t bounds overrun their error. The mean of d is the log of a ratio of
/// geometric means.
public struct RelativeDifference: Sendable, Equatable {
  public let relativeTolerance: Double
  public let absoluteTolerance: Double

  public init(
    relativeTolerance: Double, absoluteTolerance: Double
  ) throws(StatisticsError) {
    try require(relativeTolerance > 0, "relativeTolerance", relativeTolerance, "(0, inf)")
    try require(absoluteTolerance >= 0, "absoluteTolerance", absoluteTolerance, "[0, inf)")
    self.relativeTolerance = relativeTolerance
    self.absoluteTolerance = absoluteTolerance
  }

  /// The tolerance in the unit of the differences.
  public var tolerance: Double { log1p(relativeTolerance) }

  /// - Throws: `outOfRange` where a value plus the offset is not positive.
  public func difference(candidate: Double, base: Double) throws(StatisticsError) -> Double {
    let offset = absoluteTolerance / relativeTolerance
    try require(candidate + offset > 0, "candidate", candidate, "(-offset, inf)")
    try require(base + offset > 0, "base", base, "(-offset, inf)")
    return log((candidate + offset) / (base + offset))
  }
}
