import Primitives
import Scenario
import Workload

/// What a replication replays of a trace, in seconds of the trace.
struct TraceWindow: Equatable {
  /// Begins before 0 where the warm-up comes before the trace; nil: the trace from its beginning.
  var part: Range<Int>?
  /// What is judged; nil where it does not begin and end at whole seconds.
  var judged: Range<Int>?

  /// Replications take the parts in an order that the seed deals: with as many replications as
  /// parts each comes once.
  init(
    _ section: ServiceSection, of trace: Trace, in document: ScenarioDocument, replication: Int
  ) {
    let second: Int64 = 1_000_000_000
    let (warmup, duration) = (document.warmup.count, document.duration.count)
    let isWhole = warmup % second == 0 && duration % second == 0
    let (lead, length) = (Int(warmup / second), Int(duration / second))
    guard let part = section.arrivals.trace?.part.map({ Int($0.count / second) }), part > 0 else {
      judged = isWhole ? lead..<max(lead, length) : nil
      return
    }
    let count = max(1, (trace.lengthSeconds + part - 1) / part)
    let order = Self.order(count: count, seed: document.seed)
    let begin = order[replication % count] * part
    self.part = (begin - lead)..<(begin + part)
    judged = isWhole ? begin..<(begin + max(0, min(part, length - lead))) : nil
  }

  /// Every part once, by a keyed shuffle (Fisher and Yates).
  private static func order(count: Int, seed: UInt64) -> [Int] {
    var order = Array(0..<count)
    var bits = StreamKey(seed: seed, replication: 0, name: "parts").sequence()
    for index in order.indices.dropFirst().reversed() {
      order.swapAt(index, Int(bits.integer(below: UInt64(index + 1))))
    }
    return order
  }
}
