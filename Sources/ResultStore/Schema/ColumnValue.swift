import Primitives

/// What a column holds, as SQLite's strict tables know it.
public enum StorageType: String, Sendable {
  case integer = "INTEGER"
  case real = "REAL"
  case text = "TEXT"
  case blob = "BLOB"
}

/// A value that fits one column.
public protocol ColumnValue: Sendable {
  static var storageType: StorageType { get }
  static var isOptional: Bool { get }
  /// The only values that the column takes; empty where any value of the type will do.
  static var allowedValues: [String] { get }

  func bind(to binder: inout StatementBinder)
  /// Nil when the column holds something else.
  static func read(from columns: inout StatementColumns) -> Self?
}

extension ColumnValue {
  public static var isOptional: Bool { false }
  public static var allowedValues: [String] { [] }
}

extension Int: ColumnValue {
  public static var storageType: StorageType { .integer }
  public func bind(to binder: inout StatementBinder) { binder.bind(Int64(self)) }
  public static func read(from columns: inout StatementColumns) -> Int? {
    columns.integer().map(Int.init)
  }
}

extension Bool: ColumnValue {
  public static var storageType: StorageType { .integer }
  public func bind(to binder: inout StatementBinder) { binder.bind(Int64(self ? 1 : 0)) }
  public static func read(from columns: inout StatementColumns) -> Bool? {
    columns.integer().map { $0 != 0 }
  }
}

extension Double: ColumnValue {
  public static var storageType: StorageType { .real }
  public func bind(to binder: inout StatementBinder) { binder.bind(self) }
  public static func read(from columns: inout StatementColumns) -> Double? { columns.real() }
}

extension String: ColumnValue {
  public static var storageType: StorageType { .text }
  public func bind(to binder: inout StatementBinder) { binder.bind(self) }
  public static func read(from columns: inout StatementColumns) -> String? { columns.text() }
}

extension [UInt8]: ColumnValue {
  public static var storageType: StorageType { .blob }
  public func bind(to binder: inout StatementBinder) { binder.bind(self) }
  public static func read(from columns: inout StatementColumns) -> [UInt8]? { columns.blob() }
}

/// Nanoseconds since the start of the simulated world.
extension Instant: ColumnValue {
  public static var storageType: StorageType { .integer }
  public func bind(to binder: inout StatementBinder) { binder.bind(nanoseconds) }
  public static func read(from columns: inout StatementColumns) -> Instant? {
    columns.integer().map(Instant.init(nanoseconds:))
  }
}

extension Nanoseconds: ColumnValue {
  public static var storageType: StorageType { .integer }
  public func bind(to binder: inout StatementBinder) { binder.bind(count) }
  public static func read(from columns: inout StatementColumns) -> Nanoseconds? {
    columns.integer().map(Nanoseconds.init)
  }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
  public static var storageType: StorageType { Wrapped.storageType }
  public static var isOptional: Bool { true }
  public static var allowedValues: [String] { Wrapped.allowedValues }

  public func bind(to binder: inout StatementBinder) {
    if let self { self.bind(to: &binder) } else { binder.bindNull() }
  }

  public static func read(from columns: inout StatementColumns) -> Wrapped?? {
    columns.skipNull() ? .some(nil) : Wrapped.read(from: &columns).map { .some($0) }
  }
}

/// A word out of a short list, stored as text and checked by the table.
public protocol ColumnWord: ColumnValue, RawRepresentable<String>, CaseIterable {}

extension ColumnWord {
  public static var storageType: StorageType { .text }
  public static var allowedValues: [String] { allCases.map(\.rawValue) }
  public func bind(to binder: inout StatementBinder) { binder.bind(rawValue) }
  public static func read(from columns: inout StatementColumns) -> Self? {
    columns.text().flatMap(Self.init(rawValue:))
  }
}
