import Reporting
import Simulation
import Synchronization

/// Tells on a terminal how far a command has come, and ends its runs when that is asked for.
///
/// Runs ask once a simulated minute whether to end; the meter counts these questions, of all runs
/// and first passes together.
final class ProgressMeter: Interruption {
  /// Simulated seconds between two questions (`Run.advance`).
  private static let step = 60.0
  /// A line is drawn at most four times a second.
  private static let pause = Duration.milliseconds(250)

  private struct State {
    var label: String
    var done = 0.0
    var drawn: ContinuousClock.Instant?
    var isStopped = false
  }

  /// Simulated seconds of all runs.
  private let total: Double
  private let began = ContinuousClock.now
  private let state: Mutex<State>

  init(_ label: String, total: Double) {
    self.total = total
    state = Mutex(State(label: label))
  }

  var isInterrupted: Bool {
    let isStopped = state.withLock { state in
      state.done += Self.step
      draw(&state)
      return state.isStopped
    }
    return isStopped || Signals.shared.isInterrupted
  }

  /// What is being done from now on.
  func say(_ label: String) {
    state.withLock { state in
      state.label = label
      draw(&state)
    }
  }

  /// Ends the runs: something has gone wrong.
  func stop() { state.withLock { $0.isStopped = true } }

  private func draw(_ state: inout State) {
    let now = ContinuousClock.now
    if let drawn = state.drawn, drawn.duration(to: now) < Self.pause { return }
    state.drawn = now
    Output.progress(
      ProgressText.line(
        state.label, done: state.done, total: total, elapsed: began.duration(to: now).inSeconds))
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
