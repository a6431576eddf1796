import ControlPlane
import Primitives
import SimulationKernel

// Steps of a lane that starts instances for its requests, gives them up when idle, and whose
// requests last long against a step: what counts is which instances are in use, and for how long
// the others have not been.
//
// A level that one step reaches says little of the next when requests last for many steps, so the
// stationary overflow of `OverflowTable`, drawn afresh in each step, would keep too many instances
// in use. Each place is followed instead.
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
    let h = (end - start).seconds
    serveWaiting(at: start)
    var coming = isEndedByArrival ? 0 : arrivals
    var ending = BinomialDraw.sample(
      inService, share: 1 - service.survival(ofOld: h), using: &bits)
    ending += BinomialDraw.sample(coming, share: 1 - service.survival(ofNew: h), using: &bits)
    let all = ending + coming
    let length = Double((end - start).count)
    var completed = 0
    for event in 0..<all {
      let share = (Double(event) + 0.5) / Double(all)
      let at = start + Nanoseconds(Int64(length * share))
      let comes = Int(bits.integer(below: UInt64(coming + ending))) < coming
      if comes {
        coming -= 1
        takePlace(at: at)
      } else {
        ending -= 1
        // What both came and ended in this step may be told in the wrong order.
        guard inService > 0 else { continue }
        completed += 1
        leavePlace(at: at)
      }
    }
    levelAtEnd = inService
    if isEndedByArrival { takePlace(at: end) }
    return completed
  }

  private mutating func takePlace(at instant: Instant) {
    let room = room
    guard inService + ledger.waiting < room.most else { return refuse(1, room, at: instant) }
    if ledger.waiting == 0, inService < slots, instances.places.occupy() != nil {
      inService += 1
      ledger.settle(came(1, from: instant, to: instant), wait: 0)
    } else {
      ledger.append(came(1, from: instant, to: instant))
      peakWaiting = max(peakWaiting, ledger.waiting)
    }
  }

  private mutating func leavePlace(at instant: Instant) {
    inService -= 1
    instances.release(at: instant, using: &bits)
    serveWaiting(at: instant)
  }
}
