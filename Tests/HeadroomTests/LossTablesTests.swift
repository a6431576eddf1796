import Foundation
import Planning
import Primitives
import ResultStore
import Testing

@testable import Simulation

/// What matrices and searches of losses leave in a results file.
@Suite struct LossTablesTests {
  /// What a report shows of losses is in the file: each with its verdicts, its phases and the
  /// stretches in which it was worse, in every replication.
  @Test func lossesAreKept() throws {
    let runner = try LossSearchTests.runner(nil, ["replications=2", "duration=14m"])
    let outcome = try LossMatrix(runner: runner, times: [.seconds(300), .seconds(735)])
      .run(peaks: nil)
    let path = FileManager.default.temporaryDirectory
      .appending(path: "headroom-losses-\(UInt64.random(in: 0 ... .max)).sqlite").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let writer = try ResultWriter(path: path)
    try writer.append(StudyRow(id: 1, command: "rehearse"))
    let searched = [try #require(outcome.cells.first)]
    try LossRecording(writer).record(outcome.cells, searched: searched)
    try writer.finish()
    let reader = try ResultReader(path: path)
    let (losses, all) = (try reader.rows(LossRow.self), try reader.rows(LossReplicationRow.self))
    let stretches = try reader.rows(LossStretchRow.self)
    let objectives = try reader.rows(ObjectiveRow.self)
    #expect(losses.map(\.id) == Array(1...13) && losses.map(\.searched).last == true)
    for (row, trial) in zip(losses, outcome.cells + searched) {
      #expect(row.name == trial.target.name && row.strike == trial.at && row.outage == trial.outage)
      #expect(row.verdict == ObjectiveVerdicts.overall(trial.judged))
      #expect(row.margin == trial.judged.nearest?.margin)
      #expect(row.leastMargin == trial.worstMargin?.margin)
      let own = objectives.filter { $0.arm == LossRow.arm(row.id) }
      #expect(own.map(\.verdict) == trial.judged.map(\.verdict))
      #expect(own.map(\.value) == trial.judged.map(\.value))
      let runs = all.filter { $0.loss == row.id }
      #expect(runs.map(\.replication) == [0, 1])
      for (run, replication) in zip(runs, trial.replications) {
        #expect(run.unanswered - run.calmUnanswered == Int(replication.moreBad))
        #expect(run.secondsToDetect == replication.timeline.secondsToDetect)
        #expect(run.secondsToRecover == replication.timeline.secondsToRecover)
        #expect(run.peakUtilisation == replication.peakUtilisation)
        let own = stretches.filter { $0.loss == row.id && $0.replication == run.replication }
        #expect(own.map { $0.from..<$0.until } == replication.timeline.stretches)
      }
    }
    #expect(losses.contains { $0.verdict == .missed } && !stretches.isEmpty)
  }
}
