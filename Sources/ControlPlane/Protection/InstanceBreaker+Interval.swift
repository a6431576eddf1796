import Primitives

extension InstanceBreaker {
  /// The end of an interval: ejections that are over end, then rates and latencies are judged, and
  /// counters begin anew. Instances are looked at in the order of slots, whoever was called first.
  ///
  /// - Complexity: O(m log m) for m instances that were called in the interval, are ejected or were
  ///   lately.
  public mutating func endInterval(at now: Instant, into effects: inout some BreakerEffects) {
    var slots = UnsafeMutableBufferPointer(start: listed, count: storedListedCount)
    slots.sort()
    for place in 0..<storedListedCount { age(InstanceSlot(Int(listed[place])), at: now, &effects) }
    judgeSuccessRates(at: now, into: &effects)
    judgeFailures(at: now, into: &effects)
    judgeLatencies(at: now, into: &effects)
    beginInterval()
  }

  /// Ends an ejection, or forgets one of those in a row.
  private mutating func age(
    _ slot: InstanceSlot, at now: Instant, _ effects: inout some BreakerEffects
  ) {
    let index = slot.index
    let passed = now - records[index].since
    switch records[index].stored {
    case .absent, .halfOpen, .trying: return
    case .closed:
      if records[index].inRow > 0, passed >= rules.interval { records[index].inRow -= 1 }
    case .ejected:
      guard passed >= rules.ejectionTime(Int(records[index].inRow)) else { return }
      if rules.triesFirst {
        records[index].stored = .halfOpen
        effects.tries(slot)
      } else {
        restore(slot, at: now, into: &effects)
      }
    }
  }

  private func isCounted(_ index: Int, _ least: Int) -> Bool {
    records[index].stored == .closed && Int(records[index].requests) >= least
  }

  /// Slots that had enough calls, in their order.
  private func counted(_ least: Int) -> [Int] {
    var found: [Int] = []
    for place in 0..<storedListedCount where isCounted(Int(listed[place]), least) {
      found.append(Int(listed[place]))
    }
    return found
  }

  private mutating func judgeSuccessRates(
    at now: Instant, into effects: inout some BreakerEffects
  ) {
    guard rules.enforcesSuccessRate, storedListedCount >= rules.successRateMinHosts else { return }
    let slots = counted(max(1, rules.successRateMinRequests))
    guard !slots.isEmpty, slots.count >= rules.successRateMinHosts else { return }
    let rates = slots.map {
      100 * Double(records[$0].successes) / Double(records[$0].requests)
    }
    let (_, threshold) = OutlierStatistics.successRate(
      rates, factorMilli: rules.successRateFactorMilli)
    for (slot, rate) in zip(slots, rates) where rate < threshold {
      eject(InstanceSlot(slot), .successRate, at: now, into: &effects)
    }
  }

  private mutating func judgeFailures(at now: Instant, into effects: inout some BreakerEffects) {
    guard rules.enforcesFailurePercentage, storedListedCount >= rules.failurePercentageMinHosts
    else { return }
    let slots = counted(max(1, rules.failurePercentageMinRequests))
    guard slots.count >= rules.failurePercentageMinHosts else { return }
    for slot in slots {
      let requests = Int(records[slot].requests)
      let failures = requests - Int(records[slot].successes)
      if 100 * failures >= rules.failurePercentageThreshold * requests {
        eject(InstanceSlot(slot), .failurePercentage, at: now, into: &effects)
      }
    }
  }

  private mutating func judgeLatencies(at now: Instant, into effects: inout some BreakerEffects) {
    guard let percent = rules.slownessPercent, storedListedCount >= rules.slownessMinHosts
    else { return }
    let slots = counted(max(1, rules.slownessMinRequests))
    guard slots.count >= max(2, rules.slownessMinHosts) else { return }
    var means = slots.map {
      (mean: records[$0].latencySum / Int64(records[$0].requests), slot: $0)
    }
    means.sort { $0.mean != $1.mean ? $0.mean < $1.mean : $0.slot < $1.slot }
    let sorted = means.map(\.mean)
    // The slowest first, so that the cap leaves out the least slow.
    for (place, one) in means.enumerated().reversed() {
      let others = OutlierStatistics.median(of: sorted, without: place)
      guard 100 * Double(one.mean) > Double(percent) * Double(others) else { continue }
      eject(InstanceSlot(one.slot), .slowness, at: now, into: &effects)
    }
  }

  private mutating func beginInterval() {
    var kept = 0
    for place in 0..<storedListedCount {
      let index = Int(listed[place])
      records[index].requests = 0
      records[index].successes = 0
      records[index].latencySum = 0
      let isQuiet =
        records[index].stored == .absent
        || records[index].stored == .closed && records[index].inRow == 0
      records[index].isListed = !isQuiet
      if !isQuiet {
        listed[kept] = UInt32(truncatingIfNeeded: index)
        kept += 1
      }
    }
    storedListedCount = kept
  }
}
