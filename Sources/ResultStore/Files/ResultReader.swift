import GRDB
import GRDBSQLite

/// Reads a results file, also an unfinished one whose writer has died. Safe to call from any
/// thread.
public final class ResultReader: Sendable {
  public let path: String
  private let queue: DatabaseQueue

  /// - Throws: `fileMissing`, `notSQLite`, `notResults`, `newerSchema`, `olderSchema`, `damaged`,
  ///   `noPermission`, or `locked` while its writer is at work.
  public init(path: String) throws(StoreError) {
    self.path = path
    queue = try ResultDatabase.open(path)
  }

  /// All runs, by number.
  public func runs() throws(StoreError) -> [RunRow] { try rows(RunRow.self) }

  /// - Throws: `noSuchRun` among others.
  public func run(_ id: Int) throws(StoreError) -> RunRow {
    if let row = try rows(RunRow.self, of: id).first { return row }
    let known = try runs().map { "\($0.id)" }.joined(separator: ", ")
    throw .init(
      .noSuchRun, path: path, table: "runs", found: "no run \(id)",
      expected: known.isEmpty ? "a file with runs" : "one of \(known)",
      help: "list them with: SELECT * FROM v_runs")
  }

  /// Rows of a table in the order of their identity, or in that of writing where they have none.
  /// - Parameter owner: the value of the table's first column: the run, study or scenario that rows
  ///   belong to, or their own number. Nil: all rows.
  public func rows<Row: StoredRow>(
    _ type: Row.Type = Row.self, of owner: Int? = nil
  ) throws(StoreError) -> [Row] {
    var result: [Row] = []
    try forEach(type, of: owner) { result.append($0) }
    return result
  }

  /// Calls `body` with each row in the order of `rows`, holding one at a time.
  public func forEach<Row: StoredRow>(
    _ type: Row.Type, of owner: Int? = nil, _ body: (Row) -> Void
  ) throws(StoreError) {
    let table = Row.table
    do {
      try queue.unsafeRead { database in
        let statement = try database.cachedStatement(sql: table.selectSQL(ofOwner: owner != nil))
        try statement.setArguments(owner.map { [$0] } ?? [])
        try Self.step(statement, of: database, body)
      }
    } catch {
      throw .from(error, path: path, table: table.name)
    }
  }

  private static func step<Row: StoredRow>(
    _ statement: Statement, of database: Database, _ body: (Row) -> Void
  ) throws {
    let handle = statement.sqliteStatement
    var columns = StatementColumns(handle)
    defer { sqlite3_reset(handle) }
    while true {
      switch sqlite3_step(handle) {
      case SQLITE_ROW:
        guard let row = Row.read(from: &columns) else {
          throw DatabaseError(
            resultCode: .SQLITE_CORRUPT, message: "unexpected value in \(columns.misfit ?? "?")")
        }
        body(row)
      case SQLITE_DONE: return
      default:
        throw DatabaseError(
          resultCode: database.lastErrorCode, message: database.lastErrorMessage)
      }
    }
  }

  /// The buckets of a row.
  /// - Throws: `badHistogram`.
  public func histogram(_ row: HistogramRow) throws(StoreError) -> LatencyHistogram {
    if let histogram = LatencyHistogram(encoded: row.data) { return histogram }
    throw .init(
      .badHistogram, path: path, table: "histograms",
      found: "buckets of \(row.measure) that cannot be read",
      expected: "layout 1 of docs/schema.md",
      help: "the file is damaged; run the command again")
  }

  private static func text(_ value: DatabaseValue) -> String? {
    switch value.storage {
    case .null: nil
    case .int64(let number): "\(number)"
    case .double(let number): "\(number)"
    case .string(let text): text
    case .blob(let bytes): "\(bytes.count) bytes"
    }
  }

  /// The columns and rows of a view, or of any other query that only reads, as text; NULL is nil.
  public func table(
    _ query: String
  ) throws(StoreError) -> (columns: [String], rows: [[String?]]) {
    do {
      return try queue.read { database -> (columns: [String], rows: [[String?]]) in
        let statement = try database.makeStatement(sql: query)
        let found = try Row.fetchAll(statement)
        return (statement.columnNames, found.map { $0.databaseValues.map(Self.text) })
      }
    } catch {
      throw .from(error, path: path)
    }
  }
}
