import GRDB

extension ResultSchema {
  /// Every statement that makes an empty results file, for `headroom schema`.
  public static var sql: String {
    let statements = tables.flatMap(\.createSQL) + views.map(\.createSQL)
    return statements.map { $0 + ";\n" }.joined(separator: "\n")
  }

  /// docs/schema.md.
  /// - Throws: an error of SQLite when a view does not fit the tables.
  public static func document() throws(StoreError) -> String {
    var text = introduction
    text += "\n## Tables\n"
    for table in tables { text += section(of: table) }
    text += "\n## Bytes of a histogram\n\n" + LatencyHistogram.layoutDescription + "\n"
    text += "\nA reader in Python:\n\n```python\n\(pythonReader)\n```\n"
    text += "\n## Views\n\nFor people: readable units and names.\n"
    do {
      let database = try DatabaseQueue()
      try migrator.migrate(database)
      for view in views {
        let columns = try database.read { try $0.columns(in: view.name).map(\.name) }
        text += "\n### \(view.name)\n\n\(sentence(view.about))\n\n"
        text += columns.map { "`\($0)`" }.joined(separator: ", ") + "\n"
      }
    } catch {
      throw .from(error, path: "schema")
    }
    return text
  }

  private static let introduction = """
    # Results files

    What Headroom writes is one SQLite file. This page is generated from the code that makes it.

    `PRAGMA user_version` holds the version of the schema, \(version), and `PRAGMA application_id`
    the number \(applicationID). docs/schema.sql has the statements that make an empty file.

    Columns that end in `_ns` are nanoseconds; `t_ns` is simulated time since the start of the run.
    Tables are strict, and `.schema TABLE` in the SQLite shell shows the same comments as this page.

    A request is completed, refused (turned away by a limit, a full queue or for want of an
    instance) or failed (timed out, or cut off), or it still waits or is in flight: these six terms
    of its balance exclude one another. So `failed / requests` does not hold refusals; an objective
    about both takes two lines. With `for`, counts are those of one interval of the series, pods and
    levels those at its end, of everything in the scope together; an interval without requests has
    no times, which break no limit.

    While a command runs, the file has the name that it will get plus `.partial-` and the number of
    the process. A command that dies leaves that file: it can be opened and holds everything up to
    the last checkpoint, with runs whose status is still `running`.

    """

  private static func section(of table: TableDescription) -> String {
    var text = "\n### \(table.name)\n\n\(sentence(table.about)) "
    switch table.identity {
    case .number: text += "Identified by `\(table.columns[0].name)`."
    case .key(let key):
      text += "Identified by " + key.map { "`\($0)`" }.joined(separator: ", ") + "."
    case .none: text += "Rows lie in the order of writing."
    }
    text += "\n\n| column | type | is |\n|---|---|---|\n"
    for column in table.columns {
      let type = column.type.rawValue.lowercased() + (column.isOptional ? " or null" : "")
      text += "| `\(column.name)` | \(type) | \(meaning(of: column)) |\n"
    }
    return text
  }

  private static func meaning(of column: ColumnDescription) -> String {
    var text = column.about
    if let target = column.references { text += " (number in `\(target)`)" }
    if !column.allowedValues.isEmpty {
      text += ": " + column.allowedValues.map { "`\($0)`" }.joined(separator: ", ")
    }
    return text
  }

  private static func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + "."
  }

  private static let pythonReader = """
    def buckets(data):
        \"""(m, sum, least, greatest, [(from_ns, below_ns, count)]) of a `data` column.\"""
        def number():
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    return value
        def edge(i):
            s = max(0, (i >> m) - 1)
            return (i - (s << m)) << s
        assert data[0] == 1
        m, at, index, found = data[1], 2, 0, []
        total, least, greatest, used = number(), number(), number(), number()
        for _ in range(used):
            index += number()
            found.append((edge(index), edge(index + 1), number()))
        return m, total, least, greatest, found
    """
}
