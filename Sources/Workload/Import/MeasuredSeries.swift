/// A quantity that was measured second by second: rows of a time in whole seconds and a number.
///
/// Unlike a series of counts it is no demand: it may have fractions, and seconds without a value.
public struct MeasuredSeries: Sendable {
  /// Time of the first row, seconds of its own clock.
  public var firstSecond: Int64
  /// By second from the first row on; nil where nothing was measured.
  public var values: [Double?]

  /// At most so many seconds: a month.
  static let mostSeconds: Int64 = 31 * 86_400

  /// Reads `timestamp|value`, or any other separator, plain or packed by gzip. A value that is
  /// empty or `null` is none.
  ///
  /// - Throws: `TraceFailure` with every row that is wrong.
  public static func read(_ path: String) throws(TraceFailure) -> MeasuredSeries {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    var table = try TraceTable(path: path, name: name)
    let help = "a measured series has the columns `timestamp` and `value`"
    let (time, value) = (
      try table.required("timestamp", help: help), try table.required("value", help: help)
    )
    var series = MeasuredSeries(firstSecond: 0, values: [])
    while try table.advance() {
      guard let at = table.count(time) else { continue }
      if series.values.isEmpty { series.firstSecond = Int64(at) }
      let offset = Int64(at) - series.firstSecond
      guard offset >= Int64(series.values.count), offset < mostSeconds else {
        table.fail(
          .badTime, time, table.shown(time),
          "a second after the row before, within a month of the first",
          "sort the rows by time and leave out those that come twice")
        continue
      }
      let gap = offset - Int64(series.values.count)
      series.values += Array(repeating: nil, count: Int(gap))
      series.values.append(table.isAbsent(value) ? nil : table.number(value, in: 0...1e15))
    }
    try table.log.throwIfAny()
    return series
  }
}

extension TraceTable {
  /// Whether a field holds no value.
  func isAbsent(_ column: Int) -> Bool {
    let text = bytes(column)
    return text.isEmpty || text.elementsEqual("null".utf8)
  }
}
