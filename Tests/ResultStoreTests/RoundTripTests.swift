import Foundation
import GRDB
import Primitives
import Testing

@testable import ResultStore

@Suite struct RoundTripTests {
  @Test func everyTableHasARowType() {
    #expect(rowTypes.map { $0.table.name } == ResultSchema.tables.map(\.name))
  }

  @Test(arguments: rowTypes.indices)
  func everyColumnComesBack(_ index: Int) throws {
    try roundTrip(rowTypes[index])
  }

  private func roundTrip<Row: StoredRow>(_ type: Row.Type) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("r.sqlite")
    let rows = [sample(type, seed: 1), sample(type, seed: 2, leavesGaps: true)]
    // A row that fills nothing would prove nothing.
    #expect(rows[0] != Row() && rows[0] != rows[1])
    let writer = try ResultWriter(path: path)
    try writer.append(rows)
    try writer.finish()
    let reader = try ResultReader(path: path)
    #expect(try reader.rows(type) == rows)
    #expect(try reader.rows(type, of: 987_654_321).isEmpty)
  }

  /// A list of columns that swaps two fields would still round trip.
  @Test(arguments: rowTypes.indices)
  func everyColumnShowsTheFieldOfItsName(_ index: Int) {
    compareNames(rowTypes[index])
  }

  private func compareNames<Row: StoredRow>(_ type: Row.Type) {
    var row = sample(type, seed: 1)
    let fields = Mirror(reflecting: row).children.map { "\($0.label ?? "") = \($0.value)" }
    var visitor = NotingVisitor()
    row.visitColumns(&visitor)
    #expect(fields == visitor.fields)
  }

  @Test func rowsOfARunAreThoseOfItsNumber() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("r.sqlite")
    let writer = try ResultWriter(path: path)
    for run in 1...3 {
      try writer.append(RunRow(id: run, study: 1, scenario: 1, seed: "\(UInt64.max)"))
      for second in (0..<5).reversed() {
        try writer.append(
          SeriesRow(
            run: run, time: .seconds(Int64(second)), zone: "a", class: "online", runtime: "go"))
      }
    }
    try writer.finish()
    let reader = try ResultReader(path: path)
    #expect(try reader.runs().map(\.id) == [1, 2, 3])
    #expect(try reader.run(2).seed == "18446744073709551615")
    let series = try reader.rows(SeriesRow.self, of: 2)
    #expect(series.map(\.time) == (0..<5).map { .seconds($0) })
    let error = #expect(throws: StoreError.self) { try reader.run(9) }
    #expect(error?.kind == .noSuchRun && error?.expected == "one of 1, 2, 3")
  }

  @Test func histogramsComeBackFromTheirRow() throws {
    let folder = try TemporaryFolder()
    var histogram = LatencyHistogram()
    for value in 1...1000 { histogram.record(Int64(value) * 1_000_003) }
    var row = HistogramRow(run: 1, scope: "all", measure: "latency")
    row.data = histogram.encoded()
    let writer = try ResultWriter(path: folder.file("r.sqlite"))
    try writer.append(row)
    row.data = [9]
    try writer.append(row)
    try writer.finish()
    let reader = try ResultReader(path: folder.file("r.sqlite"))
    let rows = try reader.rows(HistogramRow.self)
    #expect(try reader.histogram(rows[0]) == histogram)
    let error = #expect(throws: StoreError.self) { try reader.histogram(rows[1]) }
    #expect(error?.kind == .badHistogram && error?.exitClass == .badInput)
  }

  @Test func emptyTextsAndBytesAreNotNull() throws {
    let folder = try TemporaryFolder()
    let writer = try ResultWriter(path: folder.file("r.sqlite"))
    try writer.append(HistogramRow())
    try writer.finish()
    #expect(try ResultReader(path: folder.file("r.sqlite")).rows(HistogramRow.self) == [.init()])
  }

  @Test func rowsThatContradictTheSchemaAreRefused() throws {
    let folder = try TemporaryFolder()
    let writer = try ResultWriter(path: folder.file("r.sqlite"))
    defer { writer.abandon() }
    try writer.append(MeasureRow(run: 1, name: "arrivals", scope: "", value: 1))
    // The same key again, and a number that is none.
    for row in [
      MeasureRow(run: 1, name: "arrivals", scope: "", value: 2),
      MeasureRow(run: 1, name: "other", scope: "", value: .nan),
    ] {
      let error = #expect(throws: StoreError.self) { try writer.append(row) }
      #expect(error?.kind == .badRow && error?.table == "measures")
      #expect(error?.exitClass == .internalError)
    }
    try writer.append(MeasureRow(run: 1, name: "completed", scope: "", value: 3))
  }

  @Test func replacingStatesARunAgain() throws {
    let folder = try TemporaryFolder()
    let writer = try ResultWriter(path: folder.file("r.sqlite"))
    var run = RunRow(id: 1, study: 1, scenario: 1, seed: "42")
    try writer.append(run)
    run.digest = "00ff"
    run.status = .complete
    try writer.replace(run)
    try writer.finish()
    #expect(try ResultReader(path: folder.file("r.sqlite")).runs() == [run])
  }

  @Test func manyThreadsMayWriteAtOnce() async throws {
    let folder = try TemporaryFolder()
    let writer = try ResultWriter(path: folder.file("r.sqlite"))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for run in 1...8 {
        group.addTask {
          for index in 0..<200 {
            try writer.append(MeasureRow(run: run, name: "m\(index)", scope: "", value: 1))
          }
        }
      }
      try await group.waitForAll()
    }
    try writer.finish()
    #expect(try ResultReader(path: folder.file("r.sqlite")).rows(MeasureRow.self).count == 1600)
  }
}

/// Notes each column under the name that its field should have, with its value.
private struct NotingVisitor: ColumnVisitor {
  var fields: [String] = []

  mutating func column<Value: ColumnValue>(
    _ name: StaticString, _ value: inout Value, _ about: StaticString,
    references table: StaticString?
  ) {
    fields.append("\(field(of: name.description, Value.self)) = \(value)")
  }

  private func field(of column: String, _ type: Any.Type) -> String {
    let exceptions = [
      "t_ns": "time", "class": "serviceClass", "cpu_cores": "cpuCores",
      "memory_mib": "memoryMiB", "memory_allocated_mib": "memoryAllocatedMiB",
    ]
    if let name = exceptions[column] { return name }
    // A field of a type that knows its unit does not repeat it.
    let hasUnit = !(type is Double.Type || type is Double?.Type)
    let words = column.split(separator: "_").filter { !(hasUnit && $0 == "ns") }
    return words[0] + words.dropFirst().map(\.capitalized).joined()
  }
}
