import Primitives
import SimulationKernel

/// How the arrivals of a service's second are given to its zones and then to times: keyed draws
/// from the top down, so that every zone, fidelity and zoom sees the same arrivals.
public struct LaneSplit: Sendable {
  /// Arrivals of one block are drawn at once; larger blocks are halved first.
  static let largestBlock: UInt64 = 4096

  let splitKey: StreamKey
  let timeKey: StreamKey
  /// Position of the lane among the service's zones, whose shares these are.
  let lane: Int
  let shares: [SplitShare]

  /// - Parameter key: of the service.
  public init(key: StreamKey, lane: Int, weights: [Double]) {
    splitKey = key.appending(0x5A17)
    timeKey = key.appending(0x71AE).appending(UInt64(lane))
    self.lane = lane
    shares = SplitShare.divided(by: weights)
  }

  /// The lane's share of the `count` arrivals of a block, as a range of their numbers.
  func range(of count: Int, block: Int) -> Range<Int> {
    guard shares.count > 1, count > 0 else { return 0..<count }
    var bits = splitKey.stream(UInt64(truncatingIfNeeded: block))
    var start = 0
    var result = 0..<0
    Counts.split(UInt64(count), over: shares, using: &bits) { side, taken in
      if side == lane { result = start..<(start + Int(taken)) }
      start += Int(taken)
    }
    return result
  }

  /// The shares of all lanes, as `range` gives them one by one.
  @inline(__always)
  func ranges(of count: Int, block: Int, _ body: (Int, Int) -> Void) {
    guard shares.count > 1, count > 0 else {
      for side in shares.indices { body(side, count) }
      return
    }
    var bits = splitKey.stream(UInt64(truncatingIfNeeded: block))
    Counts.split(UInt64(count), over: shares, using: &bits) { body($0, Int($1)) }
  }

  /// Arrivals of one block, or of a part of it by repeated halving.
  struct Part: Sendable {
    /// Numbers of the arrivals within the block.
    var numbers: Range<Int>
    var block: Int
    /// Nanoseconds.
    var start: Int64
    var length: Int64
    /// Place in the tree of halves: the root is 1, the halves of n are 2n and 2n + 1.
    var node: UInt64 = 1
  }

  func whole(_ numbers: Range<Int>, block: Int, start: Int64, length: Int64) -> Part {
    Part(numbers: numbers, block: block, start: start, length: length)
  }

  /// The halves of a part that is too large to be drawn at once: of its time, with a keyed share
  /// of its arrivals; nil for a part that is small enough.
  func halves(of part: Part) -> (Part, Part)? {
    guard UInt64(part.numbers.count) > Self.largestBlock, part.length > 1 else { return nil }
    var bits = timeKey.appending(UInt64(part.block)).stream(part.node)
    let first = Int(
      Counts.binomial(UInt64(part.numbers.count), share: 0.5, uniform: bits.uniformOpen()))
    let middle = part.numbers.lowerBound + first
    let half = part.length / 2
    var (left, right) = (part, part)
    left.numbers = part.numbers.lowerBound..<middle
    left.length = half
    left.node = 2 * part.node
    right.numbers = middle..<part.numbers.upperBound
    right.start += half
    right.length -= half
    right.node = 2 * part.node + 1
    return (left, right)
  }

  /// Puts the arrivals of a small part into the buffer, uniform over its time and sorted.
  func draw(_ part: Part, second: Int, into buffer: inout ArrivalBuffer) {
    guard !part.numbers.isEmpty else { return }
    var bits = timeKey.appending(UInt64(part.block)).stream(part.node)
    drawBlock(
      part.numbers, from: part.start, length: part.length, &bits, second: second, into: &buffer)
  }

  /// Sorted uniform times in O(n): partial sums of exponential spacings over their total (a
  /// textbook identity of order statistics). Each sum stands in its arrival's place until the total
  /// is known.
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
    let arrivals = buffer.extend(by: numbers.count)
    let first = Arrival.identity(second: second, k: numbers.lowerBound)
    var sum = 0.0
    for index in 0..<numbers.count {
      sum += ZigguratExponential.sample(using: &sequence)
      (arrivals + index).initialize(
        to: Arrival(
          time: Int64(bitPattern: sum.bitPattern), identity: first &+ UInt64(index)))
    }
    let scale = Double(length) / (sum + ZigguratExponential.sample(using: &sequence))
    for index in 0..<numbers.count {
      let sum = Double(bitPattern: UInt64(bitPattern: arrivals[index].time))
      arrivals[index].time = start + min(Int64(sum * scale), length - 1)
    }
  }
}
