import Primitives

// What the control plane tells a router, and its alarms: off the warm path.
extension ServiceRouter {
  /// A Dispatcher's answer to a question.
  ///
  /// - Parameters:
  ///   - version: of the owner's table; nil when another Dispatcher answers.
  ///   - news: how many endpoints it has told before the answer.
  @inlinable public mutating func routeArrived<Effects: RouterEffects & ~Copyable>(
    version: UInt32?, isNegative: Bool, news: UInt16 = 0, at now: Instant,
    into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    let negative = isNegative && instances.count == 0
    // Where a part of the news was lost the version stays, so that they are told again.
    let known = news == newsReceived ? version ?? route.version : route.version
    route.learn(version: known, negative: negative, at: now, lifetimes: rules.routeLifetimes)
    serveWaiting(at: now, into: &effects)
    planStarts(at: now, into: &effects)
    refuseBeyondLimit(because: .queueFull, at: now, into: &effects)
  }

  /// An instance is ready: one that this router asked for, or one that AutoScale sent.
  /// Told twice, it counts once.
  ///
  /// - Parameter isReplacement: it takes the place of one that is here, and may be one too many
  ///   until that is gone.
  @inlinable public mutating func instanceReady<Effects: RouterEffects & ~Copyable>(
    _ pod: PodID, ordinal: UInt32?, isReplacement: Bool = false, at now: Instant,
    into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    let isAhead = isWatched && ordinal.map { starts.isAhead($0) } ?? false
    let isAskedFor = ordinal.map { starts.close($0) } ?? false
    guard instances.slot(of: pod) == nil else { return }
    let slot = instances.add(pod, isFresh: isAskedFor && !isAhead, at: now)
    effects.joined(pod, slot, at: now)
    route.becomePositive(at: now, lifetimes: rules.routeLifetimes)
    // AutoScale and this gateway do not see each other's starts at once, and both may be right.
    guard isReplacement || instances.count <= rules.maximumInstances else {
      return retire(slot, at: now, into: &effects)
    }
    joining = slot
    serveWaiting(at: now, into: &effects)
    joining = nil
    guard instances[slot].inFlight == 0 else { return }
    followKeepAlive(at: now, into: &effects)
  }

  /// The router asked for an instance that has ended already: only the start is over.
  @inlinable public mutating func startEnded(ordinal: UInt32) { _ = starts.close(ordinal) }

  /// A part of the Dispatcher's news has arrived.
  @inlinable public mutating func newsArrived() { newsReceived &+= 1 }

  /// A start that this router asked for has failed.
  @inlinable public mutating func startFailed<Effects: RouterEffects & ~Copyable>(
    ordinal: UInt32, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    guard starts.close(ordinal) else { return }
    arm(.startBackoff, at: now, after: rules.startBackoff, into: &effects)
    refuseBeyondLimit(because: .noCapacity, at: now, into: &effects)
  }

  /// Removes an instance that somebody else wants gone; false while it serves requests.
  @inlinable public mutating func evict<Effects: RouterEffects & ~Copyable>(
    _ pod: PodID, at now: Instant, into effects: inout Effects
  ) -> Bool where Effects.Ticket == Ticket {
    guard let slot = instances.slot(of: pod), instances[slot].inFlight == 0 else { return false }
    retire(slot, at: now, into: &effects)
    return true
  }

  /// The Dispatcher says that an instance is no more: it gets no new requests.
  @inlinable public mutating func endpointRemoved<Effects: RouterEffects & ~Copyable>(
    _ pod: PodID, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    guard let slot = instances.slot(of: pod) else { return }
    if instances[slot].inFlight == 0 {
      retire(slot, at: now, into: &effects)
    } else {
      instances.drain(slot)
    }
    planStarts(at: now, into: &effects)
  }

  /// Keeps no more than `target` usable instances, or as many as the rules ask for: idle ones go
  /// first, the longest idle first, then the newest drain. A wish that comes twice changes nothing
  /// the second time.
  @inlinable public mutating func scaleDown<Effects: RouterEffects & ~Copyable>(
    to target: Int, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    var surplus = rules.surplus(counts, over: target)
    // A draining instance is given up when it becomes idle, so that those idle now are usable.
    while surplus > 0, let slot = instances.longestIdle {
      retire(slot, at: now, into: &effects)
      surplus -= 1
    }
    guard surplus > 0 else { return }
    for slot in instances.newestActive(surplus) { instances.drain(slot) }
    planStarts(at: now, into: &effects)
  }

  /// Takes out all that wait, the oldest first.
  public mutating func takeWaiting() -> [Ticket] {
    var tickets: [Ticket] = []
    while !waiting.isEmpty { tickets.append(waiting.removeFirst().ticket) }
    return tickets
  }

  /// Forgets what a crash takes: all that wait, and the route. Instances stay.
  public mutating func forget() -> [Ticket] {
    route = RouteEntry()
    askAttempt = 0
    return takeWaiting()
  }

