import Platform
import Primitives
import Simulation

/// When consumers of a faulted run are behind those of its calm twin.
///
/// The lag of a twin may rise and fall by itself, as policies let it that look at it; in the
/// faulted run it does so at other instants. So behind is who is beyond the greatest lag of the
/// twin nearby, by more than what topics get in a time.
struct LagComparison {
  private let lags: [Int]
  private let usual: [Int]
  private let most: Double

  init(calm: RunOutcome, faulted: RunOutcome, tolerances: RehearsalTimeline.Tolerances) {
    let intervals = faulted.collected.intervals
    func lags(_ outcome: RunOutcome) -> [Int] {
      let sums: [Instant: Int] = outcome.collected.rows.reduce(into: [:]) {
        $0[$1.from, default: 0] += $1.gauges.lag
      }
      return intervals.map { sums[$0.lowerBound] ?? 0 }
    }
    self.init(
      lags: lags(faulted), twin: lags(calm), ends: intervals.map(\.upperBound),
      nearby: tolerances.nearby,
      most: tolerances.lagSeconds * Self.producedPerSecond(calm))
  }

  /// - Parameters:
  ///   - lags: of the faulted run at the ends of intervals, and `twin` of the calm one.
  ///   - ends: of the intervals, ascending.
  ///   - nearby: how far apart ends may be.
  ///   - most: messages beyond what is usual that are not behind.
  /// - Complexity: O(intervals × those nearby).
  init(lags: [Int], twin: [Int], ends: [Instant], nearby: Nanoseconds, most: Double) {
    self.lags = lags
    self.most = most
    usual = ends.indices.map { index in
      var (first, last) = (index, index)
      while first > 0, ends[index] - ends[first - 1] <= nearby { first -= 1 }
      while last + 1 < ends.count, ends[last + 1] - ends[index] <= nearby { last += 1 }
      return twin[first...last].reduce(0, max)
    }
  }

  /// At the end of an interval, by its number.
  func isBehind(_ index: Int) -> Bool { Double(lags[index] - usual[index]) > most }

  /// Messages of all topics, a mean over what is judged.
  private static func producedPerSecond(_ outcome: RunOutcome) -> Double {
    let services = outcome.configuration.services
    let produced = outcome.collected.laneCounters.indices.reduce(UInt64(0)) { sum, lane in
      let isTopic = services[outcome.collected.serviceOfLane[lane]].topic != nil
      return isTopic ? sum + outcome.collected.laneCounters[lane].arrivals : sum
    }
    let seconds = (.origin + outcome.simulated - outcome.collected.warmup).seconds
    return Double(produced) / max(seconds, 1e-9)
  }
}
