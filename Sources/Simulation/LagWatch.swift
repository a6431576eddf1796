import Platform
import Primitives

/// How far the consumers of each topic have been behind, and when they had caught up: at the ends
/// of the series' intervals, all zones of a service together.
struct LagWatch: Sendable {
  struct Peak: Sendable, Equatable {
    var lag = 0
    var at = Instant.origin
    /// The first end of an interval after the peak at which no more was behind than its consumers
    /// may have under way; nil: not yet, or it never was more.
    var caughtUp: Instant?
  }

  private let serviceOfLane: [Int]
  /// By service: messages that its consumers may have under way at once; 0: it has no topic.
  private let underWay: [Int]
  private var lags: [Int]
  private var sums: [Int]
  private var touched: [Int] = []
  private var isTouched: [Bool]
  private(set) var peaks: [Peak]

  init(_ configuration: ClusterConfiguration, serviceOfLane: [Int]) {
    self.serviceOfLane = serviceOfLane
    underWay = configuration.services.map { service in
      service.topic.map { $0.partitions * $0.window * $0.maximumBatch } ?? 0
    }
    lags = serviceOfLane.map { _ in 0 }
    sums = underWay.map { _ in 0 }
    isTouched = underWay.map { _ in false }
    peaks = underWay.map { _ in Peak() }
  }

  /// What a lane is behind at the end of the interval that closes next.
  mutating func note(lane: LaneID, lag: Int) {
    let service = serviceOfLane[lane.index]
    guard underWay[service] > 0 else { return }
    sums[service] += lag - lags[lane.index]
    lags[lane.index] = lag
    guard !isTouched[service] else { return }
    isTouched[service] = true
    touched.append(service)
  }

  /// An interval ends. O(services with news).
  mutating func close(at now: Instant) {
    for service in touched {
      isTouched[service] = false
      if sums[service] > peaks[service].lag {
        peaks[service] = Peak(lag: sums[service], at: now)
      } else if peaks[service].caughtUp == nil, peaks[service].lag > underWay[service],
        sums[service] <= underWay[service]
      {
        peaks[service].caughtUp = now
      }
    }
    touched.removeAll(keepingCapacity: true)
  }

  /// Forgets the peaks so far.
  mutating func restart() {
    for service in peaks.indices { peaks[service] = Peak() }
  }
}
