import Primitives
import SimulationKernel

// A request now and then, on instances that never go: each is followed by itself, as long as the
// next may find none free and ask for one more. By laws of many requests it would ask for an
// instance where nobody waits, and nobody would wait for what it has asked for.
extension FlowState {
  /// Requests a second up to which it is done.
  private static let mostSparse = 2.0

  /// Whether requests are so few that each is followed, and one may find no free instance.
  var isSparse: Bool {
    rules.startRule == .onDemand && !followsPlaces && rules.concurrencyLimit == 1
      && keepAliveLength.count == .max && rate.perSecond <= Self.mostSparse
      && feed.ofSecond <= Int(4 * Self.mostSparse) && instances.count > 0
      && slots - inService <= 1 + feed.ofSecond && waiting == 0
      && !settings.isTopic && rules.mayStart(counts) && feed.wholeMinute == nil
      && feed.second != peakSecond
  }

  /// A step without arrivals but for one at its end, after all that ends; returns how many
  /// completed.
  mutating func stepSparsely(
    isEndedByArrival: Bool, from start: Instant, to end: Instant
  ) -> Int {
    (isBacklogKnown, backlog) = (false, min(backlog, 0))
    let h = (end - start).seconds
    let completed = BinomialDraw.sample(
      inService, share: 1 - service.survival(ofOld: h), using: &bits)
    inService -= completed
    levelAtEnd = inService
    guard isEndedByArrival else { return completed }
    let room = room
    if inService + 1 > room.most {
      refuse(1, room, at: end)
    } else if inService < slots {
      inService += 1
      ledger.settle(came(1, from: end, to: end), wait: 0)
    } else {
      ledger.append(came(1, from: end, to: end))
      if !isHalted { peakWaiting = max(peakWaiting, ledger.waiting) }
    }
    return completed
  }
}
