/// A row of one table. The list of columns is written once, in `visitColumns`: the table's
/// definition, its documentation, the binding of a row to a statement and the reading of one all
/// come from it.
public protocol StoredRow: Sendable, Equatable {
  static var table: TableDescription { get }

  /// A row whose values mean nothing yet.
  init()

  /// Shows each column to the visitor, in the table's order.
  mutating func visitColumns(_ columns: inout some ColumnVisitor)

  /// Binds all columns; the default does it through `visitColumns`, specialised for the type.
  func bind(to binder: inout StatementBinder)
}

public protocol ColumnVisitor {
  /// - Parameters:
  ///   - name: the column's name, its unit at the end.
  ///   - about: one sentence for people.
  ///   - table: the table whose first column this one names, if it does.
  mutating func column<Value: ColumnValue>(
    _ name: StaticString, _ value: inout Value, _ about: StaticString,
    references table: StaticString?)
}

extension ColumnVisitor {
  @inline(__always)
  mutating func column<Value: ColumnValue>(
    _ name: StaticString, _ value: inout Value, _ about: StaticString
  ) {
    column(name, &value, about, references: nil)
  }
}

extension StoredRow {
  public func bind(to binder: inout StatementBinder) {
    var row = self
    row.visitColumns(&binder)
  }

  /// Reads the columns of a statement's present row; nil when one of them does not fit.
  static func read(from columns: inout StatementColumns) -> Self? {
    var row = Self()
    columns.misfit = nil
    columns.restart()
    row.visitColumns(&columns)
    return columns.misfit == nil ? row : nil
  }
}
