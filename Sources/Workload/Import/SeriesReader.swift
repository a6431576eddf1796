/// Reads a series of one service: rows of a time and the count of the interval that begins there.
enum SeriesReader {
  struct Result {
    var service: TraceService
    /// Of the first row, moved to 0.
    var originShift: Int64
    var missingIntervals: Int
  }

  private static let second: Int64 = 1_000_000_000

  /// The width of an interval is the least gap between two rows, a whole number of seconds of which
  /// every gap is a multiple; intervals that are left out count as empty.
  static func read(
    _ table: inout TraceTable, _ request: TraceRequest
  ) throws(TraceFailure) -> Result {
    let help = "name the columns of this file under `columns:`"
    let time = try table.required(request.columns.time, help: help)
    let value = try table.required(request.columns.value, help: help)
    var rows: [(time: Int64, count: UInt32)] = []
    var isDated = false
    while try table.advance() {
      let at = RequestReaders.time(&table, time, request, &isDated)
      guard let count = table.count(value), let at else { continue }
      if let last = rows.last?.time, at <= last || (at - last) % second != 0 {
        table.fail(
          .badTime, time, table.shown(time), "whole seconds after the row before",
          "sort the rows by time and leave out those that come twice")
        continue
      }
      rows.append((at, count))
    }
    try table.log.throwIfAny()
    guard let first = rows.first, let last = rows.last, rows.count > 1 else {
      throw TraceFailure(
        TraceError(
          .empty, file: table.name, line: 1, found: "\(rows.count) rows",
          expected: "at least two, whose distance is the interval",
          help: "this form has a header `timestamp,value` and a row an interval"))
    }
    let width = zip(rows.dropFirst(), rows).map { $0.time - $1.time }.min() ?? second
    let blocks = (last.time - first.time) / width + 1
    guard blocks <= CountReaders.mostBlocks else {
      throw TraceFailure(
        TraceError(
          .outOfRange, file: table.name, column: table.header[time], found: "\(blocks) intervals",
          expected: "at most \(CountReaders.mostBlocks)", help: "cut the file, or add intervals up")
      )
    }
    var counts = [UInt32](repeating: 0, count: Int(blocks))
    for row in rows {
      guard (row.time - first.time) % width == 0 else {
        throw TraceFailure(
          TraceError(
            .badTime, file: table.name, column: table.header[time],
            found: "rows \(width / second) s apart and others that are no multiple of it",
            expected: "intervals of one width", help: "bring the rows to one grid"))
      }
      counts[Int((row.time - first.time) / width)] = row.count
    }
    return Result(
      service: TraceService(
        name: table.header[value], demand: .counts(counts, blockSeconds: Int(width / second))),
      originShift: -first.time, missingIntervals: counts.count - rows.count)
  }
}
