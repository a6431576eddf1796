import Foundation
import Statistics

/// The published document of errors, from rows of any cells.
public struct FidelityDocument {
  private let rows: [FidelityRow]
  private let seeds: Int
  private let command: String

  /// - Parameter command: that writes it.
  public init(
    rows: [FidelityRow], seeds: Int,
    command: String = "headroom fidelity --out docs/fidelity.md --force"
  ) {
    self.rows = rows
    self.seeds = seeds
    self.command = command
  }

  /// Markdown, with a section for each kind of cell that there is.
  /// - Throws: `StatisticsError` with fewer than two seeds.
  public func text() throws -> String {
    var text = """
      # Errors of the fidelities

      Written by `\(command)`. Each cell is simulated in \
      every way with \(seeds) seeds, \(seeds * FidelityElastic.seedFactor) where instances come \
      and go; all ways of a seed meet the same number of arrivals in every second, and draw the \
      rest for themselves. ± is the half width of a 95 % interval over seeds \
      (Student's t). Errors are paired by seed and in percent of what request fidelity gives.

      """
    text += try stations() + elastic() + contention() + crossings()
    return text
  }

  func rows<Cell: FidelityCell>(_ kind: Cell.Type) -> [(cell: Cell, row: FidelityRow)] {
    rows.compactMap { row in (row.cell as? Cell).map { ($0, row) } }
  }

  // MARK: Bounds

  /// What a measure is called, the bound on its error in percent, and where it is.
  private typealias Bounded = (String, Double, (FidelityMeasures) -> Double)

  private var latency: Bounded { ("Mean latency", 1, \.meanLatency) }
  private var p50: Bounded { ("p50", 1, \.p50Latency) }
  private var p99: Bounded { ("p99", 5, \.p99Latency) }
  private var meanInstances: Bounded { ("Mean instances", 1, \.meanInstances) }
  private var peakInstances: Bounded { ("Peak instances", 3, \.peakInstances) }
  private var coldStarts: Bounded { ("Cold starts", 10, \.coldStarts) }

  private func findings(_ bounds: [Bounded], _ rows: [FidelityRow]) throws -> String {
    try bounds.map { what, bound, value in
      try FidelityFindings.line(what, rows, bound: bound, Self.name, value)
    }.joined(separator: "\n")
  }

  // MARK: Stations

  private func stations() throws -> String {
    let rows = rows(FidelityStation.self)
    guard !rows.isEmpty else { return "" }
    var table = FidelityTable([
      "rate /s", "instances", "utilisation", "mean service", "P(wait) Erlang C", "request", "flow",
      "mean wait ÷ mean service, Erlang C", "request", "flow", "mean latency, error %",
      "p50, error %", "p99, error %", "utilisation, error %",
    ])
    for (cell, row) in rows { table.add(try Self.line(cell, row)) }
    let all = rows.map { $0.row }
    return """

      ## A fixed number of instances: flow against request and Erlang C

      Poisson arrivals, exponential service, one slot an instance, one queue. \
      \(rows.count) cells; a run judges 1,000,000 requests after a warm-up, with up to 20 \
      instances 2,000,000 at a utilisation of 0.9, and 4,000,000 at 0.95 or at 20,000/s. Latency \
      is wait and service together.

      \(try findings([latency, p50, p99], all))

      \(table.text)
      """
  }

  private static func line(_ cell: FidelityStation, _ row: FidelityRow) throws -> [String] {
    let exact = try cell.erlangC()
    let unit = cell.meanService
    return [
      FidelityNumber.plain(cell.rate), "\(cell.instances)", "\(cell.utilisation)",
      FidelityNumber.time(unit), FidelityNumber.plain(exact.waitProbability),
      FidelityNumber.estimate(try row.interval(0) { $0.waitProbability }),
      FidelityNumber.estimate(try row.interval(1) { $0.waitProbability }),
      FidelityNumber.plain(exact.meanWait / unit),
      FidelityNumber.estimate(try row.interval(0) { $0.meanWait }, unit: unit),
      FidelityNumber.estimate(try row.interval(1) { $0.meanWait }, unit: unit),
      FidelityNumber.error(try row.error { $0.meanLatency }),
      FidelityNumber.error(try row.error { $0.p50Latency }),
      FidelityNumber.error(try row.error { $0.p99Latency }),
      FidelityNumber.error(try row.error { $0.utilisation }),
    ]
  }

  static func name(_ row: FidelityRow) -> String {
    switch row.cell {
    case let cell as FidelityStation:
      "\(FidelityNumber.plain(cell.rate))/s on \(cell.instances) at \(cell.utilisation)"
    case let cell as FidelityElastic:
      "\(cell.name), \(words(cell.scaling)), \(FidelityNumber.time(cell.meanService))"
        + (cell.start > 0 ? ", start \(FidelityNumber.time(cell.start))" : "")
    case let cell as FidelityContention:
      "\(cell.cores) cores at \(cell.utilisation), \(FidelityNumber.time(cell.meanService)) "
        + cell.law.rawValue
    case let cell as FidelityCrossing: name(cell)
    default: ""
    }
  }

