import ControlPlane
import Platform
import Primitives
import Reporting
import ResultStore
import Simulation

/// What `run` prints of topics: of the first replication, since a time of catching up has no mean
/// where some runs have none.
struct TopicReport {
  /// More are in the table `topics`.
  private static let most = 12

  private let outcome: RunOutcome?

  init(_ outcomes: [RunOutcome]) { outcome = outcomes.first }

  var text: String {
    guard let outcome else { return "" }
    let rows = outcome.topics
    guard !rows.isEmpty else { return "" }
    let worst = rows.sorted { ($1.peakLag, $0.service) < ($0.peakLag, $1.service) }
    var table = [
      [
        "", "messages", "peak lag", "at", "caught up", "lag at the end", "repeated", "expired",
        "dead",
      ]
    ]
    for row in worst.prefix(Self.most) {
      func count(_ value: Int) -> String { TextForm.grouped(value) }
      func time(_ instant: Instant?) -> String {
        instant.map { TextForm.time(seconds: ($0 - .origin).seconds) } ?? "-"
      }
      table.append([
        "  \(outcome.configuration.services[row.service].name)", count(row.produced),
        count(row.peakLag), time(row.peaked), time(row.caughtUp), count(row.lag),
        count(row.repeated), count(row.expired), count(row.deadLettered),
      ])
    }
    let left = rows.count - min(rows.count, Self.most)
    let more = left > 0 ? "\n  \(left) more are in the table topics" : ""
    return "TOPICS: messages that are not committed, at the ends of intervals\n"
      + TextForm.table(table) + more
  }
}
