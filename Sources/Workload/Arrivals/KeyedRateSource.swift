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

    /// What the requests of a second bring about in a second that lies `delaySeconds` later.
    func messages(of causes: Int, second: Int) -> Int {
      let whole = Int(factor)
      guard causes > 0 else { return 0 }
      var bits = key.stream(UInt64(truncatingIfNeeded: second))
      let more = Counts.binomial(
        UInt64(causes), share: factor - Double(whole), uniform: bits.uniformOpen())
      return causes * whole + Int(more)
    }
  }

  /// The lane's part of a minute: numbers among those of each second.
  private struct MinutePart {
    var minute: Int
    var numbers: [Range<UInt32>]
  }

  private let countKey: StreamKey
  private let split: LaneSplit
  private let intensity: Intensity
  private let factors: GammaFactorTable?
  private let chain: Chain?
  /// How minutes are drawn; nil: seconds are, one by one.
  private let minutes: MinuteDraw?
  /// The minute whose seconds are being handed over, where minutes are drawn.
  private var part: MinutePart?
  private var second = 0
  private let end: Int
  /// Parts of the second before `second` that are still to come, the next one last.
  private var pending: [LaneSplit.Part] = []

  /// - Parameters:
  ///   - key: of the service.
  ///   - lane: position of the lane among the zones whose weights are given.
  ///   - factors: of the rate of each second; nil: Poisson.
  ///   - end: second from which on there is nothing more.
  ///   - byMinute: minutes are drawn before their seconds, by the same law: for many services of
  ///     which nobody asks for seconds. Any second then costs as much as its minute.
  public init(
    intensity: Intensity, factors: GammaFactorTable? = nil, key: StreamKey, lane: Int,
    weights: [Double], end: Int = .max, byMinute: Bool = false
  ) {
    self.intensity = intensity
    self.factors = factors
    self.end = end
    chain = nil
    countKey = key.appending(0xC0)
    minutes =
      byMinute
      ? MinuteDraw(
        intensity: intensity, factors: factors, key: key.appending(0xC0).appending(0x60), end: end)
      : nil
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
    minutes = cause.minutes
    chain = Chain(factor: factor, delaySeconds: delaySeconds, key: key.appending(0xC4A1))
    split = LaneSplit(key: key, lane: lane, weights: weights)
  }

  /// Arrivals of the whole service in a second.
  public func serviceCount(second: Int) -> Int {
    guard let chain else { return ownCount(second: second) }
    guard second >= chain.delaySeconds else { return 0 }
    return chain.messages(of: ownCount(second: second - chain.delaySeconds), second: second)
  }

  private func ownCount(second: Int) -> Int {
    if minutes != nil {
      var count: UInt32 = 0
      drawCounts(from: second, seconds: 1, into: &count)
      return Int(count)
    }
    var mean = intensity.perSecond(second)
    guard mean > 0, second < end else { return 0 }
    var bits = countKey.stream(UInt64(truncatingIfNeeded: second))
    let uniform = bits.uniformOpen()
    if let factors { mean *= factors.sample(using: &bits) }
    return Int(Counts.poisson(mean: mean, uniform: uniform))
  }

  /// Counts of the service that is drawn by minutes, in whole seconds; none before second 0.
  private func drawCounts(
    from first: Int, seconds: Int, into counts: UnsafeMutablePointer<UInt32>
  ) {
    guard let minutes else { return }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: MinuteDraw.seconds) { buffer in
      guard let drawn = buffer.baseAddress else { return }
      var second = first
      while second < first + seconds {
        guard second >= 0 else {
          counts[second - first] = 0
          second += 1
          continue
        }
        let minute = second / MinuteDraw.seconds
        minutes.seconds(minute: minute, into: drawn)
        while second < min(first + seconds, (minute + 1) * MinuteDraw.seconds) {
          counts[second - first] = drawn[second - minute * MinuteDraw.seconds]
          second += 1
        }
      }
    }
  }

  public func count(second: Int) -> Int {
    guard countsMinutes else {
      return split.range(of: serviceCount(second: second), block: second).count
    }
    var count: UInt32 = 0
    self.count(from: second, seconds: 1, into: &count)
    return Int(count)
  }

  public func count(
    from first: Int, seconds: Int, into counts: UnsafeMutablePointer<UInt32>
  ) {
    let own = split.lane
    forEachLane(from: first, seconds: seconds) { lane, second, count in
      if lane == own { counts[second - first] = UInt32(clamping: count) }
    }
  }

  public var countsAllLanes: Bool { true }

  public func countAllLanes(
    from first: Int, seconds: Int, lanes: Int, into counts: UnsafeMutablePointer<UInt32>
  ) {
    forEachLane(from: first, seconds: seconds) { lane, second, count in
      counts[lane * seconds + second - first] = UInt32(clamping: count)
    }
  }

  public var drawsMinutes: Bool { minutes != nil }
  public var countsMinutes: Bool { minutes != nil && chain == nil }
  public var shapeOfSeconds: Double { factors?.shape ?? .infinity }

  public func countMinute(_ minute: Int, lanes: Int, into totals: UnsafeMutablePointer<UInt32>) {
    guard let minutes else { return }
    split.minuteTotals(of: minutes.total(minute: minute), minute: minute) {
      totals[$0] = UInt32(clamping: $1)
    }
  }

  /// Counts of all lanes in whole seconds: `body` gets (lane, second, count), second by second.
  @inline(__always)
  private func forEachLane(from first: Int, seconds: Int, _ body: (Int, Int, Int) -> Void) {
    if minutes == nil {
      for second in first..<(first + seconds) {
        split.ranges(of: serviceCount(second: second), block: second) { body($0, second, $1) }
      }
    } else if let chain {
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: seconds) { causes in
        guard let base = causes.baseAddress else { return }
        drawCounts(from: first - chain.delaySeconds, seconds: seconds, into: base)
        for second in first..<(first + seconds) {
          let messages = chain.messages(of: Int(base[second - first]), second: second)
          split.ranges(of: messages, block: second) { body($0, second, $1) }
        }
      }
    } else {
      var second = first
      while second < first + seconds {
        let minute = second / MinuteDraw.seconds
        let end = min(first + seconds, (minute + 1) * MinuteDraw.seconds)
        let span = second..<end
        forEachLane(ofMinute: minute) { lane, at, count in
          let at = minute * MinuteDraw.seconds + at
          if span.contains(at) { body(lane, at, count) }
        }
        second = end
      }
    }
  }

  private func forEachLane(ofMinute minute: Int, _ body: (Int, Int, Int) -> Void) {
    guard let minutes else { return }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: MinuteDraw.seconds) { buffer in
      guard let drawn = buffer.baseAddress else { return }
      let total = minutes.seconds(minute: minute, into: drawn)
      split.minuteSeconds(drawn, total: total, minute: minute) { body($0, $1, Int($2)) }
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
      let numbers = numbers(second: second)
      second += 1
      guard numbers.isEmpty else {
        return split.whole(
          numbers, block: second - 1, start: Int64(second - 1) * 1_000_000_000,
          length: 1_000_000_000)
      }
    }
    return nil
  }

  /// The lane's among the arrivals of a second.
  private mutating func numbers(second: Int) -> Range<Int> {
    guard minutes != nil else {
      return split.range(of: serviceCount(second: second), block: second)
    }
    let minute = second / MinuteDraw.seconds
    if part?.minute != minute { part = makePart(minute) }
    let numbers = part?.numbers[second - minute * MinuteDraw.seconds] ?? 0..<0
    return Int(numbers.lowerBound)..<Int(numbers.upperBound)
  }

  private func makePart(_ minute: Int) -> MinutePart {
    var numbers = [Range<UInt32>](repeating: 0..<0, count: MinuteDraw.seconds)
    let (first, own) = (minute * MinuteDraw.seconds, split.lane)
    var before: UInt32 = 0
    forEachLane(from: first, seconds: MinuteDraw.seconds) { lane, second, count in
      if lane == 0 { before = 0 }
      let after = before + UInt32(clamping: count)
      if lane == own { numbers[second - first] = before..<after }
      before = after
    }
    return MinutePart(minute: minute, numbers: numbers)
  }

  public mutating func seek(to instant: Instant) {
    second = Int(instant.nanoseconds / 1_000_000_000)
    pending.removeAll()
  }
}
