import Primitives
import SimulationKernel

// Routes that are old: what is done without one, and calls of a consumer to instances that its
// route names and that are gone.
extension FlowState {
  /// Whether nothing is called: consumers read nothing, or the route has run out and nobody has
  /// answered yet. What is in service goes on.
  var isHalted: Bool {
    isRouteless || (settings.topic?.rules.isPaused(at: now) ?? false)
  }

  private var isRouteless: Bool {
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
  /// What goes are the instances that an ordered choice takes last, so that one of them is called
  /// when a message finds all others busy. Such times begin at rate λ P (1 − ρ) while the queue is
  /// in its stationary law, and at once where somebody waits. From the first refusal on the route
  /// is asked for and nothing is called, so that with it only what was called within the hop there
  /// and back has failed. The answer tells of all that are gone.
  mutating func callInVain() {
    let seconds = (now - unnoticedSince).seconds
    unnoticedSince = now
    guard settings.isTopic, control.route.age(at: now) != .absent,
      instances.count * rules.concurrencyLimit < settings.mostOutstanding,
      !isHalted, isOneCalled(within: seconds)
    else { return }
    let more = Counts.poisson(mean: rate.perSecond * 2 * settings.hop.seconds, using: &bits)
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
    let slots = instances.count * rules.concurrencyLimit
    guard slots > 0, seconds > 0, offeredLoad > 0 else { return false }
    let law = CongestionLaw(
      slots: slots, utilisation: offeredLoad / Double(slots), squaredCV: service.squaredCV)
    let free = 1 - min(law.utilisation, CongestionLaw.highestStable)
    let times = rate.perSecond * seconds * law.waitProbability * free
    return bits.uniformOpen() > Elementary.exp(-times)
  }
}
