import Primitives
import SimulationKernel

/// How the arrivals of a service's second are given to its zones and then to times: keyed draws
/// from the top down, so that every zone, fidelity and zoom sees the same arrivals.
public struct LaneSplit: Sendable {
  /// Arrivals of one block are drawn at once; larger blocks are halved first.
  static let largestBlock: UInt64 = 4096

  let splitKey: StreamKey
  let timeKey: StreamKey
  /// Position of the lane among the service's zones, whose weights these are.
  let lane: Int
  let weights: [Double]

  /// - Parameter key: of the service.
  public init(key: StreamKey, lane: Int, weights: [Double]) {
    splitKey = key.appending(0x5A17)
    timeKey = key.appending(0x71AE).appending(UInt64(lane))
    self.lane = lane
    self.weights = weights
  }

  /// The lane's share of the `count` arrivals of a block, as a range of their numbers.
  func range(of count: Int, block: Int) -> Range<Int> {
    guard weights.count > 1, count > 0 else { return 0..<count }
    var bits = splitKey.stream(UInt64(truncatingIfNeeded: block))
    var start = 0
    var result = 0..<0
    Counts.split(UInt64(count), weights: weights, using: &bits) { side, taken in
      if side == lane { result = start..<(start + Int(taken)) }
      start += Int(taken)
    }
    return result
  }

  /// Puts `numbers.count` arrivals into the buffer, uniform over [start, start + length) and
  /// sorted.
  func spread(
    _ numbers: Range<Int>, from start: Int64, length: Int64, block: Int, second: Int,
    into buffer: inout ArrivalBuffer
  ) {
    spread(
      numbers, from: start, length: length, node: 1, key: timeKey.appending(UInt64(block)),
      second: second, into: &buffer)
  }

  private func spread(
    _ numbers: Range<Int>, from start: Int64, length: Int64, node: UInt64, key: StreamKey,
    second: Int, into buffer: inout ArrivalBuffer
  ) {
    guard !numbers.isEmpty else { return }
    var bits = key.stream(node)
    if UInt64(numbers.count) > Self.largestBlock, length > 1 {
      let first = Int(
        Counts.binomial(UInt64(numbers.count), share: 0.5, uniform: bits.uniformOpen()))
      let middle = numbers.lowerBound + first
      let half = length / 2
      spread(
        numbers.lowerBound..<middle, from: start, length: half, node: 2 * node, key: key,
        second: second, into: &buffer)
      return spread(
        middle..<numbers.upperBound, from: start + half, length: length - half,
        node: 2 * node + 1, key: key, second: second, into: &buffer)
    }
    drawBlock(numbers, from: start, length: length, &bits, second: second, into: &buffer)
  }

  /// Sorted uniform times in O(n): partial sums of exponential spacings over their total (a
  /// textbook identity of order statistics). The spacings are drawn twice, for the total and for
  /// the sums, instead of being stored.
  private func drawBlock(
    _ numbers: Range<Int>, from start: Int64, length: Int64, _ bits: inout KeyedStream,
    second: Int, into buffer: inout ArrivalBuffer
  ) {
    if numbers.count == 1 {
      let offset = Int64(bits.uniform() * Double(length))
      return buffer.append(
        Arrival(
          time: start + offset,
          identity: Arrival.identity(second: second, k: numbers.lowerBound)))
    }
    var sequence = Xoshiro256PlusPlus(seed: bits.next())
    var again = sequence
    var total = 0.0
    for _ in 0...numbers.count { total += ZigguratExponential.sample(using: &sequence) }
    let scale = Double(length) / total
    var sum = 0.0
    for k in numbers {
      sum += ZigguratExponential.sample(using: &again)
      buffer.append(
        Arrival(
          time: start + min(Int64(sum * scale), length - 1),
          identity: Arrival.identity(second: second, k: k)))
    }
  }
}
