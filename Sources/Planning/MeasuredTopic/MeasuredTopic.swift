import Workload

/// A topic and the workers that consumed it, as measured second by second.
public struct MeasuredTopic: Sendable {
  /// Messages produced in each second.
  public var produced: [UInt32]
  /// Workers in each second; where none was counted, as in the second before.
  public var workers: [Int]
  /// End-to-end delay of what was answered in each second, seconds; nil: nothing was measured.
  public var delay: [Double?]
  /// Messages answered in each second, those that came again after a restart among them; nil: not
  /// measured.
  public var consumed: [Double?]

  /// Messages produced before the end of each second: `total[t]` is the sum up to second t.
  public let total: [Double]

  public init(produced: [UInt32], workers: [Int], delay: [Double?], consumed: [Double?] = []) {
    self.produced = produced
    self.workers = workers
    self.delay = delay
    self.consumed = consumed
    var sum = 0.0
    total = produced.map {
      sum += Double($0)
      return sum
    }
  }

  public var seconds: Int { produced.count }

  /// Seconds in which the number of workers is another than in the second before.
  public var changes: [Int] {
    workers.indices.dropFirst().filter { workers[$0] != workers[$0 - 1] }
  }

  /// More workers than one topic has. Each is simulated, so that another series in the place of
  /// theirs would not come to an end.
  static let mostWorkers = 10_000.0

  private static func checkWorkers(
    _ series: MeasuredSeries, file: String
  ) throws(TraceFailure) {
    for (place, value) in series.values.enumerated() {
      guard let value, value.rounded() != value || !(0...mostWorkers).contains(value) else {
        continue
      }
      throw TraceFailure(
        TraceError(
          .outOfRange, file: file, column: "value",
          found: "\(value) at \(series.firstSecond + Int64(place))",
          expected: "a number of workers: whole, at most \(Int(mostWorkers))",
          help: "is it another series of the run, such as its delay?"))
    }
  }

  /// Files of one run: messages a second, workers, delay in milliseconds, and perhaps answers a
  /// second.
  ///
  /// - Throws: `TraceFailure`, also where nothing was produced, or no worker was counted or parts
  ///   of one.
  public static func read(
    produced: String, workers: String, delay: String, consumed: String?
  ) throws(TraceFailure) -> MeasuredTopic {
    let demand = try MeasuredSeries.read(produced)
    let count = try MeasuredSeries.read(workers)
    try checkWorkers(count, file: workers)
    let late = try MeasuredSeries.read(delay)
    let answers = try consumed.map { path throws(TraceFailure) in try MeasuredSeries.read(path) }
    let length = demand.values.count
    func aligned(_ series: MeasuredSeries) -> [Double?] {
      let shift = Int(demand.firstSecond - series.firstSecond)
      return (0..<length).map { second in
        let place = second + shift
        return series.values.indices.contains(place) ? series.values[place] : nil
      }
    }
    let counts = filled(aligned(count))
    guard length > 1, let counts else {
      throw TraceFailure(
        TraceError(
          .empty, file: workers, found: "no number of workers in the time of the produced messages",
          expected: "one at least", help: "the files must be of one run and its clock"))
    }
    return MeasuredTopic(
      produced: demand.values.map { UInt32(min(max(0, $0 ?? 0), 4e9).rounded()) },
      workers: counts, delay: aligned(late).map { $0.map { $0 / 1000 } },
      consumed: answers.map(aligned) ?? [])
  }

  /// Gaps take the value before them, a gap at the beginning the first one; nil: all is a gap.
  private static func filled(_ values: [Double?]) -> [Int]? {
    guard var last = values.lazy.compactMap(\.self).first else { return nil }
    return values.map { value in
      last = value ?? last
      return Int(min(max(0, last), 1e6).rounded())
    }
  }

  // MARK: Lag and delay

  /// Messages produced within so many seconds before the end of a second: what is behind where the
  /// oldest message in line is as old as that.
  public func lag(delay: Double, second: Int) -> Double {
    let since = Double(second) - delay
    guard since > 0 else { return total[second] }
    let whole = Int(since)
    let next = min(whole + 1, second)
    let before = total[whole] + (total[next] - total[whole]) * (since - Double(whole))
    return total[second] - before
  }

  /// How old the oldest message in line is where so many are behind at the end of a second.
  /// O(log seconds).
  public func delay(lag: Double, second: Int) -> Double {
    let served = total[second] - lag
    guard lag > 0 else { return 0 }
    var (low, high) = (0, second)
    while low < high {
      let middle = (low + high) / 2
      if total[middle] < served { low = middle + 1 } else { high = middle }
    }
    // `low` is the second in which the next message in line was produced.
    let before = low > 0 ? total[low - 1] : 0
    let share = produced[low] > 0 ? (served - before) / Double(produced[low]) : 0
    return max(0, Double(second - low) + 1 - min(max(0, share), 1))
  }
}
