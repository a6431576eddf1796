import GRDB

/// What a results file says of the study that made it: enough to do it again.
public struct StoredStudy: Sendable {
  /// One replication.
  public struct Run: Sendable, Equatable {
    /// Its number in the file.
    public var id: Int
    public var replication: Int
    /// Of a comparison: which side it is on; of a rehearsal `calm` or `fault`.
    public var arm: String
    public var digest: String
    public var status: RunStatus
  }

  public var command = ""
  public var arguments = ""
  public var programVersion = ""
  public var status = RunStatus.running
  public var scenarioText = ""
  public var scenarioFile = ""
  /// By replication; of a rehearsal two of each.
  public var runs: [Run] = []
  /// Hashes of the traces that it has read, by name.
  public var traceFiles: [String: String] = [:]

  /// Reads the file's first study.
  /// - Throws: `StoreError` when there is no such file, it is no results file, it is damaged, or
  ///   another version made it.
  public init(path: String) throws(StoreError) {
    let database = try ResultDatabase.open(path)
    do {
      self = try database.read { try StoredStudy(reading: $0, path: path) }
    } catch {
      throw .from(error, path: path)
    }
  }

  private init(reading database: Database, path: String) throws {
    let study = try Row.fetchOne(
      database, sql: "SELECT command, arguments, program_version, status FROM studies ORDER BY id")
    let scenario = try Row.fetchOne(database, sql: "SELECT text, file FROM scenarios ORDER BY id")
    guard let study, let scenario else { throw StoreError.noStudy(path) }
    command = try Self.text(study, 0)
    arguments = try Self.text(study, 1)
    programVersion = try Self.text(study, 2)
    status = try Self.status(study, 3)
    scenarioText = try Self.text(scenario, 0)
    scenarioFile = try Self.text(scenario, 1)
    runs = try Row.fetchAll(
      database,
      sql: "SELECT id, replication, arm, digest, status FROM runs ORDER BY replication, id"
    ).map { row in
      Run(
        id: try Self.value(row, 0), replication: try Self.value(row, 1),
        arm: try Self.text(row, 2), digest: try Self.text(row, 3),
        status: try Self.status(row, 4))
    }
    for row in try Row.fetchAll(database, sql: "SELECT path, hash FROM trace_files") {
      traceFiles[try Self.text(row, 0)] = try Self.text(row, 1)
    }
  }

  /// A column as it should be; whoever edits a file by hand may have put anything there.
  private static func value<Value: DatabaseValueConvertible>(
    _ row: Row, _ column: Int
  ) throws -> Value {
    let found: DatabaseValue = row[column]
    if let value = Value.fromDatabaseValue(found) { return value }
    throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "unexpected value \(found)")
  }

  private static func text(_ row: Row, _ column: Int) throws -> String { try value(row, column) }

  private static func status(_ row: Row, _ column: Int) throws -> RunStatus {
    let word = try text(row, column)
    if let status = RunStatus(rawValue: word) { return status }
    throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "unexpected status \(word)")
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
