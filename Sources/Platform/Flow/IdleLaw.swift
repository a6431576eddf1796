import Primitives

/// Instances that serve nothing, on average, where each serves several requests at once and a
/// request goes to the one that has the fewest: as long as N requests are there, min(N, n) of n
/// instances serve some, so that E[max(0, n − N)] are idle.
///
/// Those that are idle while others have several requests, which stay where they are, come to it
/// (`IdleExcess`).
///
/// In the long run N is a Poisson count, cut off where all slots are taken as in M/M/s. Of a step
/// more is known: its mean level. What that tells of N's variance is a share p, and the rest is
/// binomial, with level ÷ p trials: of the arrivals of a long step each is there for m of its h
/// seconds, and in one that is short against a service the level is N itself.
enum IdleLaw {
  /// Up to so many instances terms are summed; beyond, the law is taken for normal, which is within
  /// 0.8 % of √N there.
  private static let mostSummed = 24
  /// Up to so many trials a number between two whole ones is a mixture of both.
  private static let mostMixed = 64.0
  /// Slots beyond which the queue at all of them says nothing about idle instances.
  private static let mostSlots = 64

  /// The mean number of idle instances. O(min(instances, 24)), or O(slots) for up to 64 slots that
  /// may fill.
  ///
  /// - Parameters:
  ///   - slots: requests that all instances serve at once.
  ///   - level: requests in service, on average over the step.
  ///   - known: the share of the variance of N that lies between steps, and not within one.
  static func idle(_ instances: Int, slots: Int, level: Double, known: Double) -> Double {
    guard instances > 0, level > 0 else { return Double(max(0, instances)) }
    let count = Double(instances)
    let root = level.squareRoot()
    if level > count + 9 * root { return 0 }
    let share = min(max(known, 1e-6), 1 - 1e-6)
    guard instances <= mostSummed else {
      let spread = (level * (1 - share)).squareRoot()
      let z = (count - level) / spread
      guard z < 9 else { return count - level }
      guard z > -9 else { return 0 }
      let density = Elementary.exp(-0.5 * z * z) * 0.398942280401432678
      return max(0, spread * (density + z * Elementary.normalCDF(z)))
    }
    let mayFill = slots <= mostSlots && level + 5 * root + 4 > Double(slots)
    let last = mayFill ? slots : instances - 1
    let trials = level / share
    var sums: Sums
    if trials < mostMixed {
      let whole = trials.rounded(.down)
      sums = Sums(instances, trials: whole, share: share, last: last)
      let upper = trials - whole
      sums.scale(1 - upper)
      if upper > 0 {
        sums.add(Sums(instances, trials: whole + 1, share: share, last: last), times: upper)
      }
    } else {
      sums = Sums(instances, trials: trials, share: share, last: last)
    }
    guard mayFill else { return min(count, sums.idle) }
    // Of a queue at all slots each further request has ρ times the chance of the one before.
    let free = 1 - level / Double(slots)
    guard free > 0 else { return 0 }
    let all = sums.total + sums.atLast * (1 / free - 1)
    return all > 0 ? min(count, sums.idle / all) : 0
  }

  /// Of a binomial law up to a count: E[max(0, n − N)], its chances together, and the last one.
  private struct Sums {
    var idle = 0.0
    var total = 0.0
    var atLast = 0.0

    init(_ instances: Int, trials: Double, share: Double, last: Int) {
      var chance = Elementary.exp(trials * Elementary.log1p(-share))
      let odds = share / (1 - share)
      for count in 0...max(0, last) {
        if count < instances { idle += Double(instances - count) * chance }
        total += chance
        atLast = chance
        chance *= max(0, trials - Double(count)) / Double(count + 1) * odds
      }
      if last < 0 { atLast = 0 }
    }

    mutating func scale(_ factor: Double) {
      idle *= factor
      total *= factor
      atLast *= factor
    }

    mutating func add(_ other: Sums, times weight: Double) {
      idle += weight * other.idle
      total += weight * other.total
      atLast += weight * other.atLast
    }
  }
}

extension FlowState {
  /// Instances that serve nothing, on average over a step of h seconds with so many calls in
  /// service; those that a breaker withholds serve nothing.
  ///
  /// A choice at random gives each instance its share of the binomial law; of other choices than
  /// the fewest requests it is not known, and that is taken. What is idle beside second requests
  /// depends on the load: in a long step its level tells it, in a short one that of late.
  func idleInstances(level: Double, over h: Double) -> Double {
    guard rules.concurrencyLimit > 1 else { return max(0, Double(instances.count) - level) }
    let open = max(0, instances.count - breaking.withheld)
    let withheld = Double(instances.count - open)
    guard open > 0 else { return withheld }
    let known = knownShare(over: h)
    if rules.choice == .random, level > 0 {
      let share = max(known, 1e-6)
      let none = Elementary.log1p(-min(share / Double(open), 1 - 1e-6)) * level / share
      return withheld + Double(open) * Elementary.exp(none)
    }
    let (slots, isOver) = open.multipliedReportingOverflow(by: rules.concurrencyLimit)
    let fewest = IdleLaw.idle(open, slots: isOver ? .max : slots, level: level, known: known)
    guard rules.choice == .leastRequests else { return withheld + fewest }
    let more = IdleExcess.mean(open, load: isLong(h) ? level : offeredLoad)
    return withheld + min(Double(open), fewest + more)
  }
}
