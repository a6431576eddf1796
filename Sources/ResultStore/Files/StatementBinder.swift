import GRDBSQLite

/// Binds the values of a row to a prepared statement, one after another.
public struct StatementBinder: ColumnVisitor {
  private let statement: OpaquePointer
  private var next: Int32 = 1

  init(_ statement: OpaquePointer) { self.statement = statement }

  mutating func restart() { next = 1 }

  @inline(__always)
  public mutating func column<Value: ColumnValue>(
    _ name: StaticString, _ value: inout Value, _ about: StaticString,
    references table: StaticString?
  ) {
    value.bind(to: &self)
  }

  // Binding cannot fail on a statement of our own with as many parameters as columns: the codes are
  // not looked at, and the step that follows reports what matters.

  mutating func bind(_ value: Int64) {
    sqlite3_bind_int64(statement, next, value)
    next += 1
  }

  /// SQLite has no NaN: it becomes NULL, which a column that must hold a number refuses.
  mutating func bind(_ value: Double) {
    sqlite3_bind_double(statement, next, value)
    next += 1
  }

  mutating func bind(_ value: String) {
    var text = value
    text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        // A nil address would bind NULL in place of an empty text.
        let start = $0.baseAddress ?? StatementBinder.empty
        sqlite3_bind_text(statement, next, start, Int32(bytes.count), StatementBinder.copied)
      }
    }
    next += 1
  }

  mutating func bind(_ value: [UInt8]) {
    value.withUnsafeBytes { bytes -> Void in
      if let start = bytes.baseAddress, !bytes.isEmpty {
        sqlite3_bind_blob(statement, next, start, Int32(bytes.count), StatementBinder.copied)
      } else {
        sqlite3_bind_zeroblob(statement, next, 0)
      }
    }
    next += 1
  }

  mutating func bindNull() {
    sqlite3_bind_null(statement, next)
    next += 1
  }

  /// Tells SQLite to keep a copy of the bytes (its constant SQLITE_TRANSIENT, a macro in C).
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
  nonisolated(unsafe) private static let empty: UnsafePointer<CChar> = {
    let place = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    place.pointee = 0
    return UnsafePointer(place)
  }()
}

/// The columns of a statement's present row, read one after another.
public struct StatementColumns: ColumnVisitor {
  private let statement: OpaquePointer
  private var next: Int32 = 0
  /// The first column whose value does not fit its field.
  var misfit: String?

  init(_ statement: OpaquePointer) { self.statement = statement }

  mutating func restart() { next = 0 }

  public mutating func column<Value: ColumnValue>(
    _ name: StaticString, _ value: inout Value, _ about: StaticString,
    references table: StaticString?
  ) {
    let position = next
    if let found = Value.read(from: &self) {
      value = found
    } else if misfit == nil {
      misfit = name.description
    }
    next = position + 1
  }

  mutating func skipNull() -> Bool { sqlite3_column_type(statement, next) == SQLITE_NULL }

  mutating func integer() -> Int64? {
    guard sqlite3_column_type(statement, next) == SQLITE_INTEGER else { return nil }
    return sqlite3_column_int64(statement, next)
  }

  mutating func real() -> Double? {
    let type = sqlite3_column_type(statement, next)
    guard type == SQLITE_FLOAT || type == SQLITE_INTEGER else { return nil }
    return sqlite3_column_double(statement, next)
  }

  mutating func text() -> String? {
    guard sqlite3_column_type(statement, next) == SQLITE_TEXT,
      let start = sqlite3_column_text(statement, next)
    else { return nil }
    let count = Int(sqlite3_column_bytes(statement, next))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  mutating func blob() -> [UInt8]? {
    guard sqlite3_column_type(statement, next) == SQLITE_BLOB else { return nil }
    let count = Int(sqlite3_column_bytes(statement, next))
    guard let start = sqlite3_column_blob(statement, next) else { return [] }
    return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }
}
