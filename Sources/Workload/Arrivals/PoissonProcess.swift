import Primitives
import SimulationKernel

/// An exactly Poisson process: exponential gaps, drawn in sequence by blocks of a second, each with
/// a key of its own.
///
/// The count of a second is what its gaps make of it. Memoryless, so a block that begins afresh at
/// a whole second is the same process. For references; the keyed sources draw counts first, and are
/// cheaper at high rates.
public struct PoissonProcess: ArrivalSource {
  public let ratePerSecond: Double
  private let key: StreamKey
  /// Service draws differ between lanes of a service although each counts its own arrivals.
  private let lane: UInt64
  private var second = 0

  /// - Parameters:
  ///   - key: of the service.
  ///   - lane: position of the lane among those of the service.
  public init(ratePerSecond: Double, key: StreamKey, lane: Int) {
    self.ratePerSecond = ratePerSecond
    self.key = key.appending(UInt64(lane))
    self.lane = UInt64(lane)
  }

  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    guard ratePerSecond > 0 else { return .distantFuture }
    let start = Int64(second) * 1_000_000_000
    var index = 0
    forEachOffset(second) { offset in
      let k = Int(lane) << 24 | index
      buffer.append(
        Arrival(
          time: start + Int64(offset * 1e9), identity: Arrival.identity(second: second, k: k)))
      index += 1
    }
    second += 1
    return .seconds(Int64(second))
  }

  public func count(second: Int) -> Int {
    var count = 0
    forEachOffset(second) { _ in count += 1 }
    return count
  }

  public mutating func seek(to instant: Instant) {
    second = Int(instant.nanoseconds / 1_000_000_000)
  }

  private func forEachOffset(_ second: Int, _ body: (Double) -> Void) {
    guard ratePerSecond > 0 else { return }
    var bits = key.stream(UInt64(truncatingIfNeeded: second))
    var offset = ZigguratExponential.sample(using: &bits) / ratePerSecond
    while offset < 1 {
      body(offset)
      offset += ZigguratExponential.sample(using: &bits) / ratePerSecond
    }
  }
}
