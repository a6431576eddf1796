/// Reads the forms with a row a request.
enum RequestReaders {
  /// A request before it has its place in the order.
  private struct Row {
    var service: Int
    var start: Int64
    var duration: Int64
  }

  struct Result {
    var services: [TraceService]
    var shiftedRows: Int
    var originShift: Int64
  }

  /// Longest time that makes sense: three years.
  private static let mostSeconds = 1e8

  /// The Azure 2021 form: a row tells when an invocation ended and how long it took.
  static func azure2021(_ table: inout TraceTable) throws(TraceFailure) -> Result {
    let help = "this form has a header `app,func,end_timestamp,duration`"
    let app = try table.required("app", help: help)
    let function = try table.required("func", help: help)
    let end = try table.required("end_timestamp", help: help)
    let duration = try table.required("duration", help: help)
    var names = ServiceNumbers()
    var rows: [Row] = []
    while try table.advance() {
      let ended = table.number(end, in: -mostSeconds...mostSeconds)
      let taken = table.number(duration, in: 0...mostSeconds)
      guard let ended, let taken, let name = table.text(function), let appName = table.text(app)
      else { continue }
      rows.append(
        Row(
          service: names.number(name, app: appName), start: nanoseconds(ended - taken, 1e9),
          duration: nanoseconds(taken, 1e9)))
    }
    return result(&rows, names, origin: .zero, isDated: false)
  }

  /// A request list: a column of times, and perhaps of services and durations.
  static func requests(
    _ table: inout TraceTable, _ request: TraceRequest
  ) throws(TraceFailure) -> Result {
    let help = "name the columns of this file under `columns:`"
    let time = try table.required(request.columns.time, help: help)
    let service = try optional(request.columns.service, "service", table, help)
    let duration = try optional(request.columns.duration, "duration", table, help)
    var names = ServiceNumbers()
    var rows: [Row] = []
    var isDated = false
    while try table.advance() {
      guard let start = self.time(&table, time, request, &isDated) else { continue }
      var taken: Int64 = -1
      if let duration {
        let unit = Double(request.durationUnit)
        guard let value = table.number(duration, in: 0...(mostSeconds * 1e9 / unit)) else {
          continue
        }
        taken = nanoseconds(value, unit)
      }
      var name = "requests"
      if let service {
        guard let text = table.text(service) else { continue }
        name = text
      }
      rows.append(Row(service: names.number(name, app: ""), start: start, duration: taken))
    }
    return result(&rows, names, origin: request.origin, isDated: isDated)
  }

  /// A column that may be missing only under its usual name.
  private static func optional(
    _ name: String, _ usual: String, _ table: borrowing TraceTable, _ help: String
  ) throws(TraceFailure) -> Int? {
    if name.isEmpty { return nil }
    if name == usual { return table.column(name) }
    return try table.required(name, help: help)
  }

  /// A time as a number of units or as a date.
  static func time(
    _ table: inout TraceTable, _ column: Int, _ request: TraceRequest, _ isDated: inout Bool
  ) -> Int64? {
    if table.bytes(column).contains(UInt8(ascii: ":")) {
      guard let value = Timestamp.nanoseconds(table.bytes(column)) else {
        table.fail(
          .badTime, column, table.shown(column), "a time like 2023-11-16 18:17:03.9799600",
          "correct the row or leave it out")
        return nil
      }
      isDated = true
      return value
    }
    let unit = Double(request.timeUnit)
    let most = Double(Int64.max / 4) / unit
    return table.number(column, in: -most...most).map { nanoseconds($0, unit) }
  }

  private static func nanoseconds(_ value: Double, _ unit: Double) -> Int64 {
    Int64((value * unit).rounded())
  }

  /// Sorts by time, moves the origin and numbers the points of each service.
  private static func result(
    _ rows: inout [Row], _ names: ServiceNumbers, origin: TraceRequest.Origin, isDated: Bool
  ) -> Result {
    let order = rows.indices.sorted { (rows[$0].start, $0) < (rows[$1].start, $1) }
    let earliest = order.first.map { rows[$0].start } ?? 0
    let isMoved = isDated || origin == .first || earliest < 0
    let shift = isMoved ? -earliest : 0
    var points = [[PointSource.Point]](repeating: [], count: names.names.count)
    var shifted = 0
    for index in order {
      let row = rows[index]
      if !isDated, row.start < 0 { shifted += 1 }
      points[row.service].append(
        PointSource.Point(
          nanoseconds: row.start + shift, serviceNanoseconds: row.duration,
          ordinal: points[row.service].count))
    }
    let services = names.names.indices.map { index in
      TraceService(
        name: names.names[index], app: names.apps[index], demand: .points(points[index]))
    }
    return Result(services: services, shiftedRows: shifted, originShift: shift)
  }
}

/// Services by name, numbered in order of appearance.
private struct ServiceNumbers {
  private(set) var names: [String] = []
  private(set) var apps: [String] = []
  private var places: [String: Int] = [:]

  mutating func number(_ name: String, app: String) -> Int {
    let key = "\(app)/\(name)"
    if let place = places[key] { return place }
    places[key] = names.count
    names.append(name)
    apps.append(app)
    return names.count - 1
  }
}
