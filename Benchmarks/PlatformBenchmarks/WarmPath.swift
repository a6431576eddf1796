import AllocationCounter
import Primitives
import Scenario
import Simulation

/// A run that stands after its warm-up and goes on second by second.
final class WarmPath {
  private let run: Run
  private var second: Int64

  /// - Parameter topic: lines of each service beside the others.
  init?(topic: String = "") {
    let read = ScenarioReader().read(WarmPathScenario.text(topic), file: "warm-path")
    guard let document = read.document else {
      print(read.rendered)
      return nil
    }
    run = Run(ScenarioMapping(document).platform(replication: 0, peaks: nil), replication: 0)
    second = Int64(WarmPathScenario.warmUpSeconds)
    guard (try? run.advance(to: .seconds(second))) != nil else { return nil }
    run.beginJudging(from: .seconds(second))
  }

  /// Simulates a second; returns the requests that arrived in it.
  func advance() -> UInt64 {
    let before = run.requests
    second += 1
    guard (try? run.advance(to: .seconds(second))) != nil else { return 0 }
    return run.requests - before
  }

  var events: UInt64 { run.executed }
}
