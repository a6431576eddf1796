import Foundation
import Synchronization

/// Results go to standard output, everything else to standard error.
enum Output {
  private struct State {
    var isLost = false
    var hasProgress = false
  }

  private static let state = Mutex(State())

  /// Whether something that was to be printed did not get out.
  static var isLost: Bool { state.withLock { $0.isLost } }

  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  static func result(_ text: String) {
    endProgress()
    if !write(text + "\n", to: STDOUT_FILENO) { state.withLock { $0.isLost = true } }
  }

  static func error(_ text: String) {
    endProgress()
    _ = write(text + "\n", to: STDERR_FILENO)
  }

  /// A line that the next one overwrites; only on a terminal.
  static func progress(_ text: String) {
    guard isTerminal else { return }
    state.withLock { $0.hasProgress = true }
    _ = write("\r\u{1B}[K\(text)", to: STDERR_FILENO)
  }

  static func endProgress() {
    let wasThere = state.withLock { state in
      defer { state.hasProgress = false }
      return state.hasProgress
    }
    if wasThere { _ = write("\r\u{1B}[K", to: STDERR_FILENO) }
  }

  /// Takes the numbers of standard streams that are closed, so that no file gets them and is
  /// written into. Writing to what is put there fails, as it did before.
  static func reserveStreams() {
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
      // The lowest free number is given, which is this one.
      _ = open("/dev/null", O_RDONLY)
    }
  }

  /// False where not everything could be written.
  private static func write(_ text: String, to stream: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(stream, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        // Somebody has made the stream one that does not wait.
        usleep(1000)
        continue
      }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
