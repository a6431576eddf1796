import Primitives
import SimulationKernel
import Workload

/// The arrivals of a lane as counts: those of each whole second are the source's, the same that
/// request fidelity meets one by one; within a second they are divided at random.
struct CountFeed: Sendable {
  /// Where the lane finds the counts of whole seconds that it shares with the service's others.
  struct Place: @unchecked Sendable {
    // Used by the thread that runs the cluster, which owns what it points to.
    var block: UnsafeMutablePointer<CountBlock>
    /// The lane's position among the service's.
    var lane: Int
  }

  private(set) var source: any ArrivalSource
  private var place: Place?
  private var isShared: Bool
  /// The whole second that is being handed out, and what is left of it.
  private(set) var second: Int
  private(set) var remaining: Int
  /// All arrivals of that second.
  private(set) var ofSecond: Int
  /// Arrivals handed over so far.
  private(set) var delivered: UInt64
  /// Seconds that began inside a step since they were asked for last, and their arrivals.
  private var passedSeconds = 0
  private var passedArrivals = 0
  /// Whether it may hand over whole minutes; arrivals of the minute that begins with `second`, of
  /// whose seconds nothing is known yet; nil: they are.
  private var handsMinutes = false
  private(set) var wholeMinute: Int?
  /// Of a source that is not shared and draws minutes.
  private var ownMinute: OwnMinute?

  /// - Parameters:
  ///   - now: handed over up to here.
  ///   - remaining: arrivals of the second of `now` that are still to come; nil: all of them.
  ///   - place: of shared counts; used while the source is one that gives those of all lanes.
  init(
    _ source: any ArrivalSource, at now: Instant, remaining: Int?, delivered: UInt64,
    sharing place: Place? = nil
  ) {
    self.source = source
    self.place = place
    isShared = place != nil && source.countsAllLanes
    if !isShared, source.drawsMinutes { ownMinute = OwnMinute() }
    self.delivered = delivered
    second = Int(now.nanoseconds / 1_000_000_000)
    ofSecond = 0
    self.remaining = 0
    ofSecond = count(second)
    self.remaining = remaining ?? ofSecond
  }

  var endOfSecond: Instant { .seconds(Int64(second + 1)) }

  /// The lane's arrivals in a whole second.
  func count(_ second: Int) -> Int {
    guard isShared, let place else {
      return ownMinute?.count(second, of: source) ?? source.count(second: second)
    }
    if !place.block.pointee.holds(second) { draw(second, place.block) }
    return place.block.pointee.count(lane: place.lane, second: second)
  }

  private func draw(_ second: Int, _ block: UnsafeMutablePointer<CountBlock>) {
    let first = second / CountBlock.seconds * CountBlock.seconds
    block.pointee.first = Int32(first)
    source.countAllLanes(
      from: first, seconds: CountBlock.seconds, lanes: Int(block.pointee.lanes),
      into: block.pointee.counts)
  }

  // MARK: Whole minutes

  /// From now on minutes are handed over whole, where the source has them so and nobody asks for
  /// their seconds.
  mutating func handOverMinutes() { handsMinutes = isShared && source.countsMinutes }

  var endOfMinute: Instant { .seconds(Int64((second / 60 + 1) * 60)) }
  var shapeOfSeconds: Double { source.shapeOfSeconds }

  private func total(ofMinute minute: Int) -> Int? {
    guard let place else { return nil }
    if place.block.pointee.minute != Int32(minute) {
      place.block.pointee.minute = Int32(minute)
      source.countMinute(
        minute, lanes: Int(place.block.pointee.lanes), into: place.block.pointee.totals)
    }
    return Int(place.block.pointee.totals[place.lane])
  }

  /// From here on second by second.
  mutating func divideMinute() {
    guard wholeMinute != nil else { return }
    wholeMinute = nil
    ofSecond = count(second)
    remaining = ofSecond
  }

  /// The same inside a step.
  private mutating func divideMinuteInPassing() {
    divideMinute()
    passedSeconds += 1
    passedArrivals += ofSecond
  }

  /// Hands over all of a minute that nothing was taken of.
  private mutating func takeMinute(_ total: Int) -> Int {
    wholeMinute = nil
    second += 59
    ofSecond = (total + 59) / 60
    remaining = 0
    passedSeconds += 60
    passedArrivals += total
    delivered &+= UInt64(total)
    return total
  }

