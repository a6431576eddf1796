import Foundation

/// The bytes of a scenario, from a file, a pipe or standard input.
enum ScenarioFile {
  /// Names standard input.
  static let standardInput = "-"

  /// More is not read: the reader refuses less than that, and a device may have no end.
  private static let mostBytes = 16 << 20

  /// Without a byte order mark, which some editors put before text.
  static func bytes(_ path: String) throws(CommandFailure) -> [UInt8] {
    let descriptor = path == standardInput ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      guard errno == ENOENT || errno == ENOTDIR else { throw unreadable(path, errno) }
      throw CommandFailure(
        .missingFile, "HR3002", "there is no scenario `\(path)`",
        help: "give the path of a YAML file")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < mostBytes {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(path, errno) }
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    return bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
  }

  private static func unreadable(_ path: String, _ code: Int32) -> CommandFailure {
    CommandFailure(
      .inputOutput, "HR3003", "`\(path)` cannot be read (\(String(cString: strerror(code))))",
      help: "it must be a readable file")
  }
}
