import Primitives

// Idle instances: by one fixed length, or by a policy that also gives them up early and makes one
// ahead of the request that it expects.
extension ServiceRouter {
  /// Where a policy decides: what it knows so far, for a change of fidelity.
  public var keepAlive: KeepAliveWatch? { watch }

  /// Goes on with what a policy knows; alarms that were set before are void.
  public mutating func resume(keepAlive carried: KeepAliveWatch?) {
    guard isWatched, let carried else { return }
    watch = carried
    watchAlarm = .distantFuture
  }

  /// Sets the alarm for what becomes of idle instances, or gives them up at once.
  @inlinable public mutating func followKeepAlive<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    if isWatched {
      armWatch(at: now, into: &effects)
    } else if rules.keepAlive.count == 0 {
      expireIdle(at: now, into: &effects)
    } else {
      arm(.idleExpiry, at: now, after: rules.keepAlive, into: &effects)
    }
  }

  /// An instance has become idle, and perhaps the service. Precondition: a policy decides.
  @inlinable mutating func noteIdle<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    guard instances.inFlight == 0, waiting.isEmpty else {
      watch?.idled(at: now)
      return
    }
    guard watch?.emptied(at: now) == true else { return }
    while instances.usable > rules.minimumInstances, let slot = instances.longestIdle {
      retire(slot, at: now, into: &effects)
    }
    armWatch(at: now, into: &effects)
  }

  @inlinable mutating func armWatch<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    guard let watch else { return }
    var due = watch.prewarmAt ?? .distantFuture
    if instances.usable > rules.minimumInstances, let slot = instances.longestIdle {
      due = min(due, watch.end(idleSince: instances[slot].idleSince))
    }
    guard due < watchAlarm else { return }
    watchAlarm = due
    effects.wake(.keepAlive, at: max(now, due))
  }

  /// What is due: instances whose keep-alive has ended go, and one is made ahead.
  @inlinable mutating func keepAliveAlarm<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    guard watchAlarm <= now, let watch else { return }
    watchAlarm = .distantFuture
    while instances.usable > rules.minimumInstances, let slot = instances.longestIdle,
      watch.end(idleSince: instances[slot].idleSince) <= now
    {
      retire(slot, at: now, into: &effects)
    }
    if let prewarmAt = watch.prewarmAt, prewarmAt <= now { startAhead(at: now, into: &effects) }
    armWatch(at: now, into: &effects)
  }

  /// Asks for an instance before the request comes, by the ordinary cold path.
  @inlinable mutating func startAhead<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    watch?.prewarmed()
    guard instances.usable + starts.count == 0, canStart else { return }
    let ordinal = starts.open(at: now, isAhead: true)
    effects.askInstance(ordinal: ordinal, attempt: 0, at: now)
    arm(.startTimeout, at: now, after: rules.startTimeout, into: &effects)
  }
}
