import Glibc

/// The place that a file is to have.
enum Destination {
  /// What may be replaced there.
  enum Kind: Sendable {
    case results
    /// A text of headroom, by how all of its kind begin.
    case beginning(String)

    func matches(_ path: String) -> Bool {
      switch self {
      case .results: Destination.isResults(path)
      case .beginning(let text): Destination.head(of: path, 256).starts(with: Array(text.utf8))
      }
    }
  }

  /// Links to follow at most, as the system does.
  private static let mostLinks = 40

  /// The path at the end of a chain of symbolic links, whether something is there or not, so that a
  /// link stays and what it points to is made or replaced.
  static func resolved(_ path: String) -> String {
    var path = path
    for _ in 0..<mostLinks {
      guard let target = target(ofLink: path) else { return path }
      if target.hasPrefix("/") {
        path = target
      } else {
        let folder = PartialFile.folder(of: path)
        path = (folder == "/" ? "/" : folder + "/") + target
      }
    }
    return path
  }

  private static func target(ofLink path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Refuses a place that may not be taken: a directory or a device in any case, a file unless it
  /// may be replaced, and with `force` still a file that is not ours: somebody has mistaken it.
  /// - Throws: `isDirectory`, `notAFile`, `fileExists` or `foreignFile`.
  static func checkFree(
    _ path: String, force: Bool, kind: Kind = .results
  ) throws(StoreError) {
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .directory(path)
    default: throw .notAFile(path)
    }
    guard force else { throw .exists(path) }
    // Nothing is lost with an empty file, as `mktemp` makes it.
    guard status.st_size == 0 || kind.matches(path) else { throw .foreign(path) }
  }

  /// Whether a file begins as a results file of any version does (SQLite's file format, section
  /// 1.3: a title of 16 bytes, and the application's number at byte 68).
  private static func isResults(_ path: String) -> Bool {
    let header = head(of: path, 72)
    guard header.count == 72, header.starts(with: Array("SQLite format 3\u{0}".utf8)) else {
      return false
    }
    let number = header[68..<72].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return number == UInt32(bitPattern: ResultSchema.applicationID)
  }

  /// The first bytes of a file; fewer where it is shorter, none where it cannot be read.
  private static func head(of path: String, _ most: Int) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var header = [UInt8](repeating: 0, count: most)
    let count = header.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    return Array(header.prefix(max(0, count)))
  }
}
