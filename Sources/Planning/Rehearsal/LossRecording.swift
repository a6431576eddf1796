import Primitives
import ResultStore
import Simulation

/// Puts losses that a command has tried by itself into a results file: each with its verdicts, and
/// with its phases in every replication.
public struct LossRecording {
  let writer: ResultWriter

  public init(_ writer: ResultWriter) { self.writer = writer }

  /// - Parameters:
  ///   - searched: tried while the worst was looked for; numbered after the others.
  public func record(_ trials: [LossTrial], searched: [LossTrial] = []) throws(StoreError) {
    for (index, trial) in (trials + searched).enumerated() {
      try record(trial, id: index + 1, isSearched: index >= trials.count)
    }
  }

  private func record(_ trial: LossTrial, id: Int, isSearched: Bool) throws(StoreError) {
    var row = LossRow(
      study: 1, id: id, domain: trial.target.domain.rawValue, name: trial.target.name)
    (row.strike, row.outage) = (trial.at, trial.outage)
    (row.judgedFrom, row.judgedUntil) = (trial.window.lowerBound, trial.window.upperBound)
    row.searched = isSearched
    row.verdict = ObjectiveVerdicts.overall(trial.judged)
    row.margin = trial.judged.nearest?.margin
    row.leastMargin = trial.worstMargin?.margin
    row.replications = trial.replications.count
    try writer.append(row)
    try ObjectiveRecording(writer).record(trial.judged, study: 1, arm: LossRow.arm(id))
    for (replication, outcome) in trial.replications.enumerated() {
      var row = LossReplicationRow(study: 1, loss: id, replication: replication)
      row.fill(outcome)
      row.margin = trial.margins[replication]
      try writer.append(row)
      try writer.append(
        outcome.timeline.stretches.map {
          LossStretchRow(study: 1, loss: id, replication: replication, $0)
        })
    }
  }
}

extension LossReplicationRow {
  /// All but the margin.
  fileprivate mutating func fill(_ outcome: LossReplication) {
    let timeline = outcome.timeline
    (came, unanswered) = (Int(clamping: outcome.bad.all), Int(clamping: outcome.bad.bad))
    calmCame = Int(clamping: outcome.calmBad.all)
    calmUnanswered = Int(clamping: outcome.calmBad.bad)
    secondsToDetect = timeline.secondsToDetect
    secondsToShift = timeline.secondsToShift
    secondsToFaultOver = timeline.secondsToEnd
    secondsDegraded = timeline.secondsDegraded
    secondsToRecover = timeline.secondsToRecover
    peakUtilisation = outcome.peakUtilisation
    expectedUtilisation = outcome.expectedUtilisation
    stoppedBy = outcome.stopped?.text
    stoppedAt = outcome.stopped?.at
  }
}
