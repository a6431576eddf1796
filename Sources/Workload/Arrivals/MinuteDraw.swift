import Primitives
import SimulationKernel

/// The arrivals of a service in a minute, drawn from the top down: the factors of its seconds, then
/// the minute's count, and where somebody asks for seconds theirs given that count.
///
/// The law is that of seconds drawn one by one. Given the factors f, counts of seconds are
/// independent Poisson numbers of means λ f, so that their sum is one, of mean Σ λ f, and they are
/// multinomial given the sum (a textbook property of Poisson numbers). A minute of whose seconds
/// nobody asks costs 60 looks at the table of factors and one count.
struct MinuteDraw: Sendable {
  static let seconds = 60

  let intensity: Intensity
  let factors: GammaFactorTable?
  /// Of the service.
  let key: StreamKey
  /// Second from which on there is nothing more.
  let end: Int

  /// Arrivals of the whole service in a minute.
  func total(minute: Int) -> UInt64 {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.seconds) { means in
      guard let means = means.baseAddress else { return 0 }
      return total(minute: minute, means)
    }
  }

  /// The same, and what each second has on average given its factor.
  private func total(minute: Int, _ means: UnsafeMutablePointer<Double>) -> UInt64 {
    let first = minute * Self.seconds
    guard first < end else {
      means.initialize(repeating: 0, count: Self.seconds)
      return 0
    }
    intensity.ofMinute(minute, into: means)
    for index in max(0, min(end - first, Self.seconds))..<Self.seconds { means[index] = 0 }
    var bits = key.appending(UInt64(truncatingIfNeeded: minute)).sequence()
    let uniform = bits.uniformOpen()
    var sum = 0.0
    if let factors {
      factors.factors.withUnsafeBufferPointer { table in
        for index in 0..<Self.seconds {
          means[index] *= table[Int(bits.next() >> 52)]
          sum += means[index]
        }
      }
    } else {
      for index in 0..<Self.seconds { sum += means[index] }
    }
    return Counts.poisson(mean: sum, uniform: uniform)
  }

  /// The counts of a minute's seconds; returns their sum.
  @discardableResult
  func seconds(minute: Int, into counts: UnsafeMutablePointer<UInt32>) -> UInt64 {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.seconds) { means in
      guard let means = means.baseAddress else { return 0 }
      let total = total(minute: minute, means)
      divide(total, by: means, minute: minute, into: counts)
      return total
    }
  }

  /// Each second takes its share of what those before it left; the last with a mean takes the rest.
  private func divide(
    _ total: UInt64, by means: UnsafeMutablePointer<Double>, minute: Int,
    into counts: UnsafeMutablePointer<UInt32>
  ) {
    counts.initialize(repeating: 0, count: Self.seconds)
    guard total > 0 else { return }
    var (last, rest) = (0, 0.0)
    for index in 0..<Self.seconds where means[index] > 0 {
      last = index
      rest += means[index]
    }
    var bits = key.appending(0x5EC0).appending(UInt64(truncatingIfNeeded: minute)).sequence()
    var left = total
    for index in 0..<last where left > 0 {
      let share = means[index] < rest ? means[index] / rest : 1
      let taken = Counts.binomial(left, share: share, uniform: bits.uniformOpen())
      counts[index] = UInt32(clamping: taken)
      left -= taken
      rest -= means[index]
    }
    counts[last] = UInt32(clamping: left)
  }
}

extension LaneSplit {
  /// A minute's arrivals of each lane, in order.
  func minuteTotals(of total: UInt64, minute: Int, _ body: (Int, UInt64) -> Void) {
    guard shares.count > 1, total > 0 else {
      for side in shares.indices { body(side, total) }
      return
    }
    var bits = splitKey.appending(0x317).stream(UInt64(truncatingIfNeeded: minute))
    Counts.split(total, over: shares, using: &bits, body)
  }

  /// The counts of a minute's seconds in each lane, given those of the whole service and the
  /// minute's totals of lanes: `body` gets (lane, second of the minute, count), second by second.
  ///
  /// Lanes and seconds of single arrivals are independent of one another, so that given both sums
  /// each second's are drawn from what lanes have left without putting back (the law of contingency
  /// tables with given sums).
  func minuteSeconds(
    _ seconds: UnsafePointer<UInt32>, total: UInt64, minute: Int, _ body: (Int, Int, UInt64) -> Void
  ) {
    let lanes = shares.count
    guard lanes > 1, total > 0 else {
      for second in 0..<MinuteDraw.seconds {
        for lane in 0..<lanes { body(lane, second, UInt64(seconds[second])) }
      }
      return
    }
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: lanes) { left in
      minuteTotals(of: total, minute: minute) { left[$0] = $1 }
      var bits = splitKey.appending(0x318).appending(UInt64(truncatingIfNeeded: minute)).sequence()
      var all = total
      for second in 0..<MinuteDraw.seconds {
        var draws = UInt64(seconds[second])
        var among = all
        all -= draws
        for lane in 0..<lanes {
          let taken =
            draws == 0 || lane == lanes - 1
            ? draws
            : Counts.hypergeometric(
              draws: draws, marked: left[lane], of: among, uniform: bits.uniformOpen())
          among -= left[lane]
          left[lane] -= taken
          draws -= taken
          body(lane, second, taken)
        }
      }
    }
  }
}

extension Intensity {
  /// Expected requests in each second of a minute.
  func ofMinute(_ minute: Int, into means: UnsafeMutablePointer<Double>) {
    let first = minute * MinuteDraw.seconds
    let last = MinuteDraw.seconds - 1
    guard isStraight(minute: minute) else {
      for index in 0...last { (means + index).initialize(to: perSecond(first + index)) }
      return
    }
    let begin = perSecond(first)
    let step = (perSecond(first + last) - begin) / Double(last)
    for index in 0...last {
      (means + index).initialize(to: max(0, begin + step * Double(index)))
    }
  }

  /// Whether it is known that the rate goes straight from a minute's first second to its last.
  func isStraight(minute: Int) -> Bool {
    switch self {
    case .constant, .daily, .minutes: true
    case .profile, .burst: false
    case .modulated(let base, let modulation):
      modulation.isConstant(from: minute * 60, to: minute * 60 + 60)
        && base.isStraight(minute: minute)
    case .daywise(let base, _): base.isStraight(minute: minute)
    case .ahead(let base, let seconds):
      seconds % 60 == 0 && base.isStraight(minute: minute + seconds / 60)
    }
  }
}

extension RateModulation {
  /// Whether the factor is one number in [from, to). O(log windows).
  func isConstant(from: Int, to: Int) -> Bool {
    var (low, high) = (0, windows.count)
    while low < high {
      let middle = (low + high) / 2
      if windows[middle].from <= from { low = middle + 1 } else { high = middle }
    }
    if low < windows.count, windows[low].from < to { return false }
    guard low > 0 else { return true }
    let window = windows[low - 1]
    if from < window.to { return to <= window.to }
    return decaySeconds <= 0 || Double(from - window.to) > 40 * decaySeconds
  }
}