  /// Begins anew without memory, after whoever hosts it was lost with all instances; returns what
  /// waited, the oldest first. Ordinals of starts go on, so that no old start is taken for a new
  /// one.
  public mutating func restart(keepAlive: (any KeepAlivePolicy)?) -> [Ticket] {
    route = RouteEntry()
    instances = InstanceTable(
      choice: rules.choice, concurrencyLimit: Int(instances.concurrencyLimit))
    instances.setMost(UInt32(clamping: rules.concurrencyLimit))
    starts.entries.removeAll()
    armed = 0
    joining = nil
    askAttempt = 0
    newsReceived = 0
    watch = keepAlive.map(KeepAliveWatch.init)
    watchAlarm = .distantFuture
    return takeWaiting()
  }

  /// An alarm goes off.
  @inlinable public mutating func wake<Effects: RouterEffects & ~Copyable>(
    _ timer: RouterTimer, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    if timer == .keepAlive { return keepAliveAlarm(at: now, into: &effects) }
    armed &= ~(1 << timer.rawValue)
    switch timer {
    case .keepAlive: break
    case .idleExpiry: expireIdle(at: now, into: &effects)
    case .waitLimit: failLongWaits(at: now, into: &effects)
    case .askTimeout: repeatQuestion(at: now, into: &effects)
    case .startTimeout: repeatStarts(at: now, into: &effects)
    case .startBackoff: planStarts(at: now, into: &effects)
    }
  }

  @inlinable mutating func retire<Effects: RouterEffects & ~Copyable>(
    _ slot: InstanceSlot, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    let pod = instances[slot].pod
    instances.remove(slot)
    effects.retire(pod, slot, at: now)
  }

  @inlinable mutating func expireIdle<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    while instances.usable > rules.minimumInstances, let slot = instances.longestIdle {
      let end = instances[slot].idleSince + rules.keepAlive
      guard end <= now else {
        return arm(.idleExpiry, at: now, after: end - now, into: &effects)
      }
      retire(slot, at: now, into: &effects)
    }
  }

  @inlinable mutating func failLongWaits<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    while !waiting.isEmpty {
      let end = waiting.first.since + rules.waitLimit
      guard end <= now else {
        return arm(.waitLimit, at: now, after: end - now, into: &effects)
      }
      effects.refuse(waiting.removeFirst().ticket, because: .waitedTooLong, at: now)
    }
  }

  @inlinable mutating func repeatQuestion<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    guard route.isAsking else { return }
    let end = askedAt + rules.askTimeout
    guard end <= now else { return arm(.askTimeout, at: now, after: end - now, into: &effects) }
    askedAt = now
    askAttempt += 1
    newsReceived = 0
    effects.askRoute(knownVersion: route.version, attempt: askAttempt, at: now)
    arm(.askTimeout, at: now, after: rules.askTimeout, into: &effects)
  }

  @inlinable mutating func repeatStarts<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    var given: [UInt32] = []
    var next = Instant.distantFuture
    for index in starts.entries.indices {
      let end = starts.entries[index].askedAt + rules.startTimeout
      if end > now {
        next = min(next, end)
      } else if starts.entries[index].attempt + 1 >= rules.startAttempts {
        given.append(starts.entries[index].ordinal)
      } else {
        starts.entries[index].attempt += 1
        starts.entries[index].askedAt = now
        next = min(next, now + rules.startTimeout)
        let entry = starts.entries[index]
        effects.askInstance(ordinal: entry.ordinal, attempt: entry.attempt, at: now)
        // Whether whoever was asked is there, the route's answer tells sooner than the next start.
        ask(at: now, into: &effects)
      }
    }
    for ordinal in given { startFailed(ordinal: ordinal, at: now, into: &effects) }
    if next < .distantFuture { arm(.startTimeout, at: now, after: next - now, into: &effects) }
  }

  /// Another Dispatcher answers than did before: the first few starts that it was not asked for are
  /// asked of it. When they are repeated does not change, and the others wait for that: who was
  /// asked may only be busy, and asked for all of them once more nobody would come to an end.
  ///
  /// - Parameter isAsked: whether it is the one that was asked for a start at an attempt.
  @inlinable public mutating func askAgain<Effects: RouterEffects & ~Copyable>(
    at now: Instant, into effects: inout Effects, isAsked: (Int) -> Bool
  ) where Effects.Ticket == Ticket {
    var left = RouterRules.mostAskedAgain
    for index in starts.entries.indices where left > 0 {
      let entry = starts.entries[index]
      guard !isAsked(entry.attempt) else { continue }
      left -= 1
      effects.askInstance(ordinal: entry.ordinal, attempt: entry.attempt, at: now)
    }
  }

  @inlinable mutating func refuseBeyondLimit<Effects: RouterEffects & ~Copyable>(
    because reason: Refusal, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    while waiting.count > starts.count * rules.concurrencyLimit + rules.queueLimit {
      effects.refuse(waiting.removeLast().ticket, because: reason, at: now)
    }
  }
}

extension InstanceTable {
  /// Up to `count` instances that serve requests and do not drain yet, the newest first.
  @usableFromInline borrowing func newestActive(_ count: Int) -> [InstanceSlot] {
    var candidates: [(ordinal: UInt32, slot: InstanceSlot)] = []
    visit { slot, instance in
      if instance.inFlight > 0, !instance.isDraining {
        candidates.append((instance.createdOrdinal, slot))
      }
    }
    candidates.sort { $0.ordinal > $1.ordinal }
    return candidates.prefix(count).map(\.slot)
  }
}
