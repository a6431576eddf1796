/// Reads traces from a directory.
public struct TraceReader: Sendable {
  /// Where relative paths begin; empty: where the program was started.
  public var directory: String

  public init(directory: String) { self.directory = directory }

  func path(_ file: String) -> String {
    file.hasPrefix("/") || directory.isEmpty ? file : "\(directory)/\(file)"
  }

  /// - Throws: `TraceFailure` with up to 20 errors.
  /// - Complexity: linear in the size of the files; memory of the result, and of a line.
  public func read(_ request: TraceRequest) throws(TraceFailure) -> Trace {
    var table = try TraceTable(path: path(request.file), name: request.file)
    let format: TraceFormat
    if let given = request.format { format = given } else { format = try Self.format(of: table) }
    var trace = Trace(
      format: format, files: [try stored(request.file)], services: [], lengthSeconds: 0, rows: 0)
    switch format {
    case .azure2019:
      trace.services = try CountReaders.azure2019(&table)
      try readQuantiles(request, into: &trace)
    case .minutes: trace.services = try CountReaders.minutes(&table)
    case .blocks:
      let read = try CountReaders.blocks(&table, blockSeconds: request.blockSeconds)
      trace.services = read.services
      trace.sums = read.sums
      trace.coldStartColumn = read.coldStartColumn
    case .series:
      let read = try SeriesReader.read(&table, request)
      trace.services = [read.service]
      trace.originShift = read.originShift
      trace.missingIntervals = read.missingIntervals
    case .azure2021: Self.take(try RequestReaders.azure2021(&table), into: &trace)
    case .requests: Self.take(try RequestReaders.requests(&table, request), into: &trace)
    }
    try table.log.throwIfAny()
    trace.rows = table.rows
    guard !trace.services.isEmpty else {
      throw TraceFailure(
        TraceError(
          .empty, file: request.file, line: 1, found: "a header and nothing else",
          expected: "at least one row", help: "fetch the file again"))
    }
    trace.lengthSeconds = Self.length(of: trace)
    return trace
  }

  private static func take(_ read: RequestReaders.Result, into trace: inout Trace) {
    trace.services = read.services
    trace.shiftedRows = read.shiftedRows
    trace.originShift = read.originShift
  }

  private func stored(_ file: String) throws(TraceFailure) -> TraceFile {
    do throws(TraceError) {
      return try TraceFile(path: path(file), name: file)
    } catch {
      throw TraceFailure(error)
    }
  }

  /// What a header looks like.
  static func format(of table: borrowing TraceTable) throws(TraceFailure) -> TraceFormat {
    let header = table.header
    if header.contains("HashFunction"), header.contains("Trigger") { return .azure2019 }
    if header.contains("end_timestamp"), header.contains("func") { return .azure2021 }
    if header.contains("invocations"), header.contains(where: { $0.hasPrefix("block") }) {
      return .blocks
    }
    if header.count > 2, let first = Int(header[1]), first == 0 || first == 1,
      Int(header[2]) == first + 1
    {
      return .minutes
    }
    if header.contains("timestamp"), header.contains("value"), header.count == 2 {
      throw TraceFailure(
        TraceError(
          .unknownFormat, file: table.name, line: 1, found: "columns `timestamp`, `value`",
          expected: "a form that says what a row is",
          help: "`format: series` (on the command line `--format series`) where each value counts "
            + "the invocations of an interval; other measurements are no demand"))
    }
    if header.contains("timestamp") { return .requests }
    let shown = header.prefix(6).map { "`\($0)`" }.joined(separator: ", ")
    throw TraceFailure(
      TraceError(
        .unknownFormat, file: table.name, line: 1, found: "columns \(shown)",
        expected: "the header of a known form",
        help: "name the format, one of "
          + TraceFormat.allCases.map(\.rawValue).joined(separator: ", ")
          + ", and for `requests` its columns"))
  }

  private static func length(of trace: Trace) -> Int {
    trace.services.reduce(0) { length, service in
      switch service.demand {
      case .counts(let counts, let seconds): return max(length, counts.count * seconds)
      case .points(let points):
        let last = points.last.map { $0.nanoseconds / 1_000_000_000 + 1 } ?? 0
        return max(length, Int(last))
      }
    }
  }

  // MARK: Quantiles

  private func readQuantiles(
    _ request: TraceRequest, into trace: inout Trace
  ) throws(TraceFailure) {
    if let file = request.durationsFile {
      let found = try QuantileReader.read(
        path(file), name: file, prefix: "percentile_Average_", scale: 1e-3)
      trace.files.append(try stored(file))
      for index in trace.services.indices {
        trace.services[index].duration = found[trace.services[index].name]
      }
    }
    if let file = request.memoryFile {
      let found = try QuantileReader.read(
        path(file), name: file, prefix: "AverageAllocatedMb_pct", scale: 1)
      trace.files.append(try stored(file))
      for index in trace.services.indices {
        let service = trace.services[index]
        trace.services[index].memoryMiB = found[service.name] ?? found[service.app]
      }
    }
  }
}

/// Reads the quantile files of the Azure 2019 form.
enum QuantileReader {
  /// Quantiles by function, or by application where the file has no functions.
  ///
  /// Columns are named by a percentage: `percentile_Average_25`, `AverageAllocatedMb_pct25`. A
  /// table that begins above 0 % or ends below 100 % goes on flat.
  static func read(
    _ path: String, name: String, prefix: String, scale: Double
  ) throws(TraceFailure) -> [String: TraceQuantiles] {
    var table = try TraceTable(path: path, name: name)
    let key = table.column("HashFunction") ?? table.column("HashApp")
    let columns = table.header.indices.compactMap { index -> (column: Int, percent: Double)? in
      let title = table.header[index]
      guard title.hasPrefix(prefix), let percent = Double(title.dropFirst(prefix.count)) else {
        return nil
      }
      return (index, percent)
    }.sorted { $0.percent < $1.percent }
    guard let key, columns.count >= 2 else {
      throw TraceFailure(
        TraceError(
          .missingColumn, file: name, line: 1, column: "\(prefix)50",
          found: "no quantiles of this name", expected: "columns `\(prefix)0` to `\(prefix)100`",
          help: "this is another kind of file"))
    }
    var found: [String: TraceQuantiles] = [:]
    while try table.advance() {
      let values = columns.compactMap { table.number($0.column, in: 0...1e12) }
      guard values.count == columns.count, let name = table.text(key) else { continue }
      found[name] = quantiles(columns.map { $0.percent / 100 }, values.map { $0 * scale })
    }
    try table.log.throwIfAny()
    return found
  }

  private static func quantiles(_ shares: [Double], _ values: [Double]) -> TraceQuantiles {
    var result = TraceQuantiles(shares: shares, values: values)
    // Published quantiles are rounded, each for itself.
    for index in result.values.indices.dropFirst() {
      result.values[index] = max(result.values[index], result.values[index - 1])
    }
    if let first = shares.first, first > 0 {
      result.shares.insert(0, at: 0)
      result.values.insert(result.values[0], at: 0)
    }
    if let last = shares.last, last < 1 {
      result.shares.append(1)
      result.values.append(result.values[result.values.count - 1])
    }
    return result
  }
}
