import Platform
import Primitives
import Simulation

/// Intervals of the series in which a faulted run is worse than its calm twin.
///
/// Failures are compared interval by interval: what the twin has not had is no chance. Where it
/// refuses too, other draws make other numbers, which `BadShare` allows for, and `LagComparison`
/// for lag that rises and falls by itself. Means of latencies are not alike even where nothing is
/// the matter, since what a fault has moved makes other draws meet: they take a number of answers,
/// so that intervals with few are taken together, and must lie beyond what the twin itself shows
/// nearby.
struct DegradedIntervals {
  let tolerances: RehearsalTimeline.Tolerances
  private let calm: [Instant: Sum]
  private let faulted: [Instant: Sum]
  private let intervals: [Range<Instant>]
  private let lags: LagComparison

  init(calm: RunOutcome, faulted: RunOutcome, tolerances: RehearsalTimeline.Tolerances) {
    self.tolerances = tolerances
    self.calm = Self.sums(calm)
    self.faulted = Self.sums(faulted)
    intervals = faulted.collected.intervals
    lags = LagComparison(calm: calm, faulted: faulted, tolerances: tolerances)
  }

  /// Everything of an interval together, or of several.
  private struct Sum {
    var counters = LaneCounters()
    var latency = 0.0

    var badShare: BadShare {
      BadShare(
        bad: counters.failed + counters.refused + counters.abandoned, attempts: counters.attempts)
    }
    /// Of what was answered; nil: nothing was.
    var meanLatency: Double? {
      counters.completed > 0 ? latency / Double(counters.completed) : nil
    }

    mutating func add(_ other: Sum) {
      counters.add(other.counters)
      latency += other.latency
    }
  }

  private static func sums(_ outcome: RunOutcome) -> [Instant: Sum] {
    var sums: [Instant: Sum] = [:]
    for row in outcome.collected.rows {
      var sum = sums[row.from] ?? Sum()
      sum.counters.add(row.counters)
      sum.latency += row.mean * Double(row.counters.completed)
      sums[row.from] = sum
    }
    return sums
  }

  /// Those that end after a strike, in order. O(intervals × neighbours).
  func after(_ strike: Instant) -> [Range<Instant>] {
    let slow = slowOnes(from: strike)
    return intervals.enumerated().filter { index, interval in
      interval.upperBound > strike && (slow.contains(index) || isWorse(index))
    }.map(\.element)
  }

  /// By what failed, and by what was left behind.
  private func isWorse(_ index: Int) -> Bool {
    let interval = intervals[index]
    guard let one = calm[interval.lowerBound] else { return false }
    // Nothing at all happened in the faulted run, though something should have.
    guard let other = faulted[interval.lowerBound] else { return one.counters.arrivals > 0 }
    return other.badShare.isBeyond(one.badShare, nearby: twinShares(around: index), tolerances)
      || lags.isBehind(index)
  }

  /// Of intervals on either side and of itself, as far as there are any.
  private func twinShares(around index: Int) -> [BadShare] {
    let first = max(0, index - tolerances.neighbours)
    let last = min(intervals.count - 1, index + tolerances.neighbours)
    return intervals[first...last].map { calm[$0.lowerBound]?.badShare ?? Sum().badShare }
  }

  // MARK: Latencies

  /// Intervals with enough answers together.
  private struct Block {
    var intervals: Range<Int>
    var calm: Double
    /// Nil: nothing was answered.
    var faulted: Double?
  }

  /// Blocks on both sides of the strike's, each with as many answers of the twin as a mean takes;
  /// the first one after the strike begins with its interval. What is left over at an edge is in
  /// none.
  private func blocks(around strike: Instant) -> (blocks: [Block], first: Int) {
    let first = intervals.firstIndex { $0.upperBound > strike } ?? intervals.endIndex
    let before = merged((0..<first).reversed())
    return (before.reversed() + merged(first..<intervals.endIndex), before.count)
  }

  private func merged(_ indices: some Sequence<Int>) -> [Block] {
    var blocks: [Block] = []
    var (one, other) = (Sum(), Sum())
    var span: Range<Int>?
    for index in indices {
      one.add(calm[intervals[index].lowerBound] ?? Sum())
      other.add(faulted[intervals[index].lowerBound] ?? Sum())
      span = min(span?.lowerBound ?? index, index)..<max(span?.upperBound ?? 0, index + 1)
      guard let whole = span, one.counters.completed >= UInt64(tolerances.leastAnswers),
        let usual = one.meanLatency
      else { continue }
      blocks.append(Block(intervals: whole, calm: usual, faulted: other.meanLatency))
      (one, other, span) = (Sum(), Sum(), nil)
    }
    return blocks
  }

  /// Blocks on either side of one that are near in number or in time.
  private func near(_ index: Int, of blocks: [Block]) -> ClosedRange<Int> {
    func begin(_ block: Int) -> Instant { intervals[blocks[block].intervals.lowerBound].lowerBound }
    func isNear(_ other: Int) -> Bool {
      let apart = begin(other) - begin(index)
      return abs(other - index) <= tolerances.neighbours
        || max(apart, .zero - apart) <= tolerances.nearby
    }
    var (low, high) = (index, index)
    while low > 0, isNear(low - 1) { low -= 1 }
    while high + 1 < blocks.count, isNear(high + 1) { high += 1 }
    return low...high
  }

  /// Numbers of intervals of which the mean latency is beyond the tolerance of each mean of the
  /// twin nearby.
  private func slowOnes(from strike: Instant) -> Set<Int> {
    let (blocks, first) = blocks(around: strike)
    var slow: Set<Int> = []
    for index in blocks.indices where index >= first {
      let near = near(index, of: blocks)
      guard let mean = blocks[index].faulted, let usual = blocks[near].map(\.calm).max() else {
        continue
      }
      if mean > usual * tolerances.latencyRatio { slow.formUnion(blocks[index].intervals) }
    }
    return slow
  }
}
