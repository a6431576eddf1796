import ControlPlane
import Primitives

// Lanes in which whoever waits first has an instance asked for: a step ends as that happens.
//
// Under `on_demand` nobody waits before somebody is asked for. So up to the first who finds all
// slots taken a lane is one in which nobody waits, however often that would be in equilibrium, and
// when he comes says the time that a queue takes to reach one more than its slots.
extension FlowState {
  /// Whether the next that waits has an instance asked for at once, since none is on its way and
  /// one may be.
  var asksAtFirstWait: Bool {
    guard rules.startRule == .onDemand, control.starts.isEmpty, waiting == 0, canStart, !isDown,
      !isHalted, !followsPlaces, !settings.isTopic, instances.count > 0, inService <= slots
    else { return false }
    return !isGated && !isLettingOut && gateLog.waiting == 0 && !isNarrow && repeating == 0
      && control.route.age(at: now) != .absent
  }

  /// Ends the step that begins where the next comes who finds all slots taken, unless it ends
  /// before. In the second of which a rest has found that somebody waits in it, that lies in what
  /// is left of it.
  mutating func planAsk() {
    guard stepEnd > quietUntil, stepArrivals == .drawn, asksAtFirstWait else { return }
    let isDue = feed.second == peakSecond
    let load = expectedLoad
    guard isDue || Double(slots) < load + 5 * load.squareRoot() + 4 else { return }
    firstWait.prepare(slots: slots, load: load)
    let left = (feed.endOfSecond - now).seconds
    var wait = Double.infinity
    if isDue {
      let perSecond = firstWait.longRunRate(mean: service.mean)
      let chance = 1 - Elementary.exp(-perSecond * left)
      let drawn = bits.uniformOpen()
      wait = chance > 1e-6 ? -Elementary.log1p(-drawn * chance) / perSecond : drawn * left
    } else {
      wait = firstWait.draw(inService: inService, mean: service.mean, using: &bits)
    }
    guard wait < left else { return }
    let instant = now + Nanoseconds(max(1, Int64(wait * 1e9)))
    guard instant <= stepEnd else { return }
    endStep(before: instant)
    stepArrivals = .lastWaits
  }

  /// The load that the lane's rate offers, or what the present second brings where chance cannot
  /// explain it.
  private var expectedLoad: Double {
    let second = Double(feed.ofSecond + retriesOfSecond)
    let seen = second - 4 * second.squareRoot()
    return max(rate.perSecond > 0 ? rate.perSecond : second, seen) * service.mean
  }

  /// A step in which nobody waits before its end, where the last that comes does if `isEndedByWait`
  /// says so. Returns how many have completed.
  mutating func stepBeforeAsk(
    arrivals: Int, isEndedByWait: Bool, from start: Instant, to end: Instant
  ) -> Int {
    isBacklogKnown = false
    backlog = 0
    let (all, slots) = (inService + arrivals, slots)
    if isEndedByWait, arrivals > 0, all > slots || offeredLoad < Double(slots) {
      peakSecond = .min
      peakWaiting = max(peakWaiting, 1)
      let waits = all > slots ? 1 : 0
      ledger.settle(came(arrivals - waits, from: start, to: end), wait: 0)
      if waits > 0 { ledger.append(came(1, from: end, to: end)) }
      inService = min(all, slots)
      return all - waits - inService
    }
    ledger.settle(came(arrivals, from: start, to: end), wait: 0)
    let h = (end - start).seconds
    let forgotten = 1 - Elementary.exp(-h / service.mean)
    var after = Int.max
    for _ in 0..<8 {
      let (old, new) = endings(arrivals: arrivals, over: h)
      after = all - old - new
      guard after <= slots else { continue }
      // Nobody has waited up to here, which is the less likely the nearer the end is to that.
      let spared = 1 - forgotten * (1 - firstWait.spared(inService: after, slots: slots))
      if spared >= 1 || bits.uniform() < spared { break }
    }
    inService = min(after, slots)
    return all - inService
  }
}

/// When the next comes who finds all slots taken.
///
/// The mean time in which a birth and death process climbs from i to i + 1 is 1/(λ B(i, a)), B
/// being Erlang's loss of i slots at the load a (Keilson 1979), so that from k to one more than the
/// slots it is the sum of these from k to the slots, M(k). Where that is long, the process forgets
/// first where it was, or climbs at once: with a chance of 1 − M(k)/M(a), in the time in which the
/// walk that is bound to do so does; else the time is exponential with mean M(a). Exact in the mean
/// for exponential service; 1/(λ B) of the last step, which is most of it, holds for any.
struct FirstWait: Sendable {
  /// With more slots only the level of the load is known, where a line is not far from its mean.
  private static let mostLevels = 512

  private var slots = -1
  private var load = 0.0
  /// M(a) and M(k) by k, each times λ.
  private var fromLoad = Double.infinity
  private var fromLevel: [Double] = []

  /// Makes it hold for a load, in erlang; one that is nearer to the last than a 256th of what is
  /// free is taken for it. O(slots) where it is not.
  mutating func prepare(slots: Int, load: Double) {
    let tolerance = max(0, 1 - min(load / Double(max(1, slots)), 0.99)) / 256
    if slots == self.slots, abs(load - self.load) <= tolerance * load { return }
    (self.slots, self.load) = (slots, load)
    fromLevel.removeAll(keepingCapacity: true)
    fromLoad = .infinity
    guard load > 0, slots > 0 else { return }
    let typical = min(slots, Int(min(load, 1e9)))
    var (perLoss, sum) = (1.0, 0.0)
    for level in 0...slots {
      if level > 0 { perLoss = 1 + Double(level) / load * perLoss }
      if slots <= Self.mostLevels { fromLevel.append(perLoss) }
      if level >= typical { sum += perLoss }
    }
    fromLoad = sum
    var level = fromLevel.count - 1
    while level > 0 {
      fromLevel[level - 1] += fromLevel[level]
      level -= 1
    }
  }

  /// How often somebody waits who is the first, a second.
  func longRunRate(mean: Double) -> Double { mean > 0 ? load / mean / fromLoad : 0 }

  /// The time until somebody does, seconds. Precondition: prepared for the slots.
  func draw(inService: Int, mean: Double, using bits: inout some BitSource) -> Double {
    guard load > 0, mean > 0, fromLoad < .infinity else { return .infinity }
    let perSecond = load / mean
    let own =
      inService < fromLevel.count ? fromLevel[max(0, inService)] : fromLoad
    if own < fromLoad, Double(slots) > load, bits.uniform() * fromLoad > own {
      let climbing = Double(slots + 1 - inService) / (Double(slots) - load)
      return climbing * mean * -Elementary.log(bits.uniformOpen())
    }
    let longer = max(0, own - fromLoad)
    let spread = Double(slots) > load ? fromLoad : max(0, own - longer)
    return (longer - spread * Elementary.log(bits.uniformOpen())) / perSecond
  }

  /// The chance not to have waited of late for a line that has so many in service, against one that
  /// has none.
  func spared(inService: Int, slots: Int) -> Double {
    guard slots == self.slots, inService >= 0, inService < fromLevel.count, fromLevel[0] < .infinity
    else { return 1 }
    return fromLevel[inService] / fromLevel[0]
  }

  /// The mean number of arrivals up to the first that finds all slots taken.
  func meanArrivals(inService: Int) -> Double {
    inService < fromLevel.count ? fromLevel[inService] : fromLoad
  }
}
