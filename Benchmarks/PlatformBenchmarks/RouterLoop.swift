import ControlPlane
import Primitives

/// What a router does for a request that meets a fresh route: age of the route, choice, call, end.
struct RouterLoop: ~Copyable {
  /// Keeps the latest choice; nothing else happens on this path.
  struct Sink: RouterEffects {
    var slot = InstanceSlot(0)

    mutating func call(_ ticket: UInt32, _ assignment: Assignment, at now: Instant) {
      slot = assignment.slot
    }
    mutating func refuse(_ ticket: UInt32, because reason: Refusal, at now: Instant) {}
    mutating func askRoute(knownVersion: UInt32, attempt: Int, at now: Instant) {}
    mutating func askInstance(ordinal: UInt32, attempt: Int, at now: Instant) {}
    mutating func joined(_ pod: PodID, _ slot: InstanceSlot, at now: Instant) {}
    mutating func retire(_ pod: PodID, _ slot: InstanceSlot, at now: Instant) {}
    mutating func wake(_ timer: RouterTimer, at instant: Instant) {}
  }

  private var router: ServiceRouter<UInt32>
  private var sink = Sink()
  private var now = Instant.seconds(1)
  /// Slots of the requests under way, in a ring: each ends so many requests later.
  private var underWay: [InstanceSlot] = []
  private var position = 0

  /// - Parameter busy: requests under way at any time, of `instances` slots.
  init(instances: Int, busy: Int, choice: InstanceChoice) {
    let rules = RouterRules(
      choice: choice, concurrencyLimit: 1, startRule: .never, queueLimit: 10,
      maximumInstances: instances, minimumInstances: instances, keepAlive: Nanoseconds(.max),
      routeLifetimes: RouteLifetimes(
        fresh: .seconds(1_000_000), stale: .seconds(1_000_000), negative: .seconds(1)),
      waitLimit: .seconds(60), askTimeout: .seconds(1), startTimeout: .seconds(20),
      startAttempts: 3, startBackoff: .seconds(1))
    router = ServiceRouter(rules: rules, choiceSeed: 1)
    router.routeArrived(version: 1, isNegative: false, at: now, into: &sink)
    for pod in 0..<instances {
      router.instanceReady(PodID(pod), ordinal: nil, at: now, into: &sink)
    }
    for request in 0..<busy {
      router.arrive(UInt32(request), at: now, into: &sink)
      underWay.append(sink.slot)
    }
  }

  /// Requests that begin, each after another has ended.
  mutating func run(requests: Int) -> UInt64 {
    var sum: UInt64 = 0
    for request in 0..<requests {
      now = now + Nanoseconds(1000)
      router.finished(underWay[position], at: now, into: &sink)
      router.arrive(UInt32(truncatingIfNeeded: request), at: now, into: &sink)
      underWay[position] = sink.slot
      position = position + 1 == underWay.count ? 0 : position + 1
      sum &+= UInt64(sink.slot.raw)
    }
    return sum
  }
}
