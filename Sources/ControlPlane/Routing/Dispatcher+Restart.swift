import Primitives

/// A list of endpoints that a Dispatcher has asked Kubernetes for.
struct EndpointListing: Sendable {
  var number: UInt32 = 0
  /// Nil: it is complete, or none was asked for.
  var askedAt: Instant?
  var received: UInt32 = 0
}

// A Dispatcher that begins anew, without memory.
extension Dispatcher {
  /// Asks etcd who holds the tokens and Kubernetes which pods it is responsible for. Until it
  /// knows, it answers by what it has: callers keep the instances that they know.
  public mutating func start(at now: Instant, into effects: inout some DispatcherEffects) {
    watch.doubt()
    readTokens(at: now, into: &effects)
    askListing(at: now, into: &effects)
    arm(into: &effects)
  }

  private mutating func askListing(at now: Instant, into effects: inout some DispatcherEffects) {
    listing = EndpointListing(number: listing.number + 1, askedAt: now)
    effects.send(.listEndpoints(listing: listing.number), to: .kubernetes)
  }

  /// Asks again where the list, or a part of it, was lost.
  mutating func repeatListing(at now: Instant, into effects: inout some DispatcherEffects) {
    guard let askedAt = listing.askedAt, askedAt + rules.takeTimeout <= now else { return }
    askListing(at: now, into: &effects)
  }
}
