import Platform
import Primitives
import ResultStore

/// A minute of a service in a zone.
public struct ServiceMinute: Sendable, BitwiseCopyable {
  public var lane: Int
  public var from: Instant
  public var counters = LaneCounters()
  public var gauges = LaneGauges()
  public var mean = 0.0
  public var p50: Int64 = 0
  public var p99: Int64 = 0
  public var maximum: Int64 = 0
}

/// Minutes of the services with the highest rates and of those that an objective names; a row only
/// where something happened.
struct MinuteSeries: Sendable {
  static let busiest = 100
  static let named = 400

  /// By lane: its place among the lanes that are followed; -1: it is not.
  private let places: [Int]
  private var open: [ServiceMinute?]
  private var latencies: [LatencyHistogram]
  private(set) var rows = PackedRows<ServiceMinute>()

  /// - Parameter isKept: else nothing is followed.
  init(_ configuration: ClusterConfiguration, isKept: Bool) {
    let services = configuration.services
    let order = services.indices.sorted {
      (-services[$0].meanRatePerSecond, $0) < (-services[$1].meanRatePerSecond, $1)
    }
    var isFollowed = services.map { _ in false }
    if isKept {
      for service in order.prefix(Self.busiest) { isFollowed[service] = true }
      let named = services.indices.filter { services[$0].isNamed && !isFollowed[$0] }
      for service in named.prefix(Self.named) { isFollowed[service] = true }
    }
    var count = 0
    places = services.indices.flatMap { service in
      services[service].zones.map { _ -> Int in
        guard isFollowed[service] else { return -1 }
        defer { count += 1 }
        return count
      }
    }
    open = Array(repeating: nil, count: count)
    latencies = (0..<count).map { _ in
      var histogram = LatencyHistogram.coarse()
      histogram.reserveAll()
      return histogram
    }
    let planned = configuration.duration.count / 60_000_000_000 + 2
    rows.reserveCapacity(count * Int(min(planned, 1000)), wordsEach: 20)
  }

  mutating func record(_ measured: LatencyHistogram, lane: LaneID) {
    let place = places[lane.index]
    if place >= 0 { latencies[place].merge(measured) }
  }

  mutating func add(lane: LaneID, from: Instant, delta: LaneCounters, now: LaneGauges) {
    let place = places[lane.index]
    guard place >= 0 else { return }
    let minute = Instant.seconds(from.nanoseconds / 60_000_000_000 * 60)
    if let row = open[place], row.from != minute { close(place) }
    var row = open[place] ?? ServiceMinute(lane: lane.index, from: minute)
    row.counters.add(delta)
    row.gauges = now
    open[place] = row
  }

  /// Rows of the series that end at an instant: at a full minute nothing stays open.
  mutating func end(at instant: Instant) {
    guard instant.nanoseconds % 60_000_000_000 == 0 else { return }
    closeAll()
  }

  mutating func closeAll() {
    for place in open.indices where open[place] != nil { close(place) }
  }

  private mutating func close(_ place: Int) {
    guard var row = open[place] else { return }
    open[place] = nil
    let latency = latencies[place]
    if latency.count > 0 {
      row.mean = latency.mean
      row.p50 = latency.quantile(0.5)
      row.p99 = latency.quantile(0.99)
      row.maximum = latency.maximum
      latencies[place].reset()
    }
    rows.append(row)
  }
}
