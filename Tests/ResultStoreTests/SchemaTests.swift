import Foundation
import GRDB
import Primitives
import Testing

@testable import ResultStore

/// The project's folder.
private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// Set to write generated files instead of comparing with them.
private let isUpdating = ProcessInfo.processInfo.environment["HEADROOM_UPDATE_GOLDEN"] != nil

private func compare(_ text: String, with file: String) throws {
  let url = root.appending(path: file)
  if isUpdating { try text.write(to: url, atomically: true, encoding: .utf8) }
  let stored = try String(contentsOf: url, encoding: .utf8)
  #expect(stored == text, "\(file) is stale: run this test with HEADROOM_UPDATE_GOLDEN=1")
}

@Suite struct SchemaTests {
  @Test func theDocumentFitsTheSchema() throws {
    try compare(ResultSchema.document(), with: "docs/schema.md")
  }

  /// Files of a version are out in the world: a change of tables or views needs a new version, so
  /// the digest of the statements stands beside the number.
  @Test func theVersionStaysAsItWas() throws {
    try compare(ResultSchema.sql, with: "docs/schema.sql")
    #expect(ResultSchema.version == 10)
    #expect(
      XXH3.hash64(ResultSchema.sql) == 0x739d_c12f_3d39_a147,
      "tables or views have changed: raise ResultSchema.version, and put both figures here")
  }

  @Test func theShellShowsTheComments() throws {
    let database = try migrated()
    let sql = try database.read {
      try String.fetchOne($0, sql: "SELECT sql FROM sqlite_schema WHERE name = 'pools'")
    }
    #expect(sql?.contains("-- takes that found the pool empty") == true)
  }

  @Test func everyTableIsStrictAndEveryReferenceHoldsWater() throws {
    let database = try migrated()
    try database.read { database in
      for table in ResultSchema.tables {
        let strict = try Int.fetchOne(
          database, sql: "SELECT strict FROM pragma_table_list WHERE name = ?",
          arguments: [table.name])
        #expect(strict == 1, "\(table.name)")
        for target in table.columns.compactMap(\.references) {
          #expect(ResultSchema.tables.contains { $0.name == target && $0.identity == .number })
        }
      }
    }
  }

  @Test func namesSayTheirUnits() {
    for table in ResultSchema.tables {
      #expect(Set(table.columns.map(\.name)).count == table.columns.count, "\(table.name)")
      for column in table.columns {
        #expect(!column.about.isEmpty && !column.about.contains("\n"))
        #expect(!column.about.hasSuffix("."), "\(table.name).\(column.name)")
      }
    }
  }

  @Test func everyTableHasAViewOrIsPlainEnough() throws {
    let plain: Set<String> = [
      "scenarios", "trace_files", "regions", "service_minutes", "caches", "measures", "size_pools",
      "loss_stretches",
    ]
    let queries = ResultSchema.views.map(\.query).joined(separator: " ")
    for table in ResultSchema.tables where !plain.contains(table.name) {
      #expect(queries.contains(" \(table.name)"), "\(table.name)")
    }
  }

  @Test func everyViewAnswers() throws {
    let database = try migrated()
    try database.write { database in
      for type in rowTypes { try insert(type, database) }
    }
    try database.read { database in
      for view in ResultSchema.views {
        let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM \(view.name)")
        #expect(count ?? 0 > 0, "\(view.name)")
        _ = try Row.fetchAll(database, sql: "SELECT * FROM \(view.name)")
      }
    }
  }

  @Test func viewsComputeWhatTheySay() throws {
    let folder = try TemporaryFolder()
    let writer = try ResultWriter(path: folder.file("r.sqlite"))
    var run = RunRow(id: 1, study: 1, scenario: 1, seed: "1")
    run.seriesStep = .seconds(10)
    try writer.append(run)
    for (zone, completed, mean) in [("a", 30, Int64(2_000_000)), ("b", 10, 6_000_000)] {
      var row = SeriesRow(
        run: 1, time: .seconds(90_061), zone: zone, class: "online", runtime: "go")
      row.arrivals = 100
      row.completed = completed
      row.latencyMean = .init(mean)
      try writer.append(row)
    }
    // Nothing was answered here, so the zone has no mean.
    var idle = SeriesRow(run: 1, time: .seconds(90_061), zone: "c", class: "online", runtime: "go")
    idle.waiting = 7
    try writer.append(idle)
    for (term, side, count) in [("came", 1, 10), ("completed", -1, 6), ("waiting", -1, 3)] {
      try writer.append(
        ConservationRow(
          run: 1, scope: "all", quantity: "messages", term: term, side: side, count: count))
    }
    try writer.finish()
    let reader = try ResultReader(path: folder.file("r.sqlite"))
    let timeline = try reader.table(
      "SELECT at, arrivals_per_second, completed, waiting, latency_mean_ms FROM v_timeline")
    #expect(timeline.rows == [["25:01:01.000", "20.0", "40", "7", "3.0"]])
    let balance = try reader.table("SELECT came, accounted_for, open FROM v_conservation")
    #expect(balance.rows == [["10", "9", "1"]])
  }

  private func migrated() throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    let database = try DatabaseQueue(configuration: configuration)
    try ResultSchema.migrator.migrate(database)
    return database
  }

  /// A row whose columns of integers are all 1, so that views find their partners; of words, the
  /// third.
  private func insert<Row: StoredRow>(_ type: Row.Type, _ database: Database) throws {
    let row = sample(type, seed: 1)
    let columns = Row.table.columns
    let values = columns.map { column -> (any DatabaseValueConvertible)? in
      if let word = column.allowedValues.dropFirst(2).first { return word }
      switch column.type {
      case .integer: return 1
      case .real: return 1.5
      case .text: return "x"
      case .blob: return Data()
      }
    }
    #expect(row != Row())
    try database.execute(sql: Row.table.insertSQL, arguments: StatementArguments(values))
  }
}
