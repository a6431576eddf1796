import Dispatch
import Foundation
import Simulation
import Synchronization

/// The first SIGINT or SIGTERM asks the run to end with what it has; the second ends the process.
final class Signals: Interruption {
  static let shared = Signals()
  private let count = Atomic<Int>(0)

  var isInterrupted: Bool { count.load(ordering: .relaxed) > 0 }

  func listen() {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        if count.add(1, ordering: .relaxed).newValue > 1 { _exit(130) }
        Output.error("\ninterrupted: keeping what there is (again: stop at once)")
      }
      source.resume()
      // It listens for as long as the process lives.
      _ = Unmanaged.passRetained(source as AnyObject)
    }
  }
}
