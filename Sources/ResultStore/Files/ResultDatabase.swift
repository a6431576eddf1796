import GRDB
import Glibc

/// Opens results files for reading, and says clearly what is wrong with those that it cannot.
enum ResultDatabase {
  /// - Throws: `fileMissing`, `notSQLite`, `notResults`, `newerSchema`, `olderSchema`, `damaged`,
  ///   `noPermission` or `locked`.
  static func open(_ path: String) throws(StoreError) -> DatabaseQueue {
    try checkFile(path)
    try recover(path)
    var configuration = Configuration()
    configuration.readonly = true
    configuration.label = "headroom.reader"
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      let (application, version) = try queue.read { database in
        (
          try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0,
          try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        )
      }
      try check(path, application: application, version: version)
      return queue
    } catch {
      throw .from(error, path: path)
    }
  }

  private static func checkFile(_ path: String) throws(StoreError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let code = errno
      if code == ENOENT || code == ENOTDIR {
        throw .init(
          .fileMissing, path: path, found: "no such file", expected: "a results file",
          help: "make one with headroom run, or look at the spelling")
      }
      throw .unreadable(path, String(cString: strerror(code)))
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      throw .init(
        .notSQLite, path: path, found: "a directory", expected: "a results file",
        help: "name a file in it, as in \(path)/results.sqlite")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .init(
        .notSQLite, path: path, found: "a device, pipe or socket", expected: "a results file",
        help: "SQLite reads files only")
    }
    try checkHeader(path)
  }

  /// SQLite takes a file of a few bytes for an empty database.
  private static func checkHeader(_ path: String) throws(StoreError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path, String(cString: strerror(errno))) }
    defer { close(descriptor) }
    let expected = Array("SQLite format 3".utf8)
    var header = [UInt8](repeating: 0, count: expected.count)
    let count = header.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    guard header == expected else {
      throw .init(
        .notSQLite, path: path, found: count == 0 ? "an empty file" : "not a SQLite file",
        expected: "results of headroom",
        help: "name a file that headroom run, size, rehearse or compare has written")
    }
  }

  /// A writer that died between checkpoints leaves a journal, by which a database that only reads
  /// cannot undo.
  private static func recover(_ path: String) throws(StoreError) {
    var status = stat()
    guard stat(path + "-journal", &status) == 0, status.st_size > 0 else { return }
    do {
      let queue = try DatabaseQueue(path: path)
      _ = try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") }
      try queue.close()
    } catch {
      throw .from(error, path: path)
    }
  }

  private static func check(
    _ path: String, application: Int32, version: Int
  ) throws(StoreError) {
    let expected = "results of headroom, schema \(ResultSchema.version)"
    guard application == ResultSchema.applicationID else {
      throw .init(
        .notResults, path: path, found: "a SQLite file of another program", expected: expected,
        help: "name a file that headroom has written")
    }
    if version > ResultSchema.version {
      throw .init(
        .newerSchema, path: path, found: "schema \(version), of a newer headroom",
        expected: expected, help: "read it with the version that wrote it, or a later one")
    }
    if version < ResultSchema.version {
      throw .init(
        .olderSchema, path: path, found: "schema \(version), of an older headroom",
        expected: expected, help: "run the command again with this version")
    }
  }
}

extension StoreError {
  fileprivate static func unreadable(_ path: String, _ reason: String) -> StoreError {
    .init(
      .noPermission, path: path, found: "cannot be read (\(reason))",
      expected: "a file that can be read", help: "look at its permissions and its folder's")
  }
}
