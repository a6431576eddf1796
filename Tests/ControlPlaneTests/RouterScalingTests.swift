import ControlPlane
import Primitives
import Testing

/// A gateway under AutoScale: what it gives up, what it keeps, when it starts by itself.
@Suite struct RouterScalingTests {
  /// What a router has asked for.
  struct Wishes: RouterEffects {
    var called: [UInt32: InstanceSlot] = [:]
    var starts: [UInt32] = []
    var retired: [PodID] = []
    var refused = 0

    mutating func call(_ ticket: UInt32, _ assignment: Assignment, at now: Instant) {
      called[ticket] = assignment.slot
    }
    mutating func refuse(_ ticket: UInt32, because reason: Refusal, at now: Instant) {
      refused += 1
    }
    mutating func askRoute(knownVersion: UInt32, attempt: Int, at now: Instant) {}
    mutating func askInstance(ordinal: UInt32, attempt: Int, at now: Instant) {
      starts.append(ordinal)
    }
    mutating func joined(_ pod: PodID, _ slot: InstanceSlot, at now: Instant) {}
    mutating func retire(_ pod: PodID, _ slot: InstanceSlot, at now: Instant) {
      retired.append(pod)
    }
    mutating func wake(_ timer: RouterTimer, at instant: Instant) {}
  }

  private static func rules(
    _ start: RouterRules.StartRule, maximum: Int = 100, minimum: Int = 0, keepAlive: Int64 = 0
  ) -> RouterRules {
    RouterRules(
      choice: .leastRequests, concurrencyLimit: 1, startRule: start, queueLimit: 100,
      maximumInstances: maximum, minimumInstances: minimum,
      keepAlive: keepAlive > 0 ? .seconds(keepAlive) : Nanoseconds(.max),
      routeLifetimes: RouteLifetimes(
        fresh: .seconds(1000), stale: .seconds(1000), negative: .seconds(1)),
      waitLimit: .seconds(60), askTimeout: .seconds(1), startTimeout: .seconds(20),
      startAttempts: 3, startBackoff: .seconds(1))
  }

  /// A router with instances, the first `busy` of which serve the requests 0, 1, and so on.
  private static func router(
    _ rules: RouterRules, instances: Int, busy: Int, _ wishes: inout Wishes
  ) -> ServiceRouter<UInt32> {
    var router = ServiceRouter<UInt32>(rules: rules, choiceSeed: 1)
    router.routeArrived(version: 1, isNegative: false, at: .origin, into: &wishes)
    for pod in 0..<instances {
      router.instanceReady(PodID(pod), ordinal: nil, at: .origin, into: &wishes)
    }
    for request in 0..<busy { router.arrive(UInt32(request), at: .origin, into: &wishes) }
    return router
  }

  @Test func aWishThatComesTwiceDrainsOnce() {
    var wishes = Wishes()
    var router = Self.router(Self.rules(.never), instances: 10, busy: 8, &wishes)
    for _ in 0..<3 { router.scaleDown(to: 5, at: .seconds(1), into: &wishes) }
    let usable = router.counts.usable
    let draining = router.counts.draining
    #expect(wishes.retired.count == 2, "the idle ones go at once")
    #expect(usable == 5)
    #expect(draining == 3)
    // Requests go to the usable ones only, and the drained leave with their last request.
    for request in 0..<8 {
      router.finished(wishes.called[UInt32(request)]!, at: .seconds(2), into: &wishes)
    }
    let left = router.counts
    #expect(left == InstanceCounts(usable: 5))
    #expect(wishes.retired.count == 5)
  }

  @Test func theLeastNumberStaysUsable() {
    var wishes = Wishes()
    var router = Self.router(
      Self.rules(.never, minimum: 2, keepAlive: 10), instances: 4, busy: 3, &wishes)
    router.scaleDown(to: 0, at: .seconds(1), into: &wishes)
    let counts = router.counts
    #expect(counts.usable == 2)
    // One drains still while the other two have long been idle.
    for slot in [0, 1, 2].compactMap({ wishes.called[UInt32($0)] })
    where !router.instances[slot].isDraining {
      router.finished(slot, at: .seconds(2), into: &wishes)
    }
    router.wake(.idleExpiry, at: .seconds(100), into: &wishes)
    let later = router.counts
    #expect(later.usable == 2)
  }

