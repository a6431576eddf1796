/// What a trace looks like, in the figures by which published workloads are compared.
public struct TraceDescription: Sendable {
  /// Quantiles over services.
  public struct Spread: Sendable {
    public var count: Int
    public var p25: Double
    public var p50: Double
    public var p75: Double
    public var p90: Double
  }

  public struct Busiest: Sendable {
    public var name: String
    public var invocations: UInt64
    public var series: [Double]
  }

  public var services: Int
  public var invocations: UInt64
  public var lengthSeconds: Int
  /// Width of the bins of everything that follows: a minute, or the file's blocks.
  public var binSeconds: Int
  public var topService: Double
  /// Shares of the invocations of the busiest 0.1, 1 and 10 % of the services, upwards to whole
  /// services.
  public var topShares: [(percent: Double, services: Int, share: Double)]
  /// Invocations by bin, all services together.
  public var series: [Double]
  public var peakToMean: Double
  /// Variance over mean of the bins of the aggregate; 1 for Poisson.
  public var dispersion: Double
  public var serviceDispersion: Spread?
  public var servicePeakToMean: Spread?
  /// Bins without an invocation: of the aggregate, and of all services' bins together.
  public var aggregateZeroShare: Double
  public var zeroShare: Double
  /// Coefficient of variation of inter-arrival times; nil where the trace only counts.
  public var interArrivalVariation: Double?
  public var serviceInterArrivalVariation: Spread?
  /// Seconds; nil where the trace has none.
  public var durations: Spread?
  public var memoryMiB: Spread?
  public var busiest: [Busiest]

  /// - Complexity: linear in the counts or points, times the logarithm of the services.
  public init(_ trace: Trace) {
    let bins = TraceBins(trace)
    services = trace.services.count
    invocations = trace.invocations
    lengthSeconds = trace.lengthSeconds
    binSeconds = bins.seconds
    let order = trace.services.indices.sorted {
      let (a, b) = (trace.services[$0].demand.invocations, trace.services[$1].demand.invocations)
      return a == b ? $0 < $1 : a > b
    }
    let sorted = order.map { Double(trace.services[$0].demand.invocations) }
    let total = max(1, sorted.reduce(0, +))
    topService = (sorted.first ?? 0) / total
    topShares = [0.1, 1, 10].map { percent in
      let count = max(1, Int((Double(sorted.count) * percent / 100).rounded(.up)))
      return (percent, count, sorted.prefix(count).reduce(0, +) / total)
    }
    series = bins.total
    peakToMean = Self.peakToMean(series)
    dispersion = Self.dispersion(series)
    serviceDispersion = Self.spread(bins.rows.map(Self.dispersion))
    servicePeakToMean = Self.spread(bins.rows.map(Self.peakToMean))
    aggregateZeroShare = Self.zeroShare([series])
    zeroShare = Self.zeroShare(bins.rows)
    let gaps = InterArrivals(trace)
    interArrivalVariation = gaps.aggregate
    serviceInterArrivalVariation = Self.spread(gaps.services)
    durations = Self.durations(trace)
    memoryMiB = Self.spread(trace.services.compactMap { $0.memoryMiB?.quantile(0.5) })
    busiest = order.prefix(5).map {
      Busiest(
        name: trace.services[$0].name, invocations: trace.services[$0].demand.invocations,
        series: bins.rows[$0])
    }
  }

  // MARK: Figures of a series

  static func peakToMean(_ series: [Double]) -> Double {
    let mean = series.reduce(0, +) / Double(max(1, series.count))
    return mean > 0 ? (series.max() ?? 0) / mean : .nan
  }

  /// With the variance of the bins as they are, not as a sample.
  static func dispersion(_ series: [Double]) -> Double {
    let mean = series.reduce(0, +) / Double(max(1, series.count))
    guard mean > 0 else { return .nan }
    let squares = series.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return squares / Double(series.count) / mean
  }

  private static func zeroShare(_ rows: [[Double]]) -> Double {
    let bins = rows.reduce(0) { $0 + $1.count }
    let zeros = rows.reduce(0) { sum, row in sum + row.count { $0 == 0 } }
    return bins > 0 ? Double(zeros) / Double(bins) : 0
  }

  /// Nil without a number.
  static func spread(_ values: [Double]) -> Spread? {
    let sorted = values.filter(\.isFinite).sorted()
    guard !sorted.isEmpty else { return nil }
    func at(_ share: Double) -> Double {
      let place = share * Double(sorted.count - 1)
      let low = Int(place)
      let high = min(low + 1, sorted.count - 1)
      return sorted[low] + (sorted[high] - sorted[low]) * (place - Double(low))
    }
    return Spread(
      count: sorted.count, p25: at(0.25), p50: at(0.5), p75: at(0.75), p90: at(0.9))
  }

  /// Of invocations where each has one, else the medians of services.
  private static func durations(_ trace: Trace) -> Spread? {
    var values: [Double] = []
    for service in trace.services {
      if case .points(let points) = service.demand {
        for point in points where point.serviceNanoseconds >= 0 {
          values.append(Double(point.serviceNanoseconds) * 1e-9)
        }
      } else if let duration = service.duration {
        values.append(duration.quantile(0.5))
      }
    }
    return spread(values)
  }
}

/// Invocations by bin, of each service and in total.
struct TraceBins {
  var seconds: Int
  var rows: [[Double]]
  var total: [Double]

  init(_ trace: Trace) {
    var seconds = 60
    for case .counts(_, let block) in trace.services.map(\.demand) { seconds = block }
    let count = max(1, (trace.lengthSeconds + seconds - 1) / seconds)
    var total = [Double](repeating: 0, count: count)
    rows = trace.services.map { service in
      var row = [Double](repeating: 0, count: count)
      switch service.demand {
      case .counts(let counts, _):
        for (index, value) in counts.enumerated() { row[index] = Double(value) }
      case .points(let points):
        for point in points {
          row[min(Int(point.nanoseconds / (Int64(seconds) * 1_000_000_000)), count - 1)] += 1
        }
      }
      for index in row.indices { total[index] += row[index] }
      return row
    }
    self.seconds = seconds
    self.total = total
  }
}

/// Coefficients of variation of the times between requests.
private struct InterArrivals {
  var aggregate: Double?
  var services: [Double] = []

  init(_ trace: Trace) {
    var all: [Int64] = []
    for case .points(let points) in trace.services.map(\.demand) {
      let times = points.map(\.nanoseconds)
      all += times
      if let variation = Self.variation(times) { services.append(variation) }
    }
    all.sort()
    aggregate = Self.variation(all)
  }

  /// Of the gaps between sorted times; nil for fewer than two gaps.
  private static func variation(_ times: [Int64]) -> Double? {
    guard times.count >= 3 else { return nil }
    let gaps = zip(times.dropFirst(), times).map { Double($0 - $1) }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    guard mean > 0 else { return nil }
    let squares = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(gaps.count)).squareRoot() / mean
  }
}
