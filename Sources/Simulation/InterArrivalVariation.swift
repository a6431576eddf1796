import Primitives
import Scenario
import SimulationKernel
import Workload

/// The variation of inter-arrival times of synthetic services as Azure Functions 2019 was
/// described: one of an application over a day, arrivals of a minute spread evenly over it.
enum InterArrivalVariation {
  /// Invocations of an application in a day, by the share of applications that have fewer.
  private static let daily: [(share: Double, count: Double)] = [
    (0.5, 73), (0.75, 584), (0.9, 4_500), (0.99, 333_000),
  ]

  /// Of one in nine services of a group, each with its pattern and the rate of its rank among the
  /// published applications.
  static func ofServices(_ group: SyntheticMembers) -> [Double] {
    let tables = SyntheticShelf()
    let count = group.section.count
    return stride(from: 4, to: count, by: 9).compactMap { number in
      let unit = group.member(number, peak: 1)
      guard unit.pattern != .dormant else { return nil }
      let mean = (0..<1440).reduce(0) { $0 + unit.intensity.perSecond($1 * 60) } / 1440
      let wanted = perDay(share: 1 - (Double(number) + 0.5) / Double(count)) / 86_400
      let member = mean > 0 ? group.member(number, peak: wanted / mean) : unit
      return MinuteGaps.variation(
        member.source(lane: 0, zones: 1, factors: member.dispersion.map(tables.table)))
    }
  }

  /// Between the published quantiles straight in the logarithm against normal quantiles, as a
  /// lognormal distribution is, and beyond them as it was.
  static func perDay(share: Double) -> Double {
    let points = daily.map { (Elementary.normalQuantile($0.share), Elementary.log($0.count)) }
    let at = Elementary.normalQuantile(min(max(share, 1e-6), 1 - 1e-6))
    let upper = points.indices.dropFirst().first { at <= points[$0].0 } ?? points.count - 1
    let (low, high) = (points[upper - 1], points[upper])
    let slope = (high.1 - low.1) / (high.0 - low.0)
    return Elementary.exp(low.1 + slope * (at - low.0))
  }
}

/// Gaps between arrivals of which only the number in each minute is known.
private enum MinuteGaps {
  /// Standard deviation ÷ mean of the gaps of a day; nil for fewer than three arrivals.
  static func variation(_ source: any ArrivalSource) -> Double? {
    var (count, sum, squares) = (0.0, 0.0, 0.0)
    func add(_ gap: Double, _ times: Double) {
      count += times
      sum += gap * times
      squares += gap * gap * times
    }
    var last: Double?
    for (minute, number) in counts(source).enumerated() where number > 0 {
      let n = Double(number)
      let gap = 60 / n
      let first = Double(minute) * 60 + gap / 2
      if let last { add(first - last, 1) }
      add(gap, n - 1)
      last = Double(minute + 1) * 60 - gap / 2
    }
    guard count >= 2, sum > 0 else { return nil }
    let mean = sum / count
    return max(0, squares / count - mean * mean).squareRoot() / mean
  }

  /// Arrivals in each minute of a day.
  static func counts(_ source: any ArrivalSource) -> [Int] {
    var counts = [Int](repeating: 0, count: 1440)
    if source.countsAllLanes {
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 60) { seconds in
        guard let base = seconds.baseAddress else { return }
        for minute in counts.indices {
          source.countAllLanes(from: minute * 60, seconds: 60, lanes: 1, into: base)
          counts[minute] = (0..<60).reduce(0) { $0 + Int(base[$1]) }
        }
      }
      return counts
    }
    var source = source
    var buffer = ArrivalBuffer()
    var known = Instant.origin
    while known < .seconds(86_400) {
      known = source.fill(&buffer)
      while !buffer.isEmpty {
        let minute = Int(buffer.removeFirst().time / 60_000_000_000)
        if minute < counts.count { counts[minute] += 1 }
      }
    }
    return counts
  }
}
