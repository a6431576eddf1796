import Planning
import Simulation
import Synchronization

/// Simulates the replications of a run, and stores each as soon as it and those before it have
/// ended, so that whatever ends the command finds it in the file.
struct Replications: Sendable {
  let runner: ScenarioRunner
  let session: ResultSession
  let meter: ProgressMeter

  /// What has begun, in order: all of them, unless somebody has asked for an end.
  func runAll(peaks: [PoolKey: Int]?) throws -> [RunOutcome] {
    let queue = RecordingQueue(session)
    let count = runner.document.replications
    let outcomes = try Parallel.map(count, threads: runner.threads) { replication -> RunOutcome? in
      if Signals.shared.isInterrupted || queue.hasFailed { return nil }
      let began = ContinuousClock.now
      do {
        let outcome = try runner.run(replication: replication, peaks: peaks)
        try queue.add(outcome, wallSeconds: began.duration(to: .now).inSeconds)
        return outcome
      } catch {
        queue.fail()
        meter.stop()
        throw error
      }
    }
    try queue.finish()
    return outcomes.compactMap { $0 }
  }
}

/// Holds replications back until those before them are stored, so that rows do not lie in the order
/// in which threads happen to end.
private final class RecordingQueue: Sendable {
  private struct Item {
    var outcome: RunOutcome
    var wallSeconds: Double
  }

  private struct State {
    var waiting: [Int: Item] = [:]
    var next = 0
    var hasFailed = false
  }

  private let session: ResultSession
  private let state = Mutex(State())

  init(_ session: ResultSession) { self.session = session }

  var hasFailed: Bool { state.withLock { $0.hasFailed } }

  func fail() { state.withLock { $0.hasFailed = true } }

  func add(_ outcome: RunOutcome, wallSeconds: Double) throws {
    try state.withLock { state in
      state.waiting[outcome.replication] = Item(outcome: outcome, wallSeconds: wallSeconds)
      while let item = state.waiting.removeValue(forKey: state.next) {
        try session.record(item.outcome, wallSeconds: item.wallSeconds)
        state.next += 1
      }
    }
  }

  /// Stores what waits for replications that were never begun.
  func finish() throws {
    try state.withLock { state in
      for replication in state.waiting.keys.sorted() {
        guard let item = state.waiting.removeValue(forKey: replication) else { continue }
        try session.record(item.outcome, wallSeconds: item.wallSeconds)
      }
    }
  }
}
