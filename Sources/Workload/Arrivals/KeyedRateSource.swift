import Primitives
import SimulationKernel

/// Arrivals of a service with a given intensity: for every second a count, a keyed function of the
/// rate and of a gamma factor that makes seconds more alike or more different than Poisson.
public struct KeyedRateSource: ArrivalSource {
  /// Empty seconds that one call passes over at most.
  static let longestSkip = 64

  /// How arrivals follow those of another service.
  private struct Chain {
    var factor: Double
    var delaySeconds: Int
    var key: StreamKey
  }

  private let countKey: StreamKey
  private let split: LaneSplit
  private let intensity: Intensity
  private let factors: GammaFactorTable?
  private let chain: Chain?
  private var second = 0
  private let end: Int
  /// Parts of the second before `second` that are still to come, the next one last.
  private var pending: [LaneSplit.Part] = []

  /// - Parameters:
  ///   - key: of the service.
  ///   - lane: position of the lane among the zones whose weights are given.
  ///   - factors: of the rate of each second; nil: Poisson.
  ///   - end: second from which on there is nothing more.
  public init(
    intensity: Intensity, factors: GammaFactorTable? = nil, key: StreamKey, lane: Int,
    weights: [Double], end: Int = .max
  ) {
    self.intensity = intensity
    self.factors = factors
    self.end = end
    chain = nil
    countKey = key.appending(0xC0)
    split = LaneSplit(key: key, lane: lane, weights: weights)
  }

  /// Arrivals that another service's bring about: so many for each, some seconds later, whatever
  /// became of it. Where the factor is no whole number each has one more with the chance of the
  /// rest.
  ///
  /// - Parameters:
  ///   - cause: of another service; its lane does not matter. What it follows itself is left out.
  ///   - key: of the service that follows.
  public init(
    following cause: KeyedRateSource, factor: Double, delaySeconds: Int, key: StreamKey, lane: Int,
    weights: [Double]
  ) {
    intensity = cause.intensity
    factors = cause.factors
    countKey = cause.countKey
    end = cause.end
    chain = Chain(factor: factor, delaySeconds: delaySeconds, key: key.appending(0xC4A1))
    split = LaneSplit(key: key, lane: lane, weights: weights)
  }

  /// Arrivals of the whole service in a second.
  public func serviceCount(second: Int) -> Int {
    guard let chain else { return ownCount(second: second) }
    guard second >= chain.delaySeconds else { return 0 }
    let causes = ownCount(second: second - chain.delaySeconds)
    let whole = Int(chain.factor)
    guard causes > 0 else { return 0 }
    var bits = chain.key.stream(UInt64(truncatingIfNeeded: second))
    let more = Counts.binomial(
      UInt64(causes), share: chain.factor - Double(whole), uniform: bits.uniformOpen())
    return causes * whole + Int(more)
  }

  private func ownCount(second: Int) -> Int {
    var mean = intensity.perSecond(second)
    guard mean > 0, second < end else { return 0 }
    var bits = countKey.stream(UInt64(truncatingIfNeeded: second))
    let uniform = bits.uniformOpen()
    if let factors { mean *= factors.sample(using: &bits) }
    return Int(Counts.poisson(mean: mean, uniform: uniform))
  }

  public func count(second: Int) -> Int {
    split.range(of: serviceCount(second: second), block: second).count
  }

  public var countsAllLanes: Bool { true }

  public func countAllLanes(
    from first: Int, seconds: Int, lanes: Int, into counts: UnsafeMutablePointer<UInt32>
  ) {
    for offset in 0..<seconds {
      split.ranges(of: serviceCount(second: first + offset), block: first + offset) { lane, count in
        counts[lane * seconds + offset] = UInt32(clamping: count)
      }
    }
  }

  /// Puts in a part of a second, a few thousand arrivals at most, so that a busy lane's are used
  /// while they are in the cache.
  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    if pending.isEmpty {
      guard let whole = nextSecond() else {
        return second < end ? .seconds(Int64(second)) : .distantFuture
      }
      draw(whole, into: &buffer)
    }
    while buffer.isEmpty, let part = pending.popLast() { draw(part, into: &buffer) }
    guard let next = pending.last else { return .seconds(Int64(second)) }
    return Instant(nanoseconds: next.start)
  }

  /// Draws a small part, and puts off the halves of a large one.
  private mutating func draw(_ part: LaneSplit.Part, into buffer: inout ArrivalBuffer) {
    guard let (first, later) = split.halves(of: part) else {
      return split.draw(part, second: part.block, into: &buffer)
    }
    pending.append(later)
    pending.append(first)
  }

  /// The next second in which something arrives; nil when there is none among the next few.
  private mutating func nextSecond() -> LaneSplit.Part? {
    for _ in 0..<Self.longestSkip {
      guard second < end else { return nil }
      let numbers = split.range(of: serviceCount(second: second), block: second)
      second += 1
      guard numbers.isEmpty else {
        return split.whole(
          numbers, block: second - 1, start: Int64(second - 1) * 1_000_000_000,
          length: 1_000_000_000)
      }
    }
    return nil
  }

  public mutating func seek(to instant: Instant) {
    second = Int(instant.nanoseconds / 1_000_000_000)
    pending.removeAll()
  }
}
