import Primitives
import SimulationKernel

/// Batches at the instants of a Poisson process on a rate: of geometric size, each spread over one
/// to three minutes.
///
/// A minute's batches are keyed draws, so that any second can be asked for alone; a second looks at
/// the batches of the four minutes that may reach it. Each arrival is dealt to a zone by a draw.
/// For services of less than some requests a second: everything is drawn again for each minute that
/// a batch reaches into.
public struct ClumpedSource: ArrivalSource {
  /// Seconds over which a batch is spread: between these.
  static let spread = 60.0...180.0

  public var isRateLike: Bool { false }

  private let intensity: Intensity
  private let batchMean: Double
  private let key: StreamKey
  private let lane: Int
  private let zones: Int
  private var minute = 0
  private var notBefore: Int64 = 0

  /// - Parameters:
  ///   - batchMean: mean size of a batch, at least 1.
  ///   - key: of the service.
  ///   - lane: position of the lane among the service's zones.
  public init(intensity: Intensity, batchMean: Double, key: StreamKey, lane: Int, zones: Int) {
    self.intensity = intensity
    self.batchMean = max(1, batchMean)
    self.key = key.appending(0xC1A9)
    self.lane = lane
    self.zones = max(1, zones)
  }

  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    for _ in 0..<KeyedRateSource.longestSkip {
      let arrivals = arrivals(ofMinute: minute)
      minute += 1
      for arrival in arrivals where arrival.time >= notBefore { buffer.append(arrival) }
      if !buffer.isEmpty { break }
    }
    return .seconds(Int64(minute * 60))
  }

  public func count(second: Int) -> Int {
    let start = Int64(second) * 1_000_000_000
    return arrivals(ofMinute: second / 60).count {
      (start..<start + 1_000_000_000).contains($0.time)
    }
  }

  public mutating func seek(to instant: Instant) {
    minute = Int(instant.nanoseconds / 60_000_000_000)
    notBefore = instant.nanoseconds
  }

  private func arrivals(ofMinute minute: Int) -> [Arrival] {
    let begin = Int64(minute) * 60_000_000_000
    let span = begin..<begin + 60_000_000_000
    var found: [Arrival] = []
    for earlier in max(0, minute - 3)...minute { add(earlier, within: span, to: &found) }
    return found.sorted { ($0.time, $0.identity) < ($1.time, $1.identity) }
  }

  /// Adds what the batches that begin in a minute bring within a span.
  private func add(_ minute: Int, within span: Range<Int64>, to found: inout [Arrival]) {
    var bits = key.appending(UInt64(minute)).sequence()
    let mean = intensity.perSecond(minute * 60) * 60 / batchMean
    let batches = Counts.poisson(mean: mean, uniform: bits.uniformOpen())
    let sizeRate = batchMean > 1 ? -Elementary.log1p(-1 / batchMean) : .infinity
    var ordinal = minute << 24
    for _ in 0..<batches {
      let start = (Double(minute) + bits.uniform()) * 60e9
      let length = Self.spread.lowerBound + bits.uniform() * 120
      let exponential = -Elementary.log(bits.uniformOpen())
      let size = sizeRate.isFinite ? max(1, Int((exponential / sizeRate).rounded(.up))) : 1
      for _ in 0..<size {
        let time = Int64(start + bits.uniform() * length * 1e9)
        let zone = zones > 1 ? Int(bits.integer(below: UInt64(zones))) : 0
        ordinal += 1
        guard zone == lane, span.contains(time) else { continue }
        found.append(Arrival(time: time, identity: Arrival.identity(point: ordinal)))
      }
    }
  }
}
