import ControlPlane
import Primitives
import SimulationKernel

/// Where clients try again whose lane the balancer sends nothing to any more.
///
/// Each retry draws its lane by a key of its own; at flow fidelity so many of them are split as the
/// arrivals of a second are.
struct RetryDetours: Sendable {
  struct Detour: Sendable {
    /// The service, its first lane here, and which of its places are here.
    var service: ServiceID
    var firstLane: Int
    var own: Range<Int>
    /// By place.
    var shares: [SplitShare]
    var key: StreamKey
  }

  enum Destination {
    case lane(Int)
    /// A place of the service in another cluster.
    case elsewhere(ServiceID, place: Int)
  }

  /// By lane; asked only for keys.
  private var byLane: [Int: Detour] = [:]

  var isEmpty: Bool { byLane.isEmpty }

  mutating func set(_ lane: Int, to detour: Detour?) { byLane[lane] = detour }

  /// Hands over those that will try again elsewhere; `body` gets where, and how many go there.
  /// Without a detour they come back to where they were.
  func deal(_ retry: ClientRetry, from lane: Int, _ body: (Destination, ClientRetry) -> Void) {
    guard let detour = byLane[lane] else { return body(.lane(lane), retry) }
    var bits = detour.key.appending(UInt64(retry.attempts)).stream(retry.identity)
    Counts.split(UInt64(retry.count), over: detour.shares, using: &bits) { place, count in
      guard count > 0 else { return }
      var part = retry
      part.count = Int(count)
      body(
        detour.own.contains(place)
          ? .lane(detour.firstLane + place - detour.own.lowerBound)
          : .elsewhere(detour.service, place: place), part)
    }
  }
}

/// Clients that will try again at a place of their service in another cluster.
struct RetryDeparture: Sendable {
  /// Numbered where they come from.
  var service: ServiceID
  var place: Int
  var retry: ClientRetry
  var at: Instant
}
