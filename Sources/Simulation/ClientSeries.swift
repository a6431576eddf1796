import Platform
import Primitives

/// What clients who try again have asked for in an interval of the series: requests that came for
/// the first time, and attempts, those included.
///
/// An attempt counts when it comes: the second of a request may be in another interval than the
/// first.
public struct ClientSample: Sendable, Equatable {
  public var requests: UInt64 = 0
  public var attempts: UInt64 = 0

  public init(requests: UInt64 = 0, attempts: UInt64 = 0) {
    self.requests = requests
    self.attempts = attempts
  }

  mutating func add(_ counters: LaneCounters) {
    requests += counters.arrivals
    attempts += counters.attempts
  }

  public static func + (a: ClientSample, b: ClientSample) -> ClientSample {
    ClientSample(requests: a.requests + b.requests, attempts: a.attempts + b.attempts)
  }

  /// Attempts a request; nil: no request came.
  public var amplification: Double? {
    requests > 0 ? Double(attempts) / Double(requests) : nil
  }
}

/// Follows it, interval by interval. Where nobody tries again it keeps nothing.
struct ClientSeries: Sendable {
  /// By lane: whether its service has clients who try again; empty: none has.
  private let isTried: [Bool]
  private var open = ClientSample()
  /// One of each interval of the series.
  private(set) var samples: [ClientSample] = []

  init(_ configuration: ClusterConfiguration, serviceOfLane: [Int]) {
    let tried = serviceOfLane.map { configuration.services[$0].clients != nil }
    isTried = tried.contains(true) ? tried : []
  }

  /// Room for so many intervals.
  mutating func reserve(_ count: Int) {
    if !isTried.isEmpty { samples.reserveCapacity(count) }
  }

  mutating func note(lane: LaneID, _ delta: LaneCounters) {
    guard !isTried.isEmpty, isTried[lane.index] else { return }
    open.add(delta)
  }

  mutating func close() {
    guard !isTried.isEmpty else { return }
    samples.append(open)
    open = ClientSample()
  }
}
