import Primitives

/// What a flow lane has told others to expect of it, and from when on.
struct ToldRate: BitwiseCopyable, Sendable {
  /// A second; of calls, and of refused ones.
  var perSecond = SIMD2<Double>()
  /// From that of their epochs on which is open.
  var since: Instant
  /// The lane's own time when it told it.
  var at: Instant
  /// Who was told.
  var target = 0

  init(at now: Instant) { (since, at) = (now, now) }

  /// What was expected up to an epoch.
  func expected(before epoch: Instant) -> SIMD2<Double> {
    perSecond * max(0, (epoch - since).seconds)
  }
}

// Requests that gateways shed and calls that downstreams refuse, by what came in the last second:
// a lane tells how many it expects while its step is under way, and puts that right afterwards.
extension FlowState {
  /// Calls of a step are known at its end: as many are expected as were made of late.
  mutating func tellCalls(of downstream: Int, _ downstreams: inout Downstreams) {
    let made = SIMD2(
      Double(counters.downstreamCalls - publishedCalls),
      Double(counters.downstreamRefused - publishedRefused))
    (publishedCalls, publishedRefused) = (counters.downstreamCalls, counters.downstreamRefused)
    let epoch = downstreams.now
    let seconds = (now - toldCalls.at).seconds
    downstreams.correct(made - toldCalls.expected(before: epoch), over: seconds, downstream)
    (toldCalls.since, toldCalls.at) = (epoch, now)
    guard seconds > 0 else { return }
    // A short step's own count says little.
    let change = (made / seconds - toldCalls.perSecond) * min(1, seconds)
    downstreams.expect(change, downstream)
    toldCalls.perSecond += change
  }

  /// What comes in a second is known before it, but for clients who try again.
  mutating func tellOffers(_ shedding: inout GatewayShedding) {
    let came = Double(counters.attempts - publishedArrivals)
    publishedArrivals = counters.attempts
    let epoch = shedding.now
    let (gateway, importance) = (toldOffers.target, settings.importance)
    shedding.correct(
      came - toldOffers.expected(before: epoch).x, over: (now - toldOffers.at).seconds,
      gateway: gateway, importance: importance)
    shedding.expect(-toldOffers.perSecond.x, gateway: gateway, importance: importance)
    toldOffers = ToldRate(at: now)
    toldOffers.since = epoch
    toldOffers.target = settings.gateways[0]
    toldOffers.perSecond.x = isDown ? 0 : Double(feed.ofSecond + retriesOfPassed)
    shedding.expect(
      toldOffers.perSecond.x, gateway: toldOffers.target, importance: importance)
  }

  /// Takes back what was expected, and what of it has passed: whoever goes on tells what came.
  mutating func withdrawOffers(_ demand: inout Demand) {
    if let downstream = settings.downstream {
      let epoch = demand.downstreams.now
      demand.downstreams.correct(
        -toldCalls.expected(before: epoch), over: (now - toldCalls.at).seconds, downstream)
      demand.downstreams.expect(-toldCalls.perSecond, downstream)
      toldCalls = ToldRate(at: now)
    }
    guard settings.sheds else { return }
    let (gateway, importance) = (toldOffers.target, settings.importance)
    demand.shedding.correct(
      -toldOffers.expected(before: demand.shedding.now).x, over: (now - toldOffers.at).seconds,
      gateway: gateway, importance: importance)
    demand.shedding.expect(-toldOffers.perSecond.x, gateway: gateway, importance: importance)
    toldOffers = ToldRate(at: now)
  }
}
