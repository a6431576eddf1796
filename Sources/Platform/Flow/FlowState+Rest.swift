import Primitives

// Long steps of a lane in which nothing can happen but arrivals, short waits and completions.
extension FlowState {
  /// Whether nothing here asks to be looked at before something comes from outside: nobody waits,
  /// nothing runs out but questions without an answer.
  var isAtEase: Bool {
    guard settings.longestStepSeconds > 1, instances.count > 0, waiting == 0, backlog <= 0,
      draining.isEmpty,
      !followsPlaces, breaking.isForgotten, !hasKeepAlive, keyValue == nil, !isDown
    else { return false }
    guard keepAliveLength.count == .max || instances.count <= rules.minimumInstances else {
      return false
    }
    guard clients == nil, groups.isEmpty, absences.isEmpty, !isConsumerAway, repeating == 0,
      unknownGone == 0,
      batches == nil, windows == nil, consumers == nil, !hasLimits, settings.downstream == nil,
      !service.isStretched, entrySlowdown == 1
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
    // Somebody waits in this second for whom an instance is asked for.
    guard feed.second != peakSecond else { return divideMinute() }
    let root = (max(0, 4 * Double(slots) + 9).squareRoot() - 5) / 2
    guard service.mean > 0 else { return divideMinute() }
    let most = root > 0 ? Int(min(root * root / service.mean, 1e15)) : 0
    var asksForStart = false
    if let total = feed.wholeMinute {
      let found = lookAtMinute(total, quiet: most)
      if found == .rests { return }
      asksForStart = found == .asksForStart
      calmWaits = CalmWaits()
      divideMinute()
    }
    let grid = settings.longestStepSeconds
    let end = (feed.second / grid + 1) * grid
    var reached = feed.firstSecond(from: feed.second, beyond: most, before: end)
    if reached < end, mayBeCalm {
      let untilStart =
        asksForStart
        ? bits.uniform() * startsOfSeconds(from: reached, before: end, quiet: most) : nil
      reached = calmSeconds(from: reached, before: end, quiet: most, untilStart: untilStart)
    }
    guard reached > feed.second else { return }
    stepEnd = .seconds(Int64(reached))
    quietUntil = stepEnd
    guard calmWaits.count > 0 else { return }
    calmWaits.arrivals = feed.arrivals(before: reached)
  }

  /// From here on second by second, whose first is known as any that begins.
  mutating func divideMinute() {
    guard feed.wholeMinute != nil else { return }
    feed.divideMinute()
    rate.observe(Double(feed.ofSecond + retriesOfSecond - refusedOfSecond))
  }

  private enum MinuteLook { case rests, asksForStart, isUnclear }

  /// Makes a step of a minute of which only the sum is known, where that says well enough that its
  /// seconds are quiet or calm, and that nobody waits for whom an instance is asked for.
  private mutating func lookAtMinute(_ total: Int, quiet: Int) -> MinuteLook {
    let law = MinuteLaw(total: total, shape: feed.shapeOfSeconds)
    if !law.keeps(below: quiet) {
      guard mayBeCalm, law.isSmooth else { return .isUnclear }
      prepareCalm()
      guard let highest = calmLaw?.highest, highest > 0 else { return .isUnclear }
      let unit = service.mean / Double(slots)
      guard law.keeps(below: Int(min(highest / unit, 1e15))) else { return .isUnclear }
      let isOnDemand = rules.startRule == .onDemand
      var starts = 0.0
      law.forEachCount { count, weight in
        guard count > Double(quiet) else { return }
        let utilisation = min(highest, count * unit)
        let (share, wait) = calmLaw!.at(utilisation: utilisation)
        if isOnDemand {
          starts += weight * startRate(count, utilisation: utilisation, share: share)
        }
        calmWaits.count += weight * count * share
        calmWaits.seconds += weight * count * share * wait * service.mean
      }
      // Beyond, which seconds there are says more about the first start than their law.
      guard starts < 0.1 else { return .isUnclear }
      if starts > 0, -Elementary.log(bits.uniformOpen()) < starts { return .asksForStart }
    }
    stepEnd = feed.endOfMinute
    quietUntil = stepEnd
    calmWaits.arrivals = total
    return .rests
  }

  private mutating func prepareCalm() {
    let slots = slots
    guard calmLaw?.fits(slots: slots, mean: service.mean, squaredCV: service.squaredCV) != true
    else { return }
    calmLaw = CalmLaw(slots: slots, mean: service.mean, squaredCV: service.squaredCV)
  }

  /// Who waits is refused by nothing.
  private var mayBeCalm: Bool { rules.queueLimit >= slots || settings.isTopic }

