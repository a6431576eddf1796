public struct ColumnDescription: Sendable, Equatable {
  public var name: String
  public var type: StorageType
  public var isOptional: Bool
  public var allowedValues: [String]
  public var references: String?
  public var about: String
}

/// One table: what it holds, its columns, and what identifies a row.
public struct TableDescription: Sendable {
  public enum Identity: Sendable, Equatable {
    /// The first column is an integer that identifies a row.
    case number
    /// These columns identify a row, and rows lie in their order.
    case key([String])
    /// Rows need no identity; an index leads to those of a run, or of whatever the columns name.
    case none(indexedBy: [String])
  }

  public var name: String
  public var about: String
  public var identity: Identity
  public var columns: [ColumnDescription]
  /// Inserts one row, all columns in order.
  public let insertSQL: String
  /// Inserts one row in the place of the one with the same identity.
  public let replaceSQL: String

  init<Row: StoredRow>(
    _ row: Row.Type, name: String, identity: Identity, about: String
  ) {
    var visitor = DescribingVisitor()
    var blank = Row()
    blank.visitColumns(&visitor)
    self.name = name
    self.about = about
    self.identity = identity
    columns = visitor.columns
    let names = columns.map(\.name).joined(separator: ", ")
    let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
    let target = "INTO \(name) (\(names)) VALUES (\(marks))"
    insertSQL = "INSERT \(target)"
    replaceSQL = "INSERT OR REPLACE \(target)"
  }

  /// Selects all columns in order: all rows, or those whose first column is the parameter.
  func selectSQL(ofOwner hasOwner: Bool) -> String {
    let names = columns.map(\.name)
    let condition = hasOwner ? " WHERE \(names[0]) = ?" : ""
    let order =
      switch identity {
      case .number: names[0]
      case .key(let key): key.joined(separator: ", ")
      case .none: "rowid"
      }
    return "SELECT \(names.joined(separator: ", ")) FROM \(name)\(condition) ORDER BY \(order)"
  }

  /// The statements that create the table and its index. Comments stay in the database, so that
  /// `.schema` explains itself.
  public var createSQL: [String] {
    var lines = columns.map { column in
      (definition: definition(of: column), about: column.about)
    }
    if case .key(let key) = identity {
      lines.append(("PRIMARY KEY (\(key.joined(separator: ", ")))", ""))
    }
    let body = lines.enumerated().map { index, line in
      let comma = index + 1 < lines.count ? "," : ""
      return "  \(line.definition)\(comma)" + (line.about.isEmpty ? "" : "  -- \(line.about)")
    }
    var options = "STRICT"
    if case .key = identity { options += ", WITHOUT ROWID" }
    var result = [
      "CREATE TABLE \(name) (  -- \(about)\n\(body.joined(separator: "\n"))\n) \(options)"
    ]
    if case .none(let index) = identity, !index.isEmpty {
      result.append(
        "CREATE INDEX \(name)_by_\(index.joined(separator: "_")) "
          + "ON \(name) (\(index.joined(separator: ", ")))")
    }
    return result
  }

  private func definition(of column: ColumnDescription) -> String {
    var text = "\(column.name) \(column.type.rawValue)"
    if column == columns.first, identity == .number { text += " PRIMARY KEY" }
    if !column.isOptional { text += " NOT NULL" }
    if !column.allowedValues.isEmpty {
      let words = column.allowedValues.map { "'\($0)'" }.joined(separator: ", ")
      text += " CHECK (\(column.name) IN (\(words)))"
    }
    if let target = column.references { text += " REFERENCES \(target)" }
    return text
  }
}

/// Notes the columns that a row shows.
private struct DescribingVisitor: ColumnVisitor {
  var columns: [ColumnDescription] = []

  mutating func column<Value: ColumnValue>(
    _ name: StaticString, _ value: inout Value, _ about: StaticString,
    references table: StaticString?
  ) {
    columns.append(
      .init(
        name: name.description, type: Value.storageType, isOptional: Value.isOptional,
        allowedValues: Value.allowedValues, references: table?.description,
        about: about.description))
  }
}