  @Test func fromZeroMeansNoneThatIsUsable() {
    var wishes = Wishes()
    var router = Self.router(Self.rules(.fromZero), instances: 1, busy: 1, &wishes)
    router.arrive(1, at: .seconds(1), into: &wishes)
    #expect(wishes.starts.isEmpty, "it waits for the instance that is there")
    router.endpointRemoved(PodID(0), at: .seconds(2), into: &wishes)
    #expect(wishes.starts.count == 1, "the only one drains: nobody else would serve it")
    router.arrive(2, at: .seconds(3), into: &wishes)
    #expect(wishes.starts.count == 1)
  }

  @Test func theLastToDrainMakesRoomUnderTheLimit() {
    var wishes = Wishes()
    var router = Self.router(Self.rules(.fromZero, maximum: 1), instances: 1, busy: 1, &wishes)
    router.scaleDown(to: 0, at: .seconds(1), into: &wishes)
    router.arrive(1, at: .seconds(2), into: &wishes)
    #expect(wishes.starts.isEmpty && wishes.refused == 0, "one is allowed, and one is there")
    router.finished(wishes.called[0]!, at: .seconds(60), into: &wishes)
    #expect(wishes.retired == [PodID(0)])
    #expect(wishes.starts.count == 1)
  }

  @Test func whatComesBeyondTheLimitIsGivenUp() {
    var wishes = Wishes()
    var router = Self.router(Self.rules(.onDemand, maximum: 3), instances: 2, busy: 2, &wishes)
    router.arrive(2, at: .seconds(1), into: &wishes)
    #expect(wishes.starts.count == 1)
    // AutoScale has sent one at the same time.
    router.instanceReady(PodID(2), ordinal: nil, at: .seconds(2), into: &wishes)
    #expect(wishes.called[2] != nil)
    router.instanceReady(
      PodID(3), ordinal: wishes.starts[0], at: .seconds(3), into: &wishes)
    let counts = router.counts
    #expect(counts == InstanceCounts(usable: 3))
    #expect(wishes.retired == [PodID(3)])
  }
}

/// Numbers divided over the parts of a service.
@Suite struct SpreadTests {
  @Test(arguments: 1...12) func sharesAddUpExactly(count: Int) {
    for total in 0...40 {
      let shares = (0..<count).map { EvenShare.of(total, at: $0, among: count) }
      #expect(shares.reduce(0, +) == total)
      #expect(shares.max()! - shares.min()! <= 1)
      // Nowhere more than of a greater number.
      for index in 0..<count {
        #expect(shares[index] <= EvenShare.of(total + 1, at: index, among: count))
      }
    }
  }

  private static func parts(_ usable: [Int], least: Int = 0, most: Int = 10) -> [ScaledPart] {
    usable.map {
      ScaledPart(least: least, most: most, instances: InstanceCounts(usable: $0))
    }
  }

  @Test func theFewestGetTheNext() {
    #expect(EvenSpread.fewest(Self.parts([3, 1, 1])) == 1)
    #expect(EvenSpread.fewest(Self.parts([3, 3], most: 3)) == nil)
    var parts = Self.parts([0, 1])
    for _ in 0..<5 { parts[EvenSpread.fewest(parts)!].order(at: .origin) }
    #expect(parts.map { $0.usable + $0.coming } == [3, 3])
    // What drains still counts towards the limit.
    let full = ScaledPart(
      least: 0, most: 4, instances: InstanceCounts(usable: 1, draining: 2, starting: 1))
    #expect(EvenSpread.fewest([full]) == nil)
  }

  @Test func theMostGiveOneUp() {
    #expect(EvenSpread.fullest(Self.parts([2, 3, 3]), toZero: false) == 2)
    #expect(EvenSpread.fullest(Self.parts([1, 1], least: 1), toZero: true) == nil)
    var used = Self.parts([1, 1])
    used[1].isInUse = true
    #expect(EvenSpread.fullest(used, toZero: false) == 0)
    used[0].isInUse = true
    #expect(EvenSpread.fullest(used, toZero: false) == nil)
    #expect(EvenSpread.fullest(used, toZero: true) == 1)
  }

