import Foundation
import GRDB
import Testing

@testable import ResultStore

@Suite struct BadFileTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("results.sqlite")
  }

  private func failure() -> StoreError? {
    #expect(throws: StoreError.self) { try ResultReader(path: path) }
  }

  private func finished(rows: Int = 2000) throws {
    let writer = try ResultWriter(path: path)
    try writer.append((0..<rows).map { MeasureRow(run: 1, name: "m\($0)", scope: "", value: 1) })
    try writer.finish()
  }

  private func execute(_ sql: String) throws {
    let database = try DatabaseQueue(path: path)
    try database.writeWithoutTransaction { try $0.execute(sql: sql) }
    try database.close()
  }

  @Test func missing() {
    let error = failure()
    #expect(error?.kind == .fileMissing && error?.exitClass == .missing)
    #expect(folder.names.isEmpty)
  }

  @Test func directory() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let error = failure()
    #expect(error?.found == "a directory" && error?.exitClass == .badInput)
  }

  @Test(arguments: ["", "x", "name: first-day\n", String(repeating: "\u{0}", count: 8192)])
  func notSQLite(_ content: String) throws {
    try Data(content.utf8).write(to: URL(filePath: path))
    let error = failure()
    #expect(error?.kind == .notSQLite && error?.exitClass == .badInput)
    #expect(error?.found == (content.isEmpty ? "an empty file" : "not a SQLite file"))
  }

  @Test func anotherProgramsDatabase() throws {
    try execute("CREATE TABLE studies (id INTEGER)")
    #expect(failure()?.kind == .notResults)
  }

  @Test func newerAndOlderSchemas() throws {
    try finished()
    try execute("PRAGMA user_version = \(ResultSchema.version + 1)")
    let newer = failure()
    #expect(newer?.kind == .newerSchema && newer?.exitClass == .badInput)
    #expect(newer?.found == "schema \(ResultSchema.version + 1), of a newer headroom")
    #expect(newer?.help == "read it with the version that wrote it, or a later one")
    for version in 0..<ResultSchema.version {
      try execute("PRAGMA user_version = \(version)")
      let older = failure()
      #expect(older?.kind == .olderSchema && older?.exitClass == .badInput)
      #expect(older?.found == "schema \(version), of an older headroom")
      #expect(older?.expected == "results of headroom, schema \(ResultSchema.version)")
      #expect(older?.help == "run the command again with this version")
    }
    // The version that a writer stores is the one that a reader asks for.
    try execute("PRAGMA user_version = \(ResultSchema.version)")
    _ = try ResultReader(path: path).runs()
  }

  @Test(arguments: [1, 3, 10])
  func cutShort(_ pages: Int) throws {
    try finished()
    let bytes = try Data(contentsOf: URL(filePath: path))
    try bytes.prefix(4096 * pages).write(to: URL(filePath: path))
    let error = #expect(throws: StoreError.self) {
      let reader = try ResultReader(path: path)
      for table in ["measures", "runs"] { _ = try reader.table("SELECT * FROM \(table)") }
      _ = try reader.rows(MeasureRow.self)
    }
    #expect(error?.kind == .damaged && error?.exitClass == .badInput)
  }

  @Test func everyByteMayBeWrong() throws {
    try finished(rows: 50)
    let bytes = try Data(contentsOf: URL(filePath: path))
    for position in stride(from: 0, to: min(bytes.count, 40_000), by: 397) {
      var changed = bytes
      changed[position] ^= 0xFF
      try changed.write(to: URL(filePath: path))
      // An error or rows, never a crash.
      _ = try? ResultReader(path: path).rows(MeasureRow.self)
    }
  }

  @Test func readingChangesNothing() throws {
    try finished()
    let before = try Data(contentsOf: URL(filePath: path))
    let reader = try ResultReader(path: path)
    _ = try reader.rows(MeasureRow.self)
    #expect(throws: StoreError.self) { try reader.table("DELETE FROM measures") }
    #expect(try Data(contentsOf: URL(filePath: path)) == before)
    #expect(folder.names == ["results.sqlite"])
  }
}
