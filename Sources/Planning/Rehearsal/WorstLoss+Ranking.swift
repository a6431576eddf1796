import Primitives
import ResultStore
import Simulation

/// Which of some losses is worse, and which are worth more than a search.
extension WorstLoss {
  /// Losses of each kind of domain that are judged for what they leave without an answer, at
  /// different times or of different domains (assumed).
  static let mostUnanswered = 3

  /// Those that miss an objective first, then those of which that is undecided; of these, and of
  /// the others, those that a condition has ended, since more would have come; then those with the
  /// most requests without an answer; then those with the least margin, which lag and latency may
  /// decide alone; then in the order of trying. A margin by itself would prefer losses near the
  /// end, of which less is judged. O(n log n).
  static func ranked(_ trials: [LossTrial]) -> [LossTrial] {
    trials.map { Rank($0) }.enumerated().sorted {
      $0.element.key != $1.element.key
        ? $0.element.key < $1.element.key : $0.offset < $1.offset
    }.map(\.element.trial)
  }

  private struct Rank {
    let trial: LossTrial
    /// Smaller is worse.
    let key: (Int, Int, Double, Double)

    init(_ trial: LossTrial) {
      self.trial = trial
      let verdict = ObjectiveVerdicts.overall(trial.judged)
      key = (
        verdict == .missed ? 0 : verdict == .undecided ? 1 : 2, trial.stopped == nil ? 1 : 0,
        -trial.moreBad, trial.worstMargin?.margin ?? .infinity
      )
    }
  }

  /// The losses of a kind that are judged over all replications: the worst, each an outage away
  /// from those before it, or of another domain; and the one with the least margin, wherever it is.
  ///
  /// One replication does not say how sure a miss is. The one that leaves the most without an
  /// answer may be a close one, which several leave undecided; the one that is farthest beyond its
  /// limit is the likeliest to be missed for sure.
  ///
  /// - Parameter ranked: all that was tried, the worst first. O(n).
  static func finalists(
    of domain: LossTarget.Domain, _ ranked: [LossTrial], apart: Nanoseconds
  ) -> [LossTrial] {
    let own = ranked.filter { $0.target.domain == domain }
    var some: [LossTrial] = []
    for trial in own where some.count < mostUnanswered {
      let isNear = some.contains {
        $0.target == trial.target && max($0.at, trial.at) - min($0.at, trial.at) < apart
      }
      if !isNear { some.append(trial) }
    }
    let surest = own.filter { $0.worstMargin != nil }.min {
      ($0.worstMargin?.margin ?? .infinity) < ($1.worstMargin?.margin ?? .infinity)
    }
    guard let surest else { return some }
    let isAmong = some.contains {
      $0.target == surest.target && $0.at == surest.at && $0.outage == surest.outage
    }
    return isAmong ? some : some + [surest]
  }
}
