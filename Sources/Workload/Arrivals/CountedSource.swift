import Primitives
import SimulationKernel

/// Arrivals whose number per minute, or per longer block, is known: uniform within the block, their
/// total kept exactly.
///
/// A block's arrivals are numbered; zones own consecutive ranges of numbers by a keyed split, and
/// times are found by halving, so that the count of a second is a pure function.
public struct CountedSource: ArrivalSource {
  private let counts: [UInt32]
  private let blockSeconds: Int
  private let split: LaneSplit
  private var block = 0
  /// Arrivals before this have been handed over by whoever came before.
  private var notBefore: Int64 = 0

  /// - Parameter counts: of the service, by block.
  public init(
    counts: [UInt32], blockSeconds: Int, key: StreamKey, lane: Int, weights: [Double]
  ) {
    self.counts = counts
    self.blockSeconds = blockSeconds
    split = LaneSplit(key: key, lane: lane, weights: weights)
  }

  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    while block < counts.count, counts[block] == 0 { block += 1 }
    guard block < counts.count else { return .distantFuture }
    fill(block, into: &buffer)
    block += 1
    while !buffer.isEmpty, buffer.first.time < notBefore { _ = buffer.removeFirst() }
    return .seconds(Int64(block * blockSeconds))
  }

  private func fill(_ block: Int, into buffer: inout ArrivalBuffer) {
    let numbers = split.range(of: Int(counts[block]), block: block)
    split.spread(
      numbers, from: Int64(block * blockSeconds) * 1_000_000_000,
      length: Int64(blockSeconds) * 1_000_000_000, block: block, second: block * blockSeconds,
      into: &buffer)
  }

  public func count(second: Int) -> Int {
    let block = second / blockSeconds
    guard block < counts.count, counts[block] > 0 else { return 0 }
    var buffer = ArrivalBuffer()
    fill(block, into: &buffer)
    let start = Int64(second) * 1_000_000_000
    var count = 0
    while !buffer.isEmpty {
      let time = buffer.removeFirst().time
      if time >= start && time < start + 1_000_000_000 { count += 1 }
    }
    return count
  }

  public mutating func seek(to instant: Instant) {
    block = Int(instant.nanoseconds / 1_000_000_000) / blockSeconds
    notBefore = instant.nanoseconds
  }
}