  @Test func ordersEndBySamples() {
    func sample(_ usable: Int, settled: UInt32) -> PartSample {
      PartSample(
        instances: InstanceCounts(usable: usable), concurrency: 0, settled: settled, second: 1)
    }
    var part = ScaledPart(least: 0, most: 10)
    for _ in 0..<3 { part.order(at: .seconds(2)) }
    // An instance that the gateway asked for ends no order of AutoScale's.
    let isNews = part.take(sample(1, settled: 0))
    #expect(isNews && part.coming == 3)
    // One has come, one has failed, and the one there before is gone.
    _ = part.take(sample(1, settled: 2))
    #expect(part.coming == 1)
    let again = part.take(sample(1, settled: 2))
    #expect(!again)
    part.forgetOrders(before: .seconds(2))
    #expect(part.coming == 1)
    part.forgetOrders(before: .seconds(3))
    #expect(part.coming == 0)
  }

  /// Puts the question that is due, has it answered, and looks what that makes of it.
  private func ask(
    _ part: inout ScaledPart, at second: Int64, told count: Int, isLost: Bool = false, left: Int
  ) throws {
    let asked = part.asksAboutOrders(at: .seconds(second))
    let question = try #require(asked)
    let again = part.asksAboutOrders(at: .seconds(second + 1))
    let answer = part.counted(count, question: question)
    #expect(again == nil && answer == isLost && part.coming == left, "at \(second) s: \(part)")
  }

  /// Orders that Kubernetes has are never lost, however old; those that it twice did not have are,
  /// and no others.
  @Test func ordersThatNobodyHasAreLost() throws {
    var part = ScaledPart(least: 0, most: 100)
    for second in 0..<10 as Range<Int64> { part.order(at: .seconds(second)) }
    let young = part.asksAboutOrders(at: .seconds(9))
    #expect(young == nil)
    for second in stride(from: 20, to: 2000, by: 10) as StrideTo<Int64> {
      try ask(&part, at: second, told: 10, left: 10)
    }
    // Not seen once, they may have been on their way; seen afterwards, they were.
    try ask(&part, at: 2000, told: 7, left: 10)
    try ask(&part, at: 2010, told: 10, left: 10)
    try ask(&part, at: 2020, told: 7, left: 10)
    part.order(at: .seconds(2022))
    // Seven of those, and the young one, of which nothing was asked.
    try ask(&part, at: 2030, told: 6, isLost: true, left: 8)
    try ask(&part, at: 2040, told: 8, left: 8)
    // One has come to its end, which the sample tells after the first count that knew it.
    try ask(&part, at: 2050, told: 7, left: 8)
    let sample = PartSample(
      instances: InstanceCounts(usable: 1), concurrency: 0, settled: 1, second: 2055)
    _ = part.take(sample)
    try ask(&part, at: 2060, told: 7, left: 7)
  }

  /// Nothing is taken for lost while nobody answers, nor because of what was said before that.
  @Test func silenceIsNoLoss() throws {
    var part = ScaledPart(least: 0, most: 100)
    for _ in 0..<10 { part.order(at: .origin) }
    try ask(&part, at: 10, told: 0, left: 10)
    for second in stride(from: 20, to: 1000, by: 10) as StrideTo<Int64> {
      let question = part.asksAboutOrders(at: .seconds(second))
      #expect(question != nil)
    }
    let old = part.counted(0, question: 5)
    #expect(!old)
    try ask(&part, at: 1000, told: 0, left: 10)
    try ask(&part, at: 1010, told: 4, isLost: true, left: 4)
    // A withdrawal that was lost is asked for again, and not after minutes.
    part.withdraw(at: .seconds(1010))
    part.forgetWithdrawal(at: .seconds(1019))
    #expect(part.withdrawingSince != nil)
    part.forgetWithdrawal(at: .seconds(1020))
    #expect(part.withdrawingSince == nil)
  }
}
