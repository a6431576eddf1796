import Primitives

// Starts: which Worker Manager is asked, and what follows when it refuses or is silent.
extension Dispatcher {
  mutating func begin(
    _ start: StartRequest, at now: Instant, into effects: inout some DispatcherEffects
  ) {
    guard pending[start.identity] == nil else { return }
    // The gateway asks again for what it was told of: that message was lost.
    if start.service.index < tables.count,
      let pod = tables[start.service.index].pod(of: start.identity)
    {
      return announce(start, pod, tables[start.service.index].version, into: &effects)
    }
    ask(PendingTake(start: start, askedAt: now, attempt: 0), at: now, into: &effects)
    arm(into: &effects)
  }

  private mutating func ask(
    _ take: PendingTake, at now: Instant, into effects: inout some DispatcherEffects
  ) {
    var take = take
    let shard = shardOfPool[take.start.pool.index]
    let isHolder = chooseTarget(&take, shard)
    take.askedAt = now
    take.attempt += 1
    pending[take.start.identity] = take
    asked.append(take.start.identity, at: now)
    effects.send(
      .take(take.start, mayFallBack: !isHolder),
      to: Address(.workerManager, take.lastTarget ?? candidates[shard][0]))
  }

  /// The token's holder first, also one that became known after the first question; then the others
  /// in rendezvous order. True for a holder.
  private func chooseTarget(_ take: inout PendingTake, _ shard: Int) -> Bool {
    if let holder = watch.holder(of: shard), holder != take.askedHolder {
      take.askedHolder = holder
      take.lastTarget = holder
      return true
    }
    let order = candidates[shard]
    let last = take.lastTarget == take.askedHolder ? nil : take.lastTarget
    let begin = last.flatMap { order.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
    let next = (0..<order.count).lazy.map { order[(begin + $0) % order.count] }
    take.lastTarget = next.first { $0 != take.askedHolder } ?? order[0]
    return false
  }

  /// A refusal tells that the holder is not the one that was thought.
  mutating func refused(
    _ start: StartRequest, because reason: StartFailure, at now: Instant,
    into effects: inout some DispatcherEffects
  ) {
    let take = pending.removeValue(forKey: start.identity)
    if reason == .notOwner {
      watch.doubt()
      readTokens(at: now, into: &effects)
      // Another manager has acknowledged the start meanwhile.
      guard let take else { return }
      if take.attempt < rules.takeAttempts {
        ask(take, at: now, into: &effects)
        return arm(into: &effects)
      }
    }
    giveUp(start, because: reason, into: &effects)
  }

  private func giveUp(
    _ start: StartRequest, because reason: StartFailure,
    into effects: inout some DispatcherEffects
  ) {
    effects.send(
      .startFailed(start, reason), to: .gateway(start.lane, part: Int(start.part)))
  }

  /// The alarm: takes that nobody acknowledged go to the next Worker Manager.
  public mutating func wake(at now: Instant, into effects: inout some DispatcherEffects) {
    guard armedFor <= now else { return }
    armedFor = .distantFuture
    while let (identity, askedAt) = asked.first, askedAt + rules.takeTimeout <= now {
      asked.removeFirst()
      guard let take = pending[identity], take.askedAt == askedAt else { continue }
      pending[identity] = nil
      watch.doubt()
      if take.attempt < rules.takeAttempts {
        ask(take, at: now, into: &effects)
      } else {
        giveUp(take.start, because: .timedOut, into: &effects)
      }
    }
    readTokens(at: now, into: &effects)
    repeatListing(at: now, into: &effects)
    arm(into: &effects)
  }

  /// Sets the alarm for the oldest question that still waits.
  mutating func arm(into effects: inout some DispatcherEffects) {
    while let (identity, askedAt) = asked.first, pending[identity]?.askedAt != askedAt {
      asked.removeFirst()
    }
    guard let first = [asked.first?.at, listing.askedAt].compactMap(\.self).min() else { return }
    let due = first + rules.takeTimeout
    guard due < armedFor else { return }
    armedFor = due
    effects.wakeDispatcher(at: due)
  }
}
