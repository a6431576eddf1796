import ControlPlane
import Platform
import Primitives
import ResultStore
import Simulation

/// What faults do to the messages of one pair of runs, and what clients add to its requests.
public struct RehearsalMessages: Sendable {
  /// Over all topics, as far as it is judged.
  public var produced: UInt64
  /// Delivered again, and answered once more, beyond those of the calm twin.
  public var redelivered: Int
  public var repeated: Int
  /// Deleted before they were answered, and put aside because they had failed too often.
  public var expired: UInt64
  public var deadLettered: UInt64
  /// Those that took longer than any message of their service in the calm twin.
  public var late: UInt64
  /// At the ends of intervals: the most that were behind, calm and faulted.
  public var calmPeakLag: Int
  public var peakLag: Int
  /// From the strike to the end of the last interval at whose end the consumers were behind their
  /// twin, as `LagComparison` says. Zero: they never were; nil: they were at the end.
  public var secondsToCatchUp: Double?
  /// Messages that are neither answered, nor deleted or put aside, nor in their log, over the whole
  /// run: zero, or the run would have ended as broken.
  public var lost: Int
  /// Attempts a request where clients try again, calm and faulted; nil: nobody tries again.
  public var amplification: (calm: Double, faulted: Double)?

  public init(_ pair: RehearsalStudy.Pair) {
    let (calm, faulted) = (pair.calm, pair.faulted)
    let topics = faulted.configuration.services.indices.filter {
      faulted.configuration.services[$0].topic != nil
    }
    let lanes = Self.lanes(faulted) { topics.contains($0) }
    let (before, after) = (Self.sum(calm, lanes), Self.sum(faulted, lanes))
    produced = after.arrivals
    redelivered = Int(after.redelivered) - Int(before.redelivered)
    repeated = Int(after.repeated) - Int(before.repeated)
    (expired, deadLettered) = (after.expired, after.deadLettered)
    let measure = Int(LatencyMeasure.latency.rawValue)
    late = topics.reduce(0) { sum, service in
      let usual = calm.collected.services[service][measure]
      guard !usual.isEmpty else { return sum }
      return sum + faulted.collected.services[service][measure].count(above: usual.maximum)
    }
    (calmPeakLag, peakLag) = (calm.peakLag, faulted.peakLag)
    secondsToCatchUp = Self.catchUp(pair)
    lost = Self.unaccounted(faulted, lanes)
    let tried = Self.lanes(faulted) { faulted.configuration.services[$0].clients != nil }
    if !tried.isEmpty {
      func attempts(_ outcome: RunOutcome) -> Double {
        let sum = Self.sum(outcome, tried)
        return Double(sum.attempts) / Double(max(1, sum.arrivals))
      }
      amplification = (attempts(calm), attempts(faulted))
    }
  }

  private static func lanes(_ outcome: RunOutcome, _ isWanted: (Int) -> Bool) -> [Int] {
    outcome.collected.serviceOfLane.indices.filter {
      isWanted(outcome.collected.serviceOfLane[$0])
    }
  }

  private static func sum(_ outcome: RunOutcome, _ lanes: [Int]) -> LaneCounters {
    lanes.reduce(into: LaneCounters()) { $0.add(outcome.collected.laneCounters[$1]) }
  }

  private static func unaccounted(_ outcome: RunOutcome, _ lanes: [Int]) -> Int {
    outcome.conservation.filter { lanes.contains($0.lane.index) }.reduce(0) { sum, terms in
      let held = terms.completed + terms.expired + terms.deadLettered + terms.waiting
      return sum + Int(terms.arrivals + terms.retries) - Int(held + terms.inFlight)
        - Int(terms.refused + terms.failed)
    }
  }

  private static func catchUp(_ pair: RehearsalStudy.Pair) -> Double? {
    let lags = LagComparison(
      calm: pair.calm, faulted: pair.faulted, tolerances: RehearsalTimeline.Tolerances())
    let strike = pair.timeline.strike
    let intervals = pair.faulted.collected.intervals
    let behind = intervals.indices.filter { intervals[$0].upperBound > strike && lags.isBehind($0) }
    guard let last = behind.last else { return 0 }
    return last == intervals.indices.last ? nil : (intervals[last].upperBound - strike).seconds
  }
}
