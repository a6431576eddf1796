import GRDB

/// What a results file says of the study that made it: enough to do it again.
public struct StoredStudy: Sendable {
  public var command: String
  public var arguments: String
  public var programVersion: String
  public var scenarioText: String
  public var scenarioFile: String
  /// By replication.
  public var digests: [String]
  /// Hashes of the traces that it has read, by name.
  public var traceFiles: [String: String]

  /// Reads the file's first study.
  /// - Throws: `StoreError` when there is no such file, it is no results file, or another version
  ///   made it.
  public init(path: String) throws(StoreError) {
    let database = try ResultDatabase.open(path)
    do {
      (command, arguments, programVersion, scenarioText, scenarioFile, digests, traceFiles) =
        try database.read { database in
          guard
            let study = try Row.fetchOne(
              database, sql: "SELECT command, arguments, program_version FROM studies ORDER BY id"),
            let scenario = try Row.fetchOne(
              database, sql: "SELECT text, file FROM scenarios ORDER BY id")
          else { throw StoreError.noStudy(path) }
          let digests = try String.fetchAll(
            database, sql: "SELECT digest FROM runs ORDER BY replication")
          let files = try Row.fetchAll(database, sql: "SELECT path, hash FROM trace_files")
          let hashes = Dictionary(
            files.map { ($0["path"] as String, $0["hash"] as String) },
            uniquingKeysWith: { first, _ in first })
          return (
            study["command"], study["arguments"], study["program_version"], scenario["text"],
            scenario["file"], digests, hashes
          )
        }
    } catch {
      throw .from(error, path: path)
    }
  }
}

extension StoreError {
  fileprivate static func noStudy(_ path: String) -> StoreError {
    .init(
      .noSuchRun, path: path, table: "studies", found: "no study",
      expected: "a file that a command has finished or interrupted",
      help: "run the command again")
  }
}
