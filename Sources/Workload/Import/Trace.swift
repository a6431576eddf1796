/// A workload that was measured somewhere, as read from its files.
public struct Trace: Sendable {
  public var format: TraceFormat
  public var files: [TraceFile]
  public var services: [TraceService]
  /// From the origin to the end of the last minute, block or request, in seconds, rounded up.
  public var lengthSeconds: Int
  /// Data rows read, the header apart.
  public var rows: Int
  /// Requests that began before the file's own origin.
  public var shiftedRows = 0
  /// What every time was moved by, in nanoseconds.
  public var originShift: Int64 = 0
  /// Sums of numbers that came with the rows and are no demand, by column.
  public var sums: [(column: String, sum: Double)] = []
  /// The column of cold starts that the publishers count or simulate, which services then have.
  public var coldStartColumn: String?
  /// Intervals that a series leaves out, and which count as empty.
  public var missingIntervals = 0

  public var invocations: UInt64 { services.reduce(0) { $0 + $1.demand.invocations } }
}

/// A file as it lay on the disk.
public struct TraceFile: Sendable, Equatable {
  public var name: String
  public var bytes: Int
  /// Of its bytes: XXH3-64 over the XXH3-64 hashes of its blocks of 1 MiB.
  public var hash: UInt64
}

/// One service of a trace.
public struct TraceService: Sendable {
  public var name: String
  /// The application that it belongs to; empty: it is one by itself.
  public var app = ""
  public var trigger = ""
  public var demand: TraceDemand
  /// The publishers' cold starts by block, where the file has them.
  public var coldStarts: [UInt32]?
  /// How long an invocation takes, in seconds.
  public var duration: TraceQuantiles?
  public var memoryMiB: TraceQuantiles?
}

/// When a service was invoked.
public enum TraceDemand: Sendable {
  /// How often in each block of equal length.
  case counts([UInt32], blockSeconds: Int)
  /// At which times, sorted.
  case points([PointSource.Point])

  public var invocations: UInt64 {
    switch self {
    case .counts(let counts, _): counts.reduce(0) { $0 + UInt64($1) }
    case .points(let points): UInt64(points.count)
    }
  }
}

/// Quantiles of a measured quantity: `values[i]` at the share `shares[i]`, which run from 0 to 1.
public struct TraceQuantiles: Sendable, Equatable {
  public var shares: [Double]
  public var values: [Double]

  public init(shares: [Double], values: [Double]) {
    self.shares = shares
    self.values = values
  }

  /// The value below which a share lies, linear between the given ones.
  public func quantile(_ share: Double) -> Double {
    guard let upper = shares.firstIndex(where: { $0 >= share }) else { return values.last ?? 0 }
    guard upper > 0 else { return values[0] }
    let width = shares[upper] - shares[upper - 1]
    let part = width > 0 ? (share - shares[upper - 1]) / width : 1
    return values[upper - 1] + part * (values[upper] - values[upper - 1])
  }
}

/// The forms that traces come in.
public enum TraceFormat: String, Sendable, CaseIterable {
  /// One row a function: owner, app, function, trigger, then a count for each minute of a day.
  case azure2019
  /// One row an invocation: app, function, end and duration in seconds.
  case azure2021
  /// One row a request, with columns by name.
  case requests
  /// One row a service: its name, then a count for each minute.
  case minutes
  /// One row a service and block of time: name, number of the block, count.
  case blocks
  /// One row an interval of one service: its time and its count.
  case series
}

/// What to read, and how.
public struct TraceRequest: Sendable, Hashable {
  /// How the columns of a request list or series are called; empty: there is none.
  public struct Columns: Sendable, Hashable {
    public var time = "timestamp"
    public var service = "service"
    public var duration = "duration"
    /// Of the counts of a series.
    public var value = "value"

    public init() {}
  }

  /// Where time begins.
  public enum Origin: String, Sendable, CaseIterable {
    /// At the file's own zero; dates have none, so at the first of them.
    case zero
    /// At the first request.
    case first
  }

  public var file: String
  /// Nil: found from the header.
  public var format: TraceFormat?
  public var columns = Columns()
  public var origin = Origin.zero
  /// Nanoseconds of a unit of time, and of duration, in a request list.
  public var timeUnit: Int64 = 1_000_000_000
  public var durationUnit: Int64 = 1_000_000_000
  /// Of a block in block totals.
  public var blockSeconds = 504 * 60
  /// Files of the Azure 2019 form with quantiles by function.
  public var durationsFile: String?
  public var memoryFile: String?

  public init(file: String) { self.file = file }
}
