import ControlPlane
import Primitives

/// The course of every start that is under way, for the results: an observer's notes, which no
/// component reads.
struct StartLog: Sendable {
  /// Asked only for keys, so that its order never shows.
  private var records: [UInt64: StartRecord] = [:]

  var count: Int { records.count }

  mutating func begin(_ start: StartRequest, at now: Instant) {
    guard records[start.identity] == nil else { return }
    var record = StartRecord(request: start)
    record.askedAt = now
    records[start.identity] = record
  }

  mutating func note(_ start: StartRequest, _ change: (inout StartRecord) -> Void) {
    guard var record = records[start.identity] else { return }
    change(&record)
    records[start.identity] = record
  }

  /// Forgets a start that is over and returns what was noted.
  mutating func end(_ start: StartRequest) -> StartRecord? {
    records.removeValue(forKey: start.identity)
  }
}
