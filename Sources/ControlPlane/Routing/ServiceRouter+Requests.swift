import Primitives

extension ServiceRouter {
  /// A request arrives.
  @inlinable public mutating func arrive<Effects: RouterEffects & ~Copyable>(
    _ ticket: Ticket, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    if isWatched { watch?.arrived(at: now) }
    if route.isFresh(at: now), waiting.isEmpty, let slot = instances.choose(using: &bits) {
      assign(ticket, to: slot, waited: false, at: now, into: &effects)
    } else {
      arriveSlowly(ticket, at: now, into: &effects)
    }
  }

  /// The warm path without its call: the instance on which a request that arrives now begins; nil
  /// where `arrive` has to decide, and nothing has happened then.
  @inlinable @inline(__always)
  public mutating func beginAtOnce(at now: Instant) -> Assignment? {
    guard !isWatched, route.isFresh(at: now), waiting.isEmpty,
      let slot = instances.choose(using: &bits)
    else { return nil }
    return begin(slot, waited: false)
  }

  @inlinable @inline(__always)
  mutating func begin(_ slot: InstanceSlot, waited: Bool) -> Assignment {
    let instance = instances[slot]
    instances.begin(slot)
    return Assignment(
      slot: slot, pod: instance.pod, isFirst: instance.isFresh, waited: waited,
      isCold: waited && slot == joining)
  }

  /// A request has ended on an instance.
  @inlinable public mutating func finished<Effects: RouterEffects & ~Copyable>(
    _ slot: InstanceSlot, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    let isIdle = instances.end(slot, at: now)
    if waiting.isEmpty && !(isIdle && needsAttention(slot)) { return }
    finishedSlowly(slot, isIdle: isIdle, at: now, into: &effects)
  }

  /// Whether an instance that became idle must be given up, or watched until its keep-alive ends.
  @inlinable func needsAttention(_ slot: InstanceSlot) -> Bool {
    let isArmed = armed & (1 << RouterTimer.idleExpiry.rawValue) != 0
    return (!isArmed && rules.keepAlive.count < .max) || instances[slot].isDraining
  }

  @inlinable mutating func assign<Effects: RouterEffects & ~Copyable>(
    _ ticket: Ticket, to slot: InstanceSlot, waited: Bool, at now: Instant,
    into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    effects.call(ticket, begin(slot, waited: waited), at: now)
  }

  @inlinable mutating func arriveSlowly<Effects: RouterEffects & ~Copyable>(
    _ ticket: Ticket, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    let age = route.age(at: now)
    if age != .fresh { ask(at: now, into: &effects) }
    if age == .stale { staleUses &+= 1 }
    if age != .absent, waiting.isEmpty, let slot = instances.choose(using: &bits) {
      return assign(ticket, to: slot, waited: false, at: now, into: &effects)
    }
    let covered = starts.count * rules.concurrencyLimit
    let mayStart = age != .absent && canStart
    guard age == .absent || mayStart || waiting.count < covered + rules.queueLimit else {
      let isAtLimit = counts.total >= rules.maximumInstances
      return effects.refuse(ticket, because: isAtLimit ? .queueFull : .noCapacity, at: now)
    }
    waiting.append(ticket, since: now)
    arm(.waitLimit, at: now, after: rules.waitLimit, into: &effects)
    if age != .absent { planStarts(at: now, into: &effects) }
  }

  @inlinable mutating func finishedSlowly<Effects: RouterEffects & ~Copyable>(
    _ slot: InstanceSlot, isIdle: Bool, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    if isIdle && instances[slot].isDraining {
      retire(slot, at: now, into: &effects)
      // It counted towards the limit: what waits may be allowed an instance of its own now.
      planStarts(at: now, into: &effects)
      if isWatched { noteIdle(at: now, into: &effects) }
      return
    }
    serveWaiting(at: now, into: &effects)
    guard instances[slot].isPresent, instances[slot].inFlight == 0 else { return }
    if isWatched { noteIdle(at: now, into: &effects) }
    guard instances[slot].isPresent else { return }
    followKeepAlive(at: now, into: &effects)
  }

  /// Gives free slots to waiting requests, the oldest first; without a route none but those that
  /// an instance takes as it joins, and the route is asked for.
  @inlinable mutating func serveWaiting<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    guard joining != nil || route.age(at: now) != .absent else {
      if !waiting.isEmpty { ask(at: now, into: &effects) }
      return
    }
    while !waiting.isEmpty, let slot = instances.choose(using: &bits) {
      let entry = waiting.removeFirst()
      assign(entry.ticket, to: slot, waited: true, at: now, into: &effects)
    }
  }

  @inlinable var canStart: Bool {
    armed & (1 << RouterTimer.startBackoff.rawValue) == 0 && rules.mayStart(counts)
  }

  /// Asks for as many instances as the waiting requests justify.
  @inlinable mutating func planStarts<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    while waiting.count > starts.count * rules.concurrencyLimit, canStart {
      let ordinal = starts.open(at: now)
      effects.askInstance(ordinal: ordinal, attempt: 0, at: now)
      arm(.startTimeout, at: now, after: rules.startTimeout, into: &effects)
    }
  }

  @inlinable mutating func ask<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    guard !route.isAsking else { return }
    route.isAsking = true
    askedAt = now
    askAttempt = 0
    newsReceived = 0
    effects.askRoute(knownVersion: route.version, attempt: 0, at: now)
    arm(.askTimeout, at: now, after: rules.askTimeout, into: &effects)
  }

  /// Sets an alarm unless it is set already.
  @inlinable mutating func arm<Effects: RouterEffects & ~Copyable>(
    _ timer: RouterTimer, at now: Instant, after delay: Nanoseconds, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    let bit: UInt8 = 1 << timer.rawValue
    guard armed & bit == 0, delay.count < .max else { return }
    armed |= bit
    effects.wake(timer, at: now + delay)
  }
}