  /// A question that may have been lost is asked again in time.
  mutating func endBeforeRepeats() {
    unrepeatedEnd = stepEnd
    if control.route.isAsking { endStep(before: max(now, control.askedAt + rules.askTimeout)) }
    for start in control.starts { endStep(before: max(now, start.askedAt + rules.startTimeout)) }
    if control.retirements.count > 0, let due = control.retirements.nextDue() {
      endStep(before: max(now, due))
    }
  }

  /// Takes mail that says of a rest nothing but what is asked for in vain: that a pod is deleted.
  /// Returns false when the next mail is another, or has to end a step.
  mutating func takeInPassing() -> Bool {
    guard stepEnd <= quietUntil, case .podDeleted(let pod)? = control.inbox.first?.delivery.message
    else { return false }
    // Faults that have been armed since the rest began end it too.
    guard nextOutageEdge == nil, groups.isEmpty, absences.isEmpty, !isConsumerAway else {
      return false
    }
    _ = control.inbox.removeFirst()
    counters.messagesIn &+= 1
    control.retirements.end(pod)
    stepEnd = unrepeatedEnd
    endBeforeRepeats()
    return true
  }

  /// How often a queue in a calm second has as many as justify one more start: a run of the queue
  /// reaches j waiting with a chance of ρ^(j − 1), and begins as `notePeak` says.
  private func startRate(_ arrivals: Double, utilisation: Double, share: Double) -> Double {
    guard rules.startRule == .onDemand, share > 0 else { return 0 }
    let idle = 1 - utilisation
    let justified = Double(control.starts.count * rules.concurrencyLimit)
    return arrivals * share * idle * idle * Elementary.pow(utilisation, justified)
  }

  /// The integral of `startRate` over calm seconds.
  private mutating func startsOfSeconds(from first: Int, before end: Int, quiet: Int) -> Double {
    guard let highest = calmLaw?.highest, highest > 0 else { return 0 }
    let unit = service.mean / Double(slots)
    var sum = 0.0
    for second in first..<end {
      let count = feed.count(second)
      let utilisation = Double(count) * unit
      guard count > quiet, utilisation <= highest else { continue }
      let share = calmLaw!.at(utilisation: utilisation).share
      sum += startRate(Double(count), utilisation: utilisation, share: share)
    }
    return sum
  }

  /// Goes on over calm and quiet seconds; returns the first that is neither, or in which so many
  /// wait that an instance is asked for: that happens at a rate by `startRate`, whose integral up
  /// to then is exponential.
  ///
  /// - Parameter drawn: how far that integral goes, where it is known.
  private mutating func calmSeconds(
    from first: Int, before end: Int, quiet: Int, untilStart drawn: Double?
  ) -> Int {
    prepareCalm()
    guard let highest = calmLaw?.highest, highest > 0 else { return first }
    let unit = service.mean / Double(slots)
    let most = Int(min(highest / unit, 1e15))
    var second = first
    let isOnDemand = rules.startRule == .onDemand
    var untilStart = isOnDemand ? drawn ?? -Elementary.log(bits.uniformOpen()) : 0
    while second < end {
      let count = feed.count(second)
      if count > quiet {
        guard count <= most else { return second }
        let met = Double(second == feed.second ? feed.remaining : count)
        let utilisation = Double(count) * unit
        let (share, wait) = calmLaw!.at(utilisation: utilisation)
        if isOnDemand {
          untilStart -= startRate(met, utilisation: utilisation, share: share)
          if untilStart < 0 {
            peakSecond = second
            return second
          }
        }
        calmWaits.count += met * share
        calmWaits.seconds += met * share * wait * service.mean
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
    guard waiters > 0, calmLaw != nil else { return }
    let mean = waits.seconds / waits.count
    let parts = min(8, waiters)
    var left = waiters
    for part in 0..<parts {
      let count = left / (parts - part)
      left -= count
      let quantile = (Double(part) + bits.uniform()) / Double(parts)
      let wait = calmLaw!.wait(quantile: quantile, mean: mean)
      ledger.settle(came(count, from: now, to: end), wait: Int64((wait * 1e9).rounded()))
    }
  }

  /// Ends a rest in which some wait, or a part of it; returns how many have completed. At its end
  /// all slots are taken as often as somebody waits, and else fewer, by a Poisson law cut off
  /// there: so that on average as many are in service as come in a service.
  mutating func endCalmly(arrivals: Int, over h: Double) -> Int {
    let all = inService + arrivals
    var left = slots
    if bits.uniform() * Double(max(1, calmWaits.arrivals)) >= calmWaits.count {
      for _ in 0..<8 where left >= slots {
        let (old, new) = endings(arrivals: arrivals, over: h)
        left = all - old - new
      }
      left = min(left, slots - 1)
    }
    inService = min(all, max(0, left))
    return all - inService
  }
}
