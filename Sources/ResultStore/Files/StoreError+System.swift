import GRDB
import Glibc

extension StoreError {
  static func exists(_ path: String) -> StoreError {
    .init(
      .fileExists, path: path, found: "the file exists", expected: "a name that is free",
      help: "choose another name with --out, or replace the file with --force")
  }

  static func notAFile(_ path: String) -> StoreError {
    .init(
      .notAFile, path: path, found: "a device, pipe or socket", expected: "the name of a file",
      help: "choose another name with --out")
  }

  static func foreign(_ path: String) -> StoreError {
    .init(
      .foreignFile, path: path, found: "a file that headroom has not written",
      expected: "a free name, or a file of the same kind to replace",
      help: "--force replaces what headroom writes only; choose another name with --out, or "
        + "remove the file")
  }

  static func directory(_ path: String) -> StoreError {
    .init(
      .isDirectory, path: path, found: "a directory", expected: "the name of a file",
      help: "add a file name, as in \(path)/results.sqlite")
  }

  /// The error of a system call that should have made, renamed or synchronised a file.
  static func creating(_ path: String, _ code: Int32) -> StoreError {
    let reason = String(cString: strerror(code))
    switch code {
    case ENOENT, ENOTDIR:
      return .init(
        .folderMissing, path: path, found: "the folder \(PartialFile.folder(of: path)) is missing",
        expected: "a folder that exists", help: "make it, or choose another with --out")
    case EACCES, EPERM, EROFS:
      return .init(
        .noPermission, path: path, found: "no permission to write (\(reason))",
        expected: "a folder that can be written", help: "choose another place with --out")
    case ENOSPC, EDQUOT:
      return .full(path, table: nil)
    case EISDIR:
      return .directory(path)
    default:
      return .init(
        .inputOutput, path: path, found: reason, expected: "a file that can be made",
        help: "look at the disk and the file system")
    }
  }

  static func full(_ path: String, table: String?) -> StoreError {
    .init(
      .diskFull, path: path, table: table, found: "no space left for the results",
      expected: "room on the disk",
      help: "free some space or choose another disk with --out")
  }

  /// The same error, with a word on what is left.
  func adding(_ more: String) -> StoreError {
    var error = self
    error.help += "; \(more)"
    return error
  }

  static func inUse(_ path: String) -> StoreError {
    .init(
      .locked, path: path, found: "another process is using the file",
      expected: "a file that nobody writes", help: "wait for that process, or end it")
  }

  /// Translates an error of SQLite, whatever the library throws.
  static func from(_ error: any Error, path: String, table: String? = nil) -> StoreError {
    if let known = error as? StoreError { return known }
    guard let database = error as? DatabaseError else {
      return .init(
        .inputOutput, path: path, table: table, found: "\(error)", expected: "a readable database",
        help: "this should not happen; please report it")
    }
    let message = database.message ?? "SQLite error \(database.resultCode.rawValue)"
    switch database.resultCode {
    case .SQLITE_FULL: return .full(path, table: table)
    case .SQLITE_BUSY, .SQLITE_LOCKED: return .inUse(path)
    case .SQLITE_NOTADB:
      return .init(
        .notSQLite, path: path, found: "not a SQLite file", expected: "results of headroom",
        help: "name a file that headroom run, size, rehearse or compare has written")
    // A table or column that is missing is an error of the statement.
    case .SQLITE_CORRUPT, .SQLITE_ERROR:
      return .init(
        .damaged, path: path, table: table, found: "a damaged file (\(message))",
        expected: "tables as docs/schema.md has them",
        help: "run the command again, or recover a backup")
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      return .init(
        .noPermission, path: path, table: table, found: "cannot be opened (\(message))",
        expected: "a file that can be opened", help: "look at its permissions and its folder's")
    case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH:
      return .init(
        .badRow, path: path, table: table, found: "a row that the table refuses (\(message))",
        expected: "a row as docs/schema.md has it", help: "this is a fault of Headroom")
    default:
      return .init(
        .inputOutput, path: path, table: table, found: message, expected: "a working disk",
        help: "look at the disk and the file system")
    }
  }
}
