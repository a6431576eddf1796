import Primitives

// What follows from a change of leader: new expiries, and checkpoints that survive one.
extension Lessor {
  /// Another lessor leads: no lease expires here, and nothing can be renewed.
  public mutating func demote() {
    isPrimary = false
    queue = []
    for index in leases.indices {
      leases[index].reportAt = nil
      leases[index].expiry = nil
      leases[index].nextCheckpoint = nil
    }
  }

  /// Becomes the leader's lessor: all leases begin again, at what their last checkpoint left or at
  /// their full time to live, plus the time that electing took. Where more expire within a second
  /// than three quarters of what can be revoked, the rest are put off.
  public mutating func promote(extendedBy extension: Nanoseconds, at now: Instant) {
    isPrimary = true
    for index in leases.indices { refresh(index, extendedBy: `extension`, at: now) }
    guard leases.count >= rules.revocationsPerSecond else { return }
    spread(extendedBy: `extension`, at: now)
  }

  private mutating func spread(extendedBy extension: Nanoseconds, at now: Instant) {
    let second = Nanoseconds.seconds(1)
    let perSecond = 3 * rules.revocationsPerSecond / 4
    guard let first = queue.first else { return }
    var base = first.at - now
    var next = base + second
    var expiring = 0
    for due in queue {
      let remaining = due.at - now
      if remaining > next {
        base = remaining
        next = base + second
        expiring = 1
        continue
      }
      expiring += 1
      guard expiring > perSecond, let index = find(due.id) else { continue }
      // Leases that are ahead of the window's base by n seconds need n seconds less.
      let delay = Double(second.count) * (Double(expiring) / Double(perSecond))
      let rest = Nanoseconds(Int64(delay - Double((remaining - base).count)))
      next = base + rest
      refresh(index, extendedBy: rest + `extension`, at: now)
    }
  }

  /// The leases whose remaining time should be told to the other members, soonest first, at most
  /// a batch, and what is left of them.
  public mutating func dueCheckpoints(
    at now: Instant
  ) -> [(id: LeaseID, remaining: Nanoseconds)] {
    guard isPrimary else { return [] }
    var due = leases.indices.filter { leases[$0].nextCheckpoint.map { $0 <= now } ?? false }
    due.sort { a, b in
      let (first, second) = (leases[a].nextCheckpoint, leases[b].nextCheckpoint)
      return (first ?? now, leases[a].id.raw) < (second ?? now, leases[b].id.raw)
    }
    var told: [(id: LeaseID, remaining: Nanoseconds)] = []
    for index in due.prefix(rules.checkpointsPerBatch) {
      leases[index].nextCheckpoint = nil
      guard let expiry = leases[index].expiry, expiry > now else { continue }
      told.append((leases[index].id, expiry - now))
    }
    return told
  }

  /// Keeps what was left of a lease, so that it survives a change of leader.
  public mutating func checkpoint(
    _ id: LeaseID, remaining: Nanoseconds, at now: Instant
  ) throws(LeaseError) {
    guard let index = find(id) else { throw .notFound }
    leases[index].checkpointed = remaining
    if isPrimary { scheduleCheckpoint(index, remaining: remaining, at: now) }
  }

  mutating func scheduleCheckpoint(
    _ index: Int, remaining: Nanoseconds, at now: Instant
  ) {
    leases[index].nextCheckpoint =
      remaining > rules.checkpointInterval ? now + rules.checkpointInterval : nil
  }
}
