import ControlPlane
import Primitives
import SimulationKernel

// Steps of a lane that starts instances for its requests, gives them up when idle, and whose
// requests last long against a step: what counts is which instances are in use, and for how long
// the others have not been.
//
// A level that one step reaches says little of the next when requests last for many steps, so the
// stationary overflow of `OverflowTable`, drawn afresh in each step, would keep too many instances
// in use. Each place is followed instead, with the end of what it serves, so that who waits is
// served when a place is free, and a service has its law and not that of the equilibrium.
extension FlowState {
  /// Mean service time from which places are followed, seconds: with shorter ones the cold starts
  /// that the stationary overflow misses are few (docs/fidelity.md).
  static let followedService = 0.08

  /// Free slots up to which every arrival ends a step, so that an instance is asked for at the
  /// instant at which one is missing.
  private static let scarce = 8

  static func follows(_ rules: RouterRules, mean: Double) -> Bool {
    rules.startRule == .onDemand && rules.keepAlive.count < .max && rules.concurrencyLimit == 1
      && mean >= followedService
  }

  /// The longest step: a tenth of a service time, and none in which the free slots may be missed.
  var placesStepEnd: Instant? {
    let free = slots - inService - waiting
    guard free > Self.scarce else { return nil }
    var seconds = service.mean / 10
    if rate.perSecond > 0 { seconds = min(seconds, Double(free) / (2 * rate.perSecond)) }
    return now + Nanoseconds(seconds: max(seconds, 0.001))
  }

  /// - Parameter isEndedByArrival: the only arrival comes at `end`, after all that ends.
  /// - Returns: how many invocations completed.
  mutating func stepPlaces(
    arrivals: Int, isEndedByArrival: Bool, from start: Instant, to end: Instant
  ) -> Int {
    placeLevel = PlaceLevel(since: start)
    serveWaiting(at: start)
    let coming = isEndedByArrival ? 0 : arrivals
    let length = Double((end - start).count)
    var completed = 0
    for number in 0..<coming {
      let share = (Double(number) + bits.uniform()) / Double(coming)
      let at = start + Nanoseconds(Int64(length * share))
      completed += endPlaces(by: at)
      takePlace(at: at)
    }
    completed += endPlaces(by: end)
    placeLevel.advance(to: end, inService)
    levelAtEnd = inService
    if isEndedByArrival { takePlace(at: end) }
    return completed
  }

  /// Ends what ends up to an instant, and begins what has waited for that; returns how many ended.
  private mutating func endPlaces(by instant: Instant) -> Int {
    var count = 0
    while let at = instances.releaseNext(by: instant) {
      placeLevel.advance(to: at, inService)
      inService -= 1
      count += 1
      serveWaiting(at: at)
    }
    placeLevel.advance(to: instant, inService)
    return count
  }

  private mutating func takePlace(at instant: Instant) {
    let room = room
    guard inService + ledger.waiting < room.most else { return refuse(1, room, at: instant) }
    if ledger.waiting == 0, inService < slots, occupyPlace(at: instant) {
      inService += 1
      ledger.settle(came(1, from: instant, to: instant), wait: 0)
    } else {
      ledger.append(came(1, from: instant, to: instant))
      peakWaiting = max(peakWaiting, ledger.waiting)
    }
  }

  /// A request begins on the lowest idle place, for a service drawn for it; false where none is
  /// idle.
  mutating func occupyPlace(at instant: Instant) -> Bool {
    let quantile = Int(bits.integer(below: UInt64(ServiceShape.points)))
    return instances.occupy(until: instant + Nanoseconds(service.nanoseconds(quantile)))
  }
}

/// The integral of the number of requests in service over a step whose places are followed.
struct PlaceLevel: Sendable {
  private var at: Instant
  /// Requests times seconds.
  private(set) var seconds = 0.0

  init(since start: Instant) { at = start }

  mutating func advance(to instant: Instant, _ inService: Int) {
    seconds += Double(inService) * (instant - at).seconds
    at = instant
  }
}
