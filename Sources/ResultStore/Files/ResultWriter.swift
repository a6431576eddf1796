import GRDB
import GRDBSQLite
import Synchronization

/// Writes one results file.
///
/// Rows go to a partial file in the same folder, which gets the final name only in `finish`. A
/// process that dies leaves the partial file with everything up to its last checkpoint, openable
/// like any other. Safe to call from any thread; rows lie in the order of the calls.
public final class ResultWriter: Sendable {
  /// The name that the results will have.
  public let path: String
  /// Where they are until then.
  public var partialPath: String { partial.path }

  private let partial: PartialFile
  private let force: Bool
  private let queue: DatabaseQueue
  private let state = Mutex(State())

  private struct State {
    var rowsSinceCheckpoint = 0
    var isClosed = false
    /// Whether a checkpoint has saved rows.
    var hasCheckpoint = false
    /// Whether the partial file holds something that is worth keeping when nobody gives it a name.
    var keepsPartial = false
    /// What the disk has done to us; nothing more is written after it.
    var failure: StoreError?
  }

  /// Rows after which a checkpoint is taken: often enough for little to be lost, seldom enough to
  /// cost nothing.
  static let rowsBetweenCheckpoints = 200_000

  /// Begins a results file.
  /// - Parameters:
  ///   - path: the final name; nothing has that name before `finish`.
  ///   - force: whether a file of that name may be replaced at the end.
  ///   - maximumPages: a limit on the file's size in pages of 4 KiB, for tests.
  public init(path: String, force: Bool = false, maximumPages: Int? = nil) throws(StoreError) {
    self.path = path
    self.force = force
    let partial = try PartialFile(for: path, force: force)
    self.partial = partial
    do {
      queue = try ResultWriter.open(partial.path, maximumPages: maximumPages)
      try queue.inDatabase { try $0.execute(sql: "BEGIN") }
    } catch {
      partial.remove()
      throw .from(error, path: path)
    }
  }

  private static func open(_ path: String, maximumPages: Int?) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "headroom.results"
    // One transaction spans many calls.
    configuration.allowsUnsafeTransactions = true
    // References document the schema; checking each costs more than writing the row.
    configuration.foreignKeysEnabled = false
    configuration.prepareDatabase { database in
      // The rollback journal keeps the file sound when the process dies; not waiting for the disk
      // is safe because the file has no name to trust before it is synchronised.
      try database.execute(
        sql: """
          PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF;
          PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY
          """)
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try ResultSchema.migrator.migrate(queue)
    if let maximumPages {
      try queue.inDatabase { try $0.execute(sql: "PRAGMA max_page_count = \(maximumPages)") }
    }
    return queue
  }

  /// Adds rows to their table. Cheapest with many at a time.
  public func append<Row: StoredRow>(_ rows: [Row]) throws(StoreError) {
    try insert(rows, sql: Row.table.insertSQL)
  }

  public func append<Row: StoredRow>(_ row: Row) throws(StoreError) {
    try append([row])
  }

  /// Puts a row in the place of the one with the same number or key, or adds it: a run is announced
  /// when it starts and stated again, with its digest, when it ends.
  public func replace<Row: StoredRow>(_ row: Row) throws(StoreError) {
    try insert([row], sql: Row.table.replaceSQL)
  }

  private func insert<Row: StoredRow>(_ rows: [Row], sql: String) throws(StoreError) {
    try access(table: Row.table.name) { database in
      let statement = try database.cachedStatement(sql: sql)
      try ResultWriter.step(rows, through: statement, of: database)
      let isDue = self.state.withLock {
        $0.rowsSinceCheckpoint += rows.count
        return $0.rowsSinceCheckpoint >= ResultWriter.rowsBetweenCheckpoints
      }
      if isDue { try self.commitAndBegin(database) }
    }
  }

  private static func step<Row: StoredRow>(
    _ rows: [Row], through statement: Statement, of database: Database
  ) throws {
    let handle = statement.sqliteStatement
    var binder = StatementBinder(handle)
    defer {
      sqlite3_reset(handle)
      sqlite3_clear_bindings(handle)
    }
    for row in rows {
      binder.restart()
      row.bind(to: &binder)
      guard sqlite3_step(handle) == SQLITE_DONE else {
        throw DatabaseError(
          resultCode: database.lastErrorCode, message: database.lastErrorMessage)
      }
      sqlite3_reset(handle)
    }
  }

  /// Makes what was added so far outlive the process.
  public func checkpoint() throws(StoreError) {
    try access(table: nil) { try self.commitAndBegin($0) }
  }

  private func commitAndBegin(_ database: Database) throws {
    // SQLite may have rolled back by itself after an error.
    if database.isInsideTransaction { try database.execute(sql: "COMMIT") }
    try database.execute(sql: "BEGIN")
    state.withLock {
      $0.rowsSinceCheckpoint = 0
      $0.hasCheckpoint = true
    }
  }

  /// Ends the file: what still runs gets `ending` as its status, and the file its final name.
  /// - Throws: `fileExists` when the name has been taken meanwhile; the results then stay in the
  ///   partial file, complete. After an error of the disk, that error.
  public func finish(_ ending: RunStatus = .complete) throws(StoreError) {
    try access(table: nil) { database in
      for table in ["runs", "studies"] {
        try database.execute(
          sql: "UPDATE \(table) SET status = ? WHERE status = 'running'",
          arguments: [ending.rawValue])
      }
      if database.isInsideTransaction { try database.execute(sql: "COMMIT") }
      // Readers of the final file never meet a journal of ours.
      try database.execute(sql: "PRAGMA journal_mode = DELETE")
    }
    try close()
    do {
      try partial.publish(force: force)
    } catch {
      guard partial.isThere else { throw error }
      state.withLock { $0.keepsPartial = true }
      throw error.adding("the results are complete in \(partial.path): rename it")
    }
  }

  /// Gives up: the partial file is removed, unless an error has told that it is kept: with what was
  /// saved before the disk failed, or with all results because their name was taken.
  public func abandon() {
    try? close()
    if !state.withLock({ $0.keepsPartial }) { partial.remove() }
  }

  private func close() throws(StoreError) {
    let wasClosed = state.withLock { state in
      defer { state.isClosed = true }
      return state.isClosed
    }
    guard !wasClosed else { return }
    do {
      try queue.inDatabase { if $0.isInsideTransaction { try $0.execute(sql: "ROLLBACK") } }
      try queue.close()
    } catch {
      throw .from(error, path: partial.path)
    }
  }

  private func access(
    table: String?, _ body: @Sendable (Database) throws -> Void
  ) throws(StoreError) {
    let (isClosed, failure) = state.withLock { ($0.isClosed, $0.failure) }
    if let failure { throw failure }
    guard !isClosed else {
      throw .init(
        .alreadyClosed, path: path, table: table, found: "the file is finished",
        expected: "no more rows", help: "this is a fault of Headroom")
    }
    do {
      try queue.inDatabase(body)
    } catch {
      throw note(StoreError.from(error, path: partial.path, table: table))
    }
  }

  /// After an error of the disk nothing more is written, and what was saved is kept.
  private func note(_ failure: StoreError) -> StoreError {
    guard failure.exitClass != .internalError else { return failure }
    return state.withLock { state in
      state.keepsPartial = state.hasCheckpoint
      let told =
        state.hasCheckpoint
        ? failure.adding("what was written up to the last checkpoint is kept in \(partial.path)")
        : failure
      state.failure = told
      return told
    }
  }
}
