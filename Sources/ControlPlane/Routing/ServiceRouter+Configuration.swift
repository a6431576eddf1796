import Primitives

// A configuration that changes while the gateway runs.
extension ServiceRouter {
  /// From now on other rules hold. What is beyond them goes: instances as with a scale-down,
  /// waiting requests as beyond a limit. The concurrency is at most the one that it began with.
  public mutating func follow<Effects: RouterEffects & ~Copyable>(
    _ fresh: RouterRules, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    let isSmaller = fresh.maximumInstances < rules.maximumInstances
    rules = fresh
    instances.setMost(UInt32(clamping: fresh.concurrencyLimit))
    serveWaiting(at: now, into: &effects)
    if isSmaller { scaleDown(to: fresh.maximumInstances, at: now, into: &effects) }
    planStarts(at: now, into: &effects)
    if route.age(at: now) != .absent {
      let isAtLimit = counts.total >= rules.maximumInstances
      refuseBeyondLimit(because: isAtLimit ? .queueFull : .noCapacity, at: now, into: &effects)
    }
  }
}
