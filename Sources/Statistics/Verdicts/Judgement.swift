/// The verdict on one objective, with what it rests on.
public struct Judgement: Sendable, Equatable {
  public enum Basis: Sendable, Equatable {
    /// Nothing was observed: undecided, never met.
    case noSample
    /// One replication judges by its value, and the report says so.
    case singleValue(Double)
    /// Too few replications for an interval.
    case tooFewReplications(given: Int, needed: Int)
    case interval(Interval)
  }

  public let verdict: ObjectiveVerdict
  public let basis: Basis

  public init(verdict: ObjectiveVerdict, basis: Basis) {
    self.verdict = verdict
    self.basis = basis
  }
}

extension Judgement {
  /// Fewer seeds give no interval for the size of a pool.
  public static let leastReplicationsForSize = 8

  /// Judges an interval: met or missed when all of it lies on one side of the limit.
  public init(interval: Interval, _ relation: Relation, limit: Double) {
    self.init(
      verdict: Self.verdict(interval, relation, limit), basis: .interval(interval))
  }

  /// Judges one value per replication by the t interval of their mean.
  ///
  /// - Parameters:
  ///   - values: One per replication, in the order of the seeds; nil where nothing was observed.
  ///   - leastReplications: Observed values below this many, but above one replication, give
  ///     no interval and stay undecided. `size` asks for `leastReplicationsForSize`.
  public init(
    values: [Double?], _ relation: Relation, limit: Double,
    level: Double = Interval.defaultLevel, leastReplications: Int = 2
  ) throws(StatisticsError) {
    let observed = values.compactMap { $0 }
    if observed.isEmpty {
      self.init(verdict: .undecided, basis: .noSample)
    } else if values.count == 1 && leastReplications <= 2 {
      guard observed[0].isFinite else { throw .notFinite("value of the objective") }
      self.init(
        verdict: relation.holds(observed[0], limit) ? .met : .missed,
        basis: .singleValue(observed[0]))
    } else if observed.count < max(2, leastReplications) {
      self.init(
        verdict: .undecided,
        basis: .tooFewReplications(given: observed.count, needed: max(2, leastReplications)))
    } else {
      self.init(interval: try MeanInterval.t(observed, level: level), relation, limit: limit)
    }
  }

  private static func verdict(
    _ interval: Interval, _ relation: Relation, _ limit: Double
  ) -> ObjectiveVerdict {
    guard !interval.low.isNaN, !interval.high.isNaN else { return .undecided }
    let (low, high) = (relation.holds(interval.low, limit), relation.holds(interval.high, limit))
    // The relation is monotone in the value: where both ends agree, so does all between them.
    return low == high ? (low ? .met : .missed) : .undecided
  }
}
