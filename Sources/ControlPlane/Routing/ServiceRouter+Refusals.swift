import Primitives

// Calls that a stale route has sent to instances that are gone: off the warm path.
extension ServiceRouter {
  /// An instance has refused a call, since it takes none any more: the route that named it is
  /// stale. The instance is forgotten, the Dispatcher is asked, and until it has answered nothing
  /// is called: what else the route names may be gone too.
  ///
  /// - Parameter ticket: what was to be served, which waits for the answer; nil when it is not
  ///   wanted any more.
  @inlinable public mutating func refused<Effects: RouterEffects & ~Copyable>(
    _ ticket: Ticket?, by slot: InstanceSlot, at now: Instant, into effects: inout Effects
  ) where Effects.Ticket == Ticket {
    if instances.end(slot, at: now) {
      retire(slot, at: now, into: &effects)
    } else {
      instances.drain(slot)
    }
    route.invalidate()
    ask(at: now, into: &effects)
    guard let ticket else { return }
    waiting.append(ticket, since: now)
    arm(.waitLimit, at: now, after: rules.waitLimit, into: &effects)
  }
}
