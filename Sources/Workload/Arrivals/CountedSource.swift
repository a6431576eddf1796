import Primitives
import SimulationKernel

/// Arrivals whose number per minute, or per longer block, is known: uniform within the block, their
/// total kept exactly.
///
/// A block's arrivals are numbered; zones own consecutive ranges of numbers by a keyed split, and
/// times are found by halving, a few thousand at a time, so that the count of a second is a pure
/// function that costs no more than the way to it.
public struct CountedSource: ArrivalSource {
  private let counts: [UInt32]
  private let blockSeconds: Int
  private let split: LaneSplit
  private var block = 0
  /// Parts of the present block that are still to come, the next one last.
  private var pending: [LaneSplit.Part] = []
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
    while buffer.isEmpty {
      guard let part = nextPart() else { return .distantFuture }
      if part.start + part.length <= notBefore { continue }
      if let (first, second) = split.halves(of: part) {
        pending.append(second)
        pending.append(first)
        continue
      }
      split.draw(part, second: part.block * blockSeconds, into: &buffer)
      while !buffer.isEmpty, buffer.first.time < notBefore { _ = buffer.removeFirst() }
    }
    if let next = pending.last { return Instant(nanoseconds: next.start) }
    return .seconds(Int64(block * blockSeconds))
  }

  /// The part that comes next; nil at the end.
  private mutating func nextPart() -> LaneSplit.Part? {
    if let part = pending.popLast() { return part }
    while block < counts.count, counts[block] == 0 { block += 1 }
    guard block < counts.count else { return nil }
    block += 1
    return whole(block - 1)
  }

  private func whole(_ block: Int) -> LaneSplit.Part {
    split.whole(
      split.range(of: Int(counts[block]), block: block), block: block,
      start: Int64(block * blockSeconds) * 1_000_000_000,
      length: Int64(blockSeconds) * 1_000_000_000)
  }

  public func count(second: Int) -> Int {
    let block = second / blockSeconds
    guard block < counts.count, counts[block] > 0 else { return 0 }
    let start = Int64(second) * 1_000_000_000
    let end = start + 1_000_000_000
    var parts = [whole(block)]
    var count = 0
    while let part = parts.popLast() {
      if part.start >= end || part.start + part.length <= start { continue }
      if part.start >= start, part.start + part.length <= end {
        count += part.numbers.count
      } else if let (first, second) = split.halves(of: part) {
        parts.append(first)
        parts.append(second)
      } else {
        var buffer = ArrivalBuffer()
        split.draw(part, second: 0, into: &buffer)
        while !buffer.isEmpty {
          let time = buffer.removeFirst().time
          if time >= start && time < end { count += 1 }
        }
      }
    }
    return count
  }

  public mutating func seek(to instant: Instant) {
    block = Int(instant.nanoseconds / 1_000_000_000) / blockSeconds
    pending.removeAll()
    notBefore = instant.nanoseconds
  }
}