  /// The first second from `first` on, and before `end`, that has more than `most` arrivals; `end`
  /// when there is none.
  func firstSecond(from first: Int, beyond most: Int, before end: Int) -> Int {
    var next = first
    while next < end, count(next) <= most { next += 1 }
    return next
  }

  /// What is to come before a second.
  func arrivals(before end: Int) -> Int {
    var sum = remaining
    var next = second + 1
    while next < end {
      sum += count(next)
      next += 1
    }
    return sum
  }

  /// The arrivals in [from, to), `from` being where the last call ended.
  mutating func take(
    from: Instant, to: Instant, using bits: inout some BitSource
  ) -> Int {
    if let total = wholeMinute {
      if to == endOfMinute { return takeMinute(total) }
      divideMinuteInPassing()
    }
    var taken = 0
    var from = from
    while to > endOfSecond {
      taken += remaining
      from = endOfSecond
      begin(second + 1)
      guard wholeMinute == nil else {
        divideMinuteInPassing()
        continue
      }
      passedSeconds += 1
      passedArrivals += ofSecond
    }
    let left = Double((endOfSecond - from).count)
    let share = left > 0 ? Double((to - from).count) / left : 1
    let last = BinomialDraw.sample(remaining, share: share, using: &bits)
    remaining -= last
    taken += last
    delivered &+= UInt64(taken)
    return taken
  }

  /// Hands over one arrival of this second.
  mutating func takeOne() {
    remaining -= 1
    delivered &+= 1
  }

  /// When the next arrival comes, if one is left in this second.
  func firstArrival(after now: Instant, using bits: inout some BitSource) -> Instant? {
    guard remaining > 0 else { return nil }
    // The least of n uniform numbers.
    let log = Elementary.log(bits.uniformOpen()) / Double(remaining)
    let share = -Elementary.exp(log) + 1
    let left = Double((endOfSecond - now).count)
    return min(now + Nanoseconds(Int64(share * left) + 1), endOfSecond)
  }

  mutating func nextSecond() { begin(second + 1) }

  private mutating func begin(_ next: Int) {
    second = next
    if handsMinutes, next % 60 == 0, let total = total(ofMinute: next / 60) {
      wholeMinute = total
      ofSecond = (total + 59) / 60
      remaining = ofSecond
      return
    }
    ofSecond = count(next)
    remaining = ofSecond
  }

  /// Seconds that have begun inside a step since the last call, and their arrivals.
  mutating func takePassed() -> (seconds: Int, arrivals: Int) {
    defer { (passedSeconds, passedArrivals) = (0, 0) }
    return (passedSeconds, passedArrivals)
  }

  mutating func goOn(with other: any ArrivalSource, at now: Instant) {
    let handsMinutes = handsMinutes
    self = CountFeed(other, at: now, remaining: nil, delivered: delivered, sharing: place)
    if handsMinutes { handOverMinutes() }
  }

  /// The same in another cluster.
  mutating func move(to blocks: UnsafeMutablePointer<CountBlock>, service: Int) {
    place?.block = blocks + service
    if ownMinute != nil { ownMinute = OwnMinute() }
  }
}

/// The seconds of a minute of a source that has a lane to itself. A cache of a pure function, which
/// belongs to one feed.
private final class OwnMinute: @unchecked Sendable {
  // Used by the thread that runs the cluster; a copy of the lane gets one of its own.
  private var minute = -1
  private var counts = [UInt32](repeating: 0, count: 60)

  func count(_ second: Int, of source: any ArrivalSource) -> Int {
    let wanted = second / 60
    if wanted != minute {
      minute = wanted
      counts.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        source.count(from: wanted * 60, seconds: 60, into: base)
      }
    }
    return Int(counts[second - wanted * 60])
  }
}

/// Exact small and rounded-normal large binomial draws, from a sequence.
enum BinomialDraw {
  @inline(__always)
  static func sample(_ count: Int, share: Double, using bits: inout some BitSource) -> Int {
    if count <= 0 || share <= 0 { return 0 }
    if share >= 1 { return count }
    return Int(Counts.binomial(UInt64(count), share: share, uniform: bits.uniformOpen()))
  }
}
