import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

/// Puts what a run came to into a results file.
public struct ResultRecording {
  let writer: ResultWriter

  public init(_ writer: ResultWriter) { self.writer = writer }

  /// Writes everything about a run. `run` is its number in the file.
  /// - Parameters:
  ///   - verdict: over its objectives; nil: there are none.
  ///   - arm: what it is within its study.
  public func record(
    _ outcome: RunOutcome, run: Int, study: Int, document: ScenarioDocument, wallSeconds: Double,
    verdict: Verdict? = nil, arm: String = ""
  ) throws(StoreError) {
    let tables = RunTables(outcome: outcome, run: run, document: document)
    try writer.append(tables.regions())
    try writer.append(tables.zones())
    try writer.append(tables.tenants())
    try writer.append(tables.services())
    try inParts(outcome.collected.rows) { rows throws(StoreError) in
      try writer.append(tables.series(rows))
    }
    try inParts(outcome.collected.minutes) { rows throws(StoreError) in
      try writer.append(tables.serviceMinutes(rows))
    }
    try writer.append(tables.topics())
    try writer.append(tables.partitions())
    try writer.append(tables.histograms())
    try writer.append(tables.coldStarts())
    try writer.append(tables.starts())
    try writer.append(tables.pools())
    try writer.append(tables.poolSeries())
    try writer.append(tables.zoneSeries())
    try writer.append(tables.alarms())
    try writer.append(tables.caches())
    try writer.append(tables.leases())
    try writer.append(tables.components())
    try writer.append(tables.conservation())
    try writer.append(tables.capacity())
    try writer.append(tables.breakEvens())
    try writer.append(tables.measures())
    try writer.append(tables.events())
    var row = RunRow(outcome, id: run, study: study)
    row.wallSeconds = wallSeconds
    row.verdict = verdict
    row.arm = arm
    try writer.replace(row)
  }
}

/// A million rows are not made all at once.
private func inParts<Row>(
  _ rows: PackedRows<Row>, _ body: (Slice<PackedRows<Row>>) throws(StoreError) -> Void
) throws(StoreError) {
  let most = 16_384
  var start = 0
  while start < rows.count {
    let end = min(start + most, rows.count)
    try body(rows[start..<end])
    start = end
  }
}

extension RunRow {
  /// What a run says of itself.
  public init(_ outcome: RunOutcome, id: Int, study: Int) {
    self.init(id: id, study: study, scenario: 1, seed: String(outcome.configuration.seed))
    replication = outcome.replication
    fidelity = outcome.fidelity.rawValue
    digest = HexadecimalWord.text(outcome.digest)
    status = outcome.isInterrupted ? .interrupted : .complete
    simulated = outcome.simulated
    warmup = outcome.collected.warmup - .origin
    seriesStep = outcome.configuration.seriesInterval
    eventsExecuted = Int(clamping: outcome.executed)
    invocationsRepresented = Int(clamping: outcome.represented)
  }
}

/// Sixteen hexadecimal digits.
public enum HexadecimalWord {
  public static func text(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
