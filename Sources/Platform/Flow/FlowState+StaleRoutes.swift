import Primitives
import SimulationKernel

// Routes that are old: what is done without one, and calls of a consumer to instances that its
// route names and that are gone.
extension FlowState {
  /// Whether nothing is called since the route has run out and nobody has answered yet.
  var isRouteless: Bool {
    control.route.isAsking && control.route.age(at: now) == .absent
  }

  /// Counts arrivals that are called by a route which is no longer fresh. Steps end where its age
  /// changes.
  mutating func countStaleUses(_ arrivals: Int) {
    guard instances.count > 0, control.route.age(at: now) == .stale else { return }
    counters.staleUses &+= UInt64(arrivals)
  }

  /// Instances go and the consumer is not told: none of it matters before it calls one of them.
  mutating func goUnnoticed(_ count: Int) {
    guard settings.isConsumed, count > 0 else { return }
    if unknownGone == 0 { unnoticedSince = now }
    unknownGone += count
  }

  /// Counts the calls that were refused because instances had been scaled away.
  ///
  /// One that goes takes no more, so that soon nothing is in flight there. So a choice of the
  /// fewest requests calls it when a message finds something on all others, and one in order when
  /// it finds all their slots taken: what goes are the instances that it takes last. Such times
  /// begin at rate λ P (1 − ρ) while the queue is in its stationary law, and at once where somebody
  /// waits. From the first refusal on the route is asked for and nothing is called, so that with it
  /// only what was called within the hop there and back has failed. The answer tells of all that
  /// are gone.
  mutating func callInVain() {
    let seconds = (now - unnoticedSince).seconds
    unnoticedSince = now
    guard settings.isTopic, control.route.age(at: now) != .absent,
      instances.count * rules.concurrencyLimit < settings.mostOutstanding,
      !isHalted, isOneCalled(within: seconds)
    else { return }
    var next = rate.perSecond * 2 * settings.hop.seconds
    // A choice of the fewest calls each in turn, and the call in vain counts as one.
    if rules.choice == .leastRequests, rules.concurrencyLimit > 1 {
      next *= Double(unknownGone) / Double(instances.count + unknownGone)
    }
    let more = Counts.poisson(mean: next, using: &bits)
    let failed = min(unknownGone, 1 + Int(more))
    counters.staleFailures &+= UInt64(failed)
    digest.record(RecordKind.callRefused, at: now, UInt64(failed))
    unknownGone = 0
    guard !control.route.isAsking else { return }
    control.route.isAsking = true
    control.askedAt = now
    control.askAttempt = 0
    askRoute()
  }

  private mutating func isOneCalled(within seconds: Double) -> Bool {
    if waiting > 0 { return true }
    let isEven = rules.choice == .leastRequests
    let places = instances.count * (isEven ? 1 : rules.concurrencyLimit)
    guard places > 0, seconds > 0, offeredLoad > 0 else { return false }
    var times = rate.perSecond * seconds
    let utilisation = offeredLoad / Double(places)
    if utilisation < 1 {
      let law = CongestionLaw(
        slots: places, utilisation: utilisation, squaredCV: service.squaredCV)
      times *= law.waitProbability * (1 - min(law.utilisation, CongestionLaw.highestStable))
    }
    return bits.uniformOpen() > Elementary.exp(-times)
  }
}
