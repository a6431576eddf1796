import Primitives
import SimulationKernel

// Steps of a lane whose windows bound what is on instances.
extension FlowState {
  /// Whether nothing is delivered: its consumers read nothing, or no instance is there.
  private var isUnread: Bool {
    instances.count == 0 || !settings.isTopic || isHalted
  }

  /// Returns how many messages completed.
  mutating func stepWindows(arrivals: Int, from start: Instant, to end: Instant) -> Int {
    takeBackWindows()
    let isRead = !isUnread
    let drawn = WindowService(
      law: settings.serviceTime,
      stretch: service.unitScale > 0 ? service.scale / service.unitScale : 1,
      shiftNanoseconds: service.shift * 1e9)
    var (windows, source, ledger) = (FlowWindows?.none, bits, WaitLedger())
    // Taken out for the while, so that nothing is copied.
    swap(&windows, &self.windows)
    swap(&ledger, &self.ledger)
    let served = windows!.step(
      arrivals: arrivals, from: start.nanoseconds, to: end.nanoseconds, isRead: isRead,
      service: drawn, using: &source
    ) { count, wait in
      ledger.settle(
        WaitLedger.Cohort(
          from: start.nanoseconds - wait, to: end.nanoseconds - wait, count: count), wait: wait)
    }
    swap(&windows, &self.windows)
    swap(&ledger, &self.ledger)
    bits = source
    inService += served.begun - served.ended
    return served.ended
  }

  /// What has come back from instances that are gone, and what has come while nobody was there, is
  /// in the logs.
  private mutating func takeBackWindows() {
    windows!.keep(inService)
    guard ledger.waiting > 0 else { return }
    var came: [Int64] = []
    ledger.forEachArrival { came.append($0) }
    ledger.dequeue(ledger.waiting) { _ in }
    var source = bits
    windows!.takeBack(came, using: &source)
    bits = source
  }

  /// Puts what is in the logs among those that wait.
  mutating func handOutWindows() {
    guard windows != nil else { return }
    for came in windows!.takeOut() {
      ledger.append(WaitLedger.Cohort(from: came, to: came, count: 1))
    }
  }

  /// Messages that no instance has answered and that are not committed, or that were answered
  /// while one before them was not.
  var answeredAheadOfWindows: Int {
    max(0, windows!.uncommitted(at: now.nanoseconds) - inService)
  }
}