  // MARK: Elastic

  private func elastic() throws -> String {
    let rows = rows(FidelityElastic.self)
    guard !rows.isEmpty else { return "" }
    var table = FidelityTable(
      [
        "load", "instances come and go", "mean service", "start", "cold starts, request", "flow",
        "error %", "instances made, error %", "mean instances, request", "flow", "error %",
        "peak instances, request", "flow", "error %", "mean latency, error %", "p99, error %",
        "instances over time, largest difference %",
      ], words: 2)
    for (cell, row) in rows { table.add(try Self.line(cell, row)) }
    let all = rows.map { $0.row }
    return """

      ## Instances that come and go: flow against request

      Poisson arrivals, exponential service; every instance takes its start's time until it \
      serves. Cold starts are requests that waited for an instance which was made for them; what \
      waits while AutoScale makes instances ahead counts in the latency only. Peaks are of whole \
      seconds. The last column is the ten seconds in which the mean numbers of instances lie \
      furthest apart, in percent of the mean over the whole run: the greatest of many differences.

      \(try findings([latency, p99, meanInstances, peakInstances, coldStarts], all))

      \(table.text)
      """
  }

  private static func line(_ cell: FidelityElastic, _ row: FidelityRow) throws -> [String] {
    let largest = try row.largestDifference()
    return [
      cell.name, words(cell.scaling), FidelityNumber.time(cell.meanService),
      cell.start > 0 ? FidelityNumber.time(cell.start) : "at once",
      FidelityNumber.estimate(try row.interval(0) { $0.coldStarts }),
      FidelityNumber.estimate(try row.interval(1) { $0.coldStarts }),
      FidelityNumber.error(try row.error { $0.coldStarts }),
      FidelityNumber.error(try row.error { $0.instancesMade }),
      FidelityNumber.estimate(try row.interval(0) { $0.meanInstances }),
      FidelityNumber.estimate(try row.interval(1) { $0.meanInstances }),
      FidelityNumber.error(try row.error { $0.meanInstances }),
      FidelityNumber.estimate(try row.interval(0) { $0.peakInstances }),
      FidelityNumber.estimate(try row.interval(1) { $0.peakInstances }),
      FidelityNumber.error(try row.error { $0.peakInstances }),
      FidelityNumber.error(try row.error { $0.meanLatency }),
      FidelityNumber.error(try row.error { $0.p99Latency }),
      largest.map { FidelityNumber.error($0.error) + " at \($0.second) s" } ?? "–",
    ]
  }

  private static func words(_ scaling: FidelityElastic.Scaling) -> String {
    switch scaling {
    case .onDemand(let seconds): "on demand, keep-alive \(FidelityNumber.time(seconds))"
    case .knative(let concurrency, _): "Knative, concurrency \(concurrency)"
    }
  }

  // MARK: Contention

  private func contention() throws -> String {
    let rows = rows(FidelityContention.self)
    guard !rows.isEmpty else { return "" }
    var table = FidelityTable([
      "cores", "mean service", "service law", "utilisation", "mean latency ÷ mean service, theory",
      "exact", "epoch", "flow, epoch", "epoch: mean latency, error %", "p50, error %",
      "p99, error %", "flow, epoch: mean latency, error %", "p99, error %",
    ])
    for (cell, row) in rows { table.add(try Self.line(cell, row)) }
    let all = rows.map { $0.row }
    return """

      ## Processors of a node: epoch against exact

      Poisson arrivals at one node, requests that only compute, one core each and instances \
      enough. `exact` is processor sharing; `epoch` slows what begins by the demand of the 100 ms \
      before. \
      Below 1 a run judges 300 s after 30 s; at 1.1 the node falls behind for the 60 s that are \
      judged, of which only what has completed counts. The theory is that of shared processors, \
      which does not depend on the law. Bounds are those of `epoch` with single requests.

      \(try findings([latency, p99], all))

      \(table.text)
      """
  }

  private static func line(_ cell: FidelityContention, _ row: FidelityRow) throws -> [String] {
    let unit = cell.meanService
    return [
      "\(cell.cores)", FidelityNumber.time(unit), cell.law.rawValue, "\(cell.utilisation)",
      try cell.theory().map { FidelityNumber.plain($0 / unit) } ?? "–",
      FidelityNumber.estimate(try row.interval(0) { $0.meanLatency }, unit: unit),
      FidelityNumber.estimate(try row.interval(1) { $0.meanLatency }, unit: unit),
      FidelityNumber.estimate(try row.interval(2) { $0.meanLatency }, unit: unit),
      FidelityNumber.error(try row.error(1) { $0.meanLatency }),
      FidelityNumber.error(try row.error(1) { $0.p50Latency }),
      FidelityNumber.error(try row.error(1) { $0.p99Latency }),
      FidelityNumber.error(try row.error(2) { $0.meanLatency }),
      FidelityNumber.error(try row.error(2) { $0.p99Latency }),
    ]
  }
}
