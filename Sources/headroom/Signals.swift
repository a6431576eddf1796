import Dispatch
import Foundation
import Synchronization

/// The first SIGINT, SIGTERM or SIGHUP asks the run to end with what it has; the second ends the
/// process.
final class Signals: Sendable {
  static let shared = Signals()
  private let count = Atomic<Int>(0)

  var isInterrupted: Bool { count.load(ordering: .relaxed) > 0 }

  func listen() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var before = sigaction()
      sigaction(number, nil, &before)
      // Who has started us with `nohup` wants no end by SIGHUP.
      if number == SIGHUP, before.isIgnored { continue }
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        if count.add(1, ordering: .relaxed).newValue > 1 { _exit(130) }
        Output.error("interrupted: keeping what there is (again: stop at once)")
      }
      source.resume()
      // It listens for as long as the process lives.
      _ = Unmanaged.passRetained(source as AnyObject)
    }
  }
}

extension sigaction {
  fileprivate var isIgnored: Bool {
    // SIG_IGN is 1 as a pointer, and no closure can be compared.
    withUnsafeBytes(of: __sigaction_handler) { $0.loadUnaligned(as: UInt.self) } == 1
  }
}
