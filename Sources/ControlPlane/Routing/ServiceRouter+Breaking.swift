import Primitives

// What a breaker wants of its router.
extension ServiceRouter {
  /// An instance gets no more requests; those that wait may be allowed others in its place.
  @inlinable public mutating func withhold<Effects: RouterEffects & ~Copyable>(
    _ slot: InstanceSlot, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    instances.withhold(slot)
    planStarts(at: now, into: &effects)
  }

  /// An instance may be chosen again, on trial by one request at a time.
  @inlinable public mutating func offer<Effects: RouterEffects & ~Copyable>(
    _ slot: InstanceSlot, onTrial: Bool, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    if onTrial { instances.offerOnTrial(slot) } else { instances.offer(slot) }
    serveWaiting(at: now, into: &effects)
  }
}
