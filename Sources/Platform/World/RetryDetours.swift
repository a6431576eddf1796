import ControlPlane
import Primitives
import SimulationKernel

/// Where clients try again whose lane the balancer sends nothing to any more.
///
/// Each retry draws its lane by a key of its own; at flow fidelity so many of them are split as the
/// arrivals of a second are.
struct RetryDetours: Sendable {
  struct Detour: Sendable {
    /// The service's first lane, and the weight of each of its lanes.
    var firstLane: Int
    var weights: [Double]
    var key: StreamKey
  }

  /// By lane; asked only for keys.
  private var byLane: [Int: Detour] = [:]

  var isEmpty: Bool { byLane.isEmpty }

  mutating func set(_ lane: Int, to detour: Detour?) { byLane[lane] = detour }

  /// Hands over those that will try again elsewhere; `body` gets a lane and how many go there.
  /// Without a detour they come back to where they were.
  func deal(_ retry: ClientRetry, from lane: Int, _ body: (Int, ClientRetry) -> Void) {
    guard let detour = byLane[lane] else { return body(lane, retry) }
    var bits = detour.key.appending(UInt64(retry.attempts)).stream(retry.identity)
    Counts.split(UInt64(retry.count), weights: detour.weights, using: &bits) { position, count in
      guard count > 0 else { return }
      var part = retry
      part.count = Int(count)
      body(detour.firstLane + position, part)
    }
  }
}
