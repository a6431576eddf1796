import Statistics

// Cells in which every two settings of different axes meet.
extension FidelityDocument {
  func crossings() throws -> String {
    let rows = rows(FidelityCrossing.self)
    guard !rows.isEmpty else { return "" }
    let isFirst = Set(FidelityCrossing.published)
    let designs = [
      ("Every two settings together", rows.filter { isFirst.contains($0.cell) }),
      ("The same with other rows", rows.filter { !isFirst.contains($0.cell) }),
    ]
    return try Self.crossingIntroduction(rows.count)
      + designs.filter { !$0.1.isEmpty }.map { try section($0.0, $0.1) }.joined()
  }

  private static func crossingIntroduction(_ count: Int) -> String {
    func list(_ values: [some CustomStringConvertible]) -> String {
      values.map(\.description).joined(separator: ", ")
    }
    return """

      ## Many settings at once: flow and auto against request

      \(count) cells. Rates of \(list(FidelityCrossing.rates.map(FidelityNumber.plain))) a second; \
      \(list(FidelityCrossing.instanceCounts)) instances; \
      \(list(FidelityCrossing.concurrencies)) slots in each; utilisations of \
      \(list(FidelityCrossing.utilisations)) at the highest rate of the cell; service times that \
      are \(list(FidelityCrossing.Law.allCases.map(\.rawValue))) (sigma 1.3), whose mean follows; \
      and \(list(FidelityCrossing.Regime.allCases.map(\.rawValue))). Every two settings of \
      different axes that can be together, with a mean service time of 0.2 ms to 30 s and at most \
      4,000,000 requests in a run, are together in at least one cell. Nothing was fitted to any of \
      these cells, and the second design, which meets the same pairs in other rows, confirms the \
      first. Choices of an instance other than that of the fewest requests have no form at flow: \
      such lanes are requests at every fidelity. Errors of lanes with little waiting are small by \
      construction; \
      those from an overload on depend on when the run ends.

      """
  }

  private typealias Row = (cell: FidelityCrossing, row: FidelityRow)

  private func section(_ title: String, _ rows: [Row]) throws -> String {
    var table = FidelityTable(
      [
        "regime", "law", "rate /s", "instances", "slots", "utilisation", "mean service",
        "mean, error %", "p50", "p90", "p99", "p99.9", "cold starts", "instances", "utilisation",
        "lag", "auto is", "mean, error %", "p99", "cold starts",
      ], words: 2)
    let sorted = rows.sorted { Self.order($0.cell) < Self.order($1.cell) }
    for (cell, row) in sorted { table.add(try Self.line(cell, row)) }
    let judged = sorted.filter { $0.cell.utilisation <= 0.95 }.map(\.row)
    let isFlow = { (row: FidelityRow) in row.runs[1].allSatisfy(\.isFlow) }
    return """

      ### \(title)

      Of \(judged.count) cells with a utilisation of at most 0.95, flow has a form for \
      \(judged.count(where: isFlow)). With flow:

      \(try crossingFindings(judged, side: 1))

      Where the lane is left to itself (`fidelity: auto`):

      \(try crossingFindings(judged, side: 2))

      \(table.text)
      """
  }

  /// By regime, then from few instances to many.
  private static func order(_ cell: FidelityCrossing) -> (Int, Int, Double, Int) {
    (
      FidelityCrossing.Regime.allCases.firstIndex(of: cell.regime) ?? 0, cell.instances, cell.rate,
      cell.concurrency
    )
  }

  private func crossingFindings(_ rows: [FidelityRow], side: Int) throws -> String {
    let bounds: [(String, Double, (FidelityMeasures) -> Double)] = [
      ("Mean latency", 1, \.meanLatency), ("p99", 5, \.p99Latency),
      ("Cold starts", 3, \.coldStarts),
      ("Mean instances", 1, \.meanInstances), ("Mean lag", 1, \.meanLag),
    ]
    return try bounds.map { what, bound, value in
      try FidelityFindings.line(what, rows, bound: bound, side: side, Self.name, value)
    }.joined(separator: "\n")
  }

  private static func line(_ cell: FidelityCrossing, _ row: FidelityRow) throws -> [String] {
    func error(_ side: Int, _ value: (FidelityMeasures) -> Double) throws -> String {
      FidelityNumber.error(try row.error(side, value))
    }
    let isFlow = row.runs[1].allSatisfy(\.isFlow)
    let flows = row.runs[2].count(where: \.isFlow)
    return [
      cell.regime.rawValue, cell.law.rawValue, FidelityNumber.plain(cell.rate), "\(cell.instances)",
      "\(cell.concurrency)", "\(cell.utilisation)", FidelityNumber.time(cell.meanService),
      isFlow ? try error(1) { $0.meanLatency } : "no form",
      try error(1) { $0.p50Latency }, try error(1) { $0.p90Latency },
      try error(1) { $0.p99Latency }, try error(1) { $0.p999Latency },
      try error(1) { $0.coldStarts }, try error(1) { $0.meanInstances },
      try error(1) { $0.utilisation }, try error(1) { $0.meanLag },
      flows == row.runs[2].count ? "flow" : flows == 0 ? "requests" : "either",
      try error(2) { $0.meanLatency }, try error(2) { $0.p99Latency },
      try error(2) { $0.coldStarts },
    ]
  }

  static func name(_ cell: FidelityCrossing) -> String {
    "\(cell.regime.rawValue), \(cell.law.rawValue), \(FidelityNumber.plain(cell.rate))/s on "
      + "\(cell.instances)x\(cell.concurrency) at \(cell.utilisation)"
  }
}
