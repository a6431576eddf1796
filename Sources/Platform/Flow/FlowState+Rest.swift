import Primitives

// Long steps of a lane in which nothing can happen but arrivals, short waits and completions.
extension FlowState {
  /// Whether nothing here asks to be looked at before something comes from outside: no start is
  /// awaited, nobody waits, nothing runs out.
  var isAtEase: Bool {
    guard settings.longestStepSeconds > 1, instances.count > 0, waiting == 0, backlog <= 0,
      control.starts.isEmpty, !control.route.isAsking, control.retirements.count == 0,
      draining.isEmpty,
      !followsPlaces, breaking.isForgotten, keepAlive == nil, keyValue == nil, !isDown
    else { return false }
    guard keepAliveLength.count == .max || instances.count <= rules.minimumInstances else {
      return false
    }
    guard clients == nil, groups.isEmpty, absences.isEmpty, repeating == 0, unknownGone == 0,
      batches == nil, windows == nil, consumers == nil, !hasLimits, settings.downstream == nil,
      !service.isStretched
    else { return false }
    return settings.topic.map { !$0.rules.hasRetention && $0.rules.persistInterval == nil } ?? true
  }

  /// Makes the step as long as the seconds are quiet or calm that come, each by its own count: up
  /// to the next instant at which somebody looks at the lane.
  ///
  /// The bound of a quiet second, in which nobody waits, is that of a single one (flow_facts: C >=
  /// a + 5 √a + 4), solved for a. In a calm one some wait, by `CalmLaw`, and no queue outlasts it.
  mutating func rest() {
    calmWaits = CalmWaits()
    let root = (max(0, 4 * Double(slots) + 9).squareRoot() - 5) / 2
    guard service.mean > 0 else { return }
    let most = root > 0 ? Int(min(root * root / service.mean, 1e15)) : 0
    let grid = settings.longestStepSeconds
    let end = (feed.second / grid + 1) * grid
    var reached = feed.firstSecond(from: feed.second, beyond: most, before: end)
    if reached < end, mayBeCalm { reached = calmSeconds(from: reached, before: end, quiet: most) }
    guard reached > feed.second + 1 else { return }
    stepEnd = .seconds(Int64(reached))
    quietUntil = stepEnd
    guard calmWaits.count > 0 else { return }
    calmWaits.arrivals = (feed.second + 1..<reached).reduce(feed.remaining) { $0 + feed.count($1) }
  }

  /// Who waits starts nothing and is refused by nothing.
  private var mayBeCalm: Bool {
    rules.startRule != .onDemand && (rules.queueLimit >= slots || settings.isTopic)
  }

  /// Goes on over calm and quiet seconds; returns the first that is neither.
  private mutating func calmSeconds(from first: Int, before end: Int, quiet: Int) -> Int {
    let slots = slots
    if calmLaw?.fits(slots: slots, mean: service.mean, squaredCV: service.squaredCV) != true {
      calmLaw = CalmLaw(slots: slots, mean: service.mean, squaredCV: service.squaredCV)
    }
    guard let law = calmLaw, law.highest > 0 else { return first }
    let unit = service.mean / Double(slots)
    let most = Int(min(law.highest / unit, 1e15))
    var second = first
    while second < end {
      let count = feed.count(second)
      if count > quiet {
        guard count <= most else { return second }
        let met = second == feed.second ? feed.remaining : count
        let (share, wait) = law.at(utilisation: Double(count) * unit)
        calmWaits.count += Double(met) * share
        calmWaits.seconds += Double(met) * share * wait * service.mean
      }
      second += 1
    }
    return end
  }

  /// Settles the waits of arrivals in a rest, or a part of it: each waits with the chance that it
  /// has in the rest as a whole; those that do are at the quantiles of their law in equal parts.
  mutating func settleCalm(_ arrivals: Int, to end: Instant) {
    let waits = calmWaits
    let share = waits.count / Double(max(1, waits.arrivals))
    let waiters = BinomialDraw.sample(arrivals, share: min(1, share), using: &bits)
    ledger.settle(came(arrivals - waiters, from: now, to: end), wait: 0)
    guard waiters > 0, let law = calmLaw else { return }
    let mean = waits.seconds / waits.count
    let parts = min(8, waiters)
    var left = waiters
    for part in 0..<parts {
      let count = left / (parts - part)
      left -= count
      let quantile = (Double(part) + bits.uniform()) / Double(parts)
      let wait = law.wait(quantile: quantile, mean: mean)
      ledger.settle(came(count, from: now, to: end), wait: Int64((wait * 1e9).rounded()))
    }
  }
}
