import ControlPlane
import Primitives
import SimulationKernel

// Instances that go bad, and a gateway that breaks them, at flow fidelity.
extension FlowState {
  // MARK: Bad instances

  /// Does what faults of single instances ask for whose time has come.
  mutating func followSpoils() {
    for number in breaking.spoils.indices {
      let span = breaking.spoils[number].span
      if span.lowerBound == now, !isDown { spoil(number) }
      if span.upperBound == now { endSpoil(number) }
    }
    takePush()
  }

  /// From an instant on, which the lane has not passed, so many of the calls err since versions are
  /// wrong.
  mutating func configure(_ configuration: LaneConfiguration, at instant: Instant) {
    let errors = 1 - configuration.errors.reduce(1) { $0 * (1 - $1.share) }
    breaking.pushes.append((instant, errors))
    endStep(before: max(instant, now))
    takePush()
  }

  private mutating func takePush() {
    guard let step = breaking.pushes.last(where: { $0.at <= now }) else { return }
    if step.errors > 0 { recallInterval() }
    breaking.versionErrors = step.errors
  }

  /// When the next of these comes.
  var nextSpoilEdge: Instant? {
    let edges =
      breaking.spoils.flatMap { [$0.span.lowerBound, $0.span.upperBound] }
      + breaking.pushes.map(\.at)
    return edges.filter { $0 > now && $0 < .distantFuture }.min()
  }

  /// Some instances go bad: those that would as single requests, by fault, service and pod.
  private mutating func spoil(_ number: Int) {
    recallInterval()
    let spoil = breaking.spoils[number]
    let key = settings.spoilKey.appending(spoil.name)
    var found: [(rank: UInt64, position: Int)] = []
    for (position, entry) in instances.entries.enumerated() {
      found.append((key.appending(UInt64(entry.pod.raw)).raw, position))
    }
    found.sort { $0.rank != $1.rank ? $0.rank < $1.rank : $0.position < $1.position }
    let count = max(1, Int((spoil.share * Double(found.count)).rounded()))
    for (_, position) in found.prefix(count) {
      if instances.entries[position].spoil == 0 { breaking.badCount += 1 }
      instances.mark(position, spoil: UInt16(number + 1))
      digest.record(RecordKind.spoiled, at: now, UInt64(instances.entries[position].pod.raw))
    }
    breaking.dealing = nil
    prepareDealing()
  }

  private mutating func endSpoil(_ number: Int) {
    for (position, entry) in instances.entries.enumerated()
    where entry.spoil == UInt16(number + 1) {
      instances.mark(position, spoil: 0)
      breaking.badCount -= 1
    }
    breaking.dealing = nil
    prepareDealing()
  }

  /// The breaker hears of the calls of its interval so far, which nobody had to be told of while
  /// all instances were alike: as many as have come since, all answered (**assumed**: by the
  /// instances that are here now).
  private mutating func recallInterval() {
    guard breaking.breakers.count > 0, !breaking.isNoticed, !breaking.breakers[0].isActive,
      instances.count > 0
    else { return }
    let load = rate.perSecond * service.unitScale * breaking.well.mean
    let shares = drawShares(load)
    var (left, rest) = (callsOfInterval, 1.0)
    var wishes = BreakerWishes()
    for (position, share) in shares.enumerated() where share > 0 && left > 0 {
      let own = BinomialDraw.sample(left, share: min(1, share / rest), using: &bits)
      rest = max(rest - share, 1e-12)
      left -= own
      guard own > 0 else { continue }
      record(own, failures: 0, hadRun: false, instances.entries[position], &wishes)
    }
    apply(wishes)
  }

  /// Requests that have come since the breaker's interval began.
  private var callsOfInterval: Int {
    let start = now.nanoseconds - now.nanoseconds % breaking.breakers.rules.interval.count
    let first = Int(start / 1_000_000_000)
    guard first < feed.second else {
      let share = Double(now.nanoseconds - start) / 1e9
      return min(feed.ofSecond - feed.remaining, Int(Double(feed.ofSecond) * share))
    }
    let missed = Double(start % 1_000_000_000) / 1e9
    var sum = Int(Double(feed.count(first)) * (1 - missed))
    for second in (first + 1)..<max(first + 1, feed.second) { sum += feed.count(second) }
    return sum + feed.ofSecond - feed.remaining
  }

  // MARK: How calls fall on instances

  /// Finds how calls fall on instances anew, where those that get any, their speed or the load have
  /// changed, and what the lane's service times are then.
  mutating func prepareDealing() {
    let load = rate.perSecond * service.unitScale * breaking.well.mean
    if let known = breaking.dealing, abs(known.load - load) <= Self.loadTolerance * known.load {
      return
    }
    let shares = breaking.badCount > 0 || breaking.withheld > 0 ? drawShares(load) : []
    breaking.dealing = FlowBreaking.Dealing(shares: shares, load: load)
    adoptDealing()
  }

  private mutating func drawShares(_ load: Double) -> [Double] {
    let entries = instances.entries
    let takers = entries.indices.filter { !breaking.isWithheld(entries[$0]) }
    let isGrowing = breaking.isGrowing(at: now)
    let factors = takers.map {
      let factor = breaking.factor(entries[$0], at: now)
      return isGrowing ? Self.rounded(factor) : factor
    }
    var shares = Array(repeating: 0.0, count: entries.count)
    guard let slowest = factors.max() else { return shares }
    // In turn, or by lot, each gets as much as another while all have room.
    let isEven = rules.choice == .roundRobin || rules.choice == .random
    let most = load / Double(takers.count) * slowest
    let hasRoom = most + 5 * most.squareRoot() + 1 <= Double(rules.concurrencyLimit)
    guard isEven, slowest == factors.min() || hasRoom else {
      let drawn = knownShares(factors, load)
      for (index, position) in takers.enumerated() { shares[position] = drawn[index] }
      return shares
    }
    for position in takers { shares[position] = 1 / Double(takers.count) }
    return shares
  }

  /// While something comes about bit by bit how calls fall is found once for each fiftieth of a
  /// factor, and not in each step.
  private static func rounded(_ factor: Double) -> Double {
    factor > 0 ? Elementary.exp((Elementary.log(factor) * 50).rounded() / 50) : factor
  }

  /// Loads within a tenth are taken for the same.
  private static let loadTolerance = 0.1
  private static let mostKnown = 32

  /// In turn or by lot it does not matter which of the instances are slow (**assumed**), so that
  /// one order stands for all, and those that are equally fast get as many calls as one another.
  private mutating func knownShares(_ factors: [Double], _ load: Double) -> [Double] {
    guard rules.choice == .roundRobin || rules.choice == .random else {
      return knownOrderedShares(factors, load)
    }
    let sorted = factors.sorted()
    let drawn = knownOrderedShares(sorted, load)
    var (sums, counts): ([Double: Double], [Double: Double]) = ([:], [:])
    for (factor, share) in zip(sorted, drawn) {
      sums[factor, default: 0] += share
      counts[factor, default: 0] += 1
    }
    return factors.map { sums[$0]! / counts[$0]! }
  }

  private mutating func knownOrderedShares(_ factors: [Double], _ load: Double) -> [Double] {
    let limit = rules.concurrencyLimit
    if let known = breaking.memory.first(where: {
      $0.concurrency == limit && $0.factors == factors
        && abs($0.load - load) <= Self.loadTolerance * $0.load
    }) {
      return known.shares
    }
    var source = bits
    let drawn = CallShares.draw(
      factors: factors, rules: rules, load: load, law: breaking.well, using: &source)
    bits = source
    if breaking.memory.count >= Self.mostKnown { breaking.memory.removeFirst() }
    breaking.memory.append(
      FlowBreaking.KnownShares(factors: factors, concurrency: limit, load: load, shares: drawn))
    return drawn
  }

  /// The law of all calls is a mixture of those on single instances.
  private mutating func adoptDealing() {
    guard let dealing = breaking.dealing else { return }
    var parts: [(share: Double, factor: Double)] = []
    var answers: [(share: Double, factor: Double)] = []
    var erring = (share: 0.0, factor: 0.0)
    for (position, share) in dealing.shares.enumerated() where share > 0 {
      let entry = instances.entries[position]
      let factor = breaking.factor(entry, at: now)
      let answered = share * (1 - breaking.errorChance(entry, at: now))
      erring.share += share - answered
      erring.factor += (share - answered) * factor
      if let index = parts.firstIndex(where: { $0.factor == factor }) {
        parts[index].share += share
        answers[index].share += answered
      } else {
        parts.append((share, factor))
        answers.append((answered, factor))
      }
    }
    breaking.errorFactor = erring.share > 0 ? erring.factor / erring.share : 1
    let isPlain = parts.allSatisfy { $0.factor == 1 }
    guard !isPlain || breaking.isMixed else { return }
    breaking.isMixed = !isPlain
    openCohorts()
    law = nil
    let answeredShare = answers.reduce(0) { $0 + $1.share }
    breaking.answers =
      isPlain || answeredShare <= 0 ? nil : ServiceShape(breaking.well, mixing: answers)
    service = service.replaced(
      by: isPlain ? breaking.well : ServiceShape(breaking.well, mixing: parts), times: 1)
  }

  /// No instance is bad any more.
  mutating func forgetDealing() {
    breaking.dealing = nil
    prepareDealing()
  }

  /// How long calls take that bring an answer.
  var answeredService: FlowService {
    breaking.answers.map { service.replaced(by: $0, times: 1) } ?? service
  }

  /// How long calls take that end with an error.
  var erringService: FlowService {
    breaking.isMixed
      ? service.replaced(by: breaking.well, times: breaking.errorFactor) : service
  }

  // MARK: Calls

  /// Deals calls that end in a step to the instances, and lets the breaker hear of them; returns
  /// how many end with an error.
  mutating func judgeCalls(_ calls: Int) -> Int {
    guard breaking.isNoticed || isHearing else {
      if breaking.isMixed { forgetDealing() }
      return 0
    }
    guard calls > 0 else { return 0 }
    if breaking.isGrowing(at: now) { breaking.dealing = nil }
    prepareDealing()
    var wishes = BreakerWishes()
    var erred = min(breaking.overdue, calls)
    breaking.overdue -= erred
    erred += dealCalls(calls - erred, &wishes)
    if !breaking.trials.isEmpty { erred += tryOut(calls, &wishes) }
    apply(wishes)
    return min(erred, calls)
  }

  /// An interval in which the breaker has heard of calls goes on.
  private var isHearing: Bool { breaking.breakers.count > 0 && breaking.breakers[0].isActive }

  private mutating func dealCalls(_ calls: Int, _ wishes: inout BreakerWishes) -> Int {
    guard let dealing = breaking.dealing else { return 0 }
    guard !dealing.shares.isEmpty else {
      return breaking.breakers.count == 0
        ? BinomialDraw.sample(calls, share: breaking.versionErrors, using: &bits)
        : dealCalls(calls, evenly(), &wishes)
    }
    return dealCalls(calls, dealing.shares, &wishes)
  }

  private func evenly() -> [Double] {
    Array(repeating: 1 / Double(max(1, instances.count)), count: instances.count)
  }

  /// Those of bad instances, and where anybody hears of them those of all, by a multinomial draw.
  private mutating func dealCalls(
    _ calls: Int, _ shares: [Double], _ wishes: inout BreakerWishes
  ) -> Int {
    let isHeard = breaking.breakers.count > 0 && (isHearing || isAnyToBeJudged(shares))
    var (erred, left, rest) = (0, calls, 1.0)
    for (position, share) in shares.enumerated() where share > 0 && left > 0 {
      let entry = instances.entries[position]
      let chance = breaking.errorChance(entry, at: now)
      guard isHeard || chance > 0 else { continue }
      let own = BinomialDraw.sample(left, share: min(1, share / rest), using: &bits)
      rest = max(rest - share, 1e-12)
      left -= own
      guard own > 0 else { continue }
      erred +=
        isHeard
        ? hear(own, entry, chance, share: share, &wishes)
        : BinomialDraw.sample(own, share: chance, using: &bits)
    }
    return erred
  }

  /// Whether any instance that gets calls errs, or is slower than others.
  private func isAnyToBeJudged(_ shares: [Double]) -> Bool {
    if breaking.versionErrors > 0 { return true }
    guard breaking.badCount > 0 else { return false }
    return shares.indices.contains { shares[$0] > 0 && instances.entries[$0].spoil > 0 }
  }

  /// The breaker hears of calls on an instance: one by one, where these are few and may err, else
  /// as counts. Returns how many have erred.
  private mutating func hear(
    _ calls: Int, _ entry: FlowInstances.Entry, _ chance: Double, share: Double,
    _ wishes: inout BreakerWishes
  ) -> Int {
    let slot = InstanceSlot(Int(entry.number))
    let own = ownService(entry)
    guard chance > 0, calls <= Self.mostSingleCalls else {
      let failures = BinomialDraw.sample(calls, share: chance, using: &bits)
      let run = breaking.breakers.rules.consecutiveErrors
      let hadRun =
        failures >= run
        && bits.uniform()
          < OutlierStatistics.chanceOfRun(of: run, calls: calls, failureChance: chance)
      record(calls, failures: failures, hadRun: hadRun, entry, &wishes)
      return failures
    }
    var erred = 0
    for _ in 0..<calls {
      let hasErred = bits.uniform() < chance
      erred += hasErred ? 1 : 0
      let time = own.nanoseconds(Int(bits.integer(below: UInt64(ServiceShape.points))))
      breaking.breakers[0].record(
        slot, hasErred ? .error : .success, latency: Nanoseconds(time), at: now, into: &wishes)
      guard breaking.breakers[0].isClosed(slot) else {
        leaveUnderWay(entry, chance, share: share, own.mean)
        break
      }
    }
    return erred
  }

  /// The breaker hears of so many calls at once, whose times have the sum that chance gives.
  private mutating func record(
    _ calls: Int, failures: Int, hadRun: Bool, _ entry: FlowInstances.Entry,
    _ wishes: inout BreakerWishes
  ) {
    let own = ownService(entry)
    let spread = (own.squaredCV * Double(calls)).squareRoot() * own.mean
    let sum = Double(calls) * own.mean + spread * ZigguratNormal.sample(using: &bits)
    breaking.breakers[0].record(
      InstanceSlot(Int(entry.number)),
      CallCounts(
        successes: calls - failures, failures: failures,
        latencySum: Nanoseconds(seconds: max(0, sum))),
      hadRun: hadRun, at: now, into: &wishes)
  }

  /// Calls in a step to one instance up to which each is a draw of its own.
  private static let mostSingleCalls = 256

  private func ownService(_ entry: FlowInstances.Entry) -> FlowService {
    service.replaced(by: breaking.well, times: breaking.factor(entry, at: now))
  }

  /// An instance is broken while others are under way on it, which end as they would have.
  private mutating func leaveUnderWay(
    _ entry: FlowInstances.Entry, _ chance: Double, share: Double, _ mean: Double
  ) {
    let level = Counts.poisson(mean: share * rate.perSecond * mean, using: &bits)
    let others = min(Int(level), rules.concurrencyLimit - 1)
    breaking.overdue += BinomialDraw.sample(others, share: chance, using: &bits)
  }

  /// One call decides on each instance whose ejection is over, when the choice comes to it: as
  /// often as to any other. Returns how many have erred.
  private mutating func tryOut(_ calls: Int, _ wishes: inout BreakerWishes) -> Int {
    let takers = instances.count - breaking.withheld
    let reached = 1 - Elementary.exp(-Double(calls) / Double(takers + 1))
    var erred = 0
    for slot in breaking.trials where bits.uniform() < reached {
      guard let position = instances.entries.firstIndex(where: { $0.number == slot.raw }),
        breaking.breakers[0].beginTrial(slot)
      else { continue }
      let entry = instances.entries[position]
      instances.use(position, at: now)
      let hasErred = bits.uniform() < breaking.errorChance(entry, at: now)
      erred += hasErred ? 1 : 0
      breaking.breakers[0].endTrial(
        slot, hasErred ? .error : .success, at: now, into: &wishes)
    }
    return erred
  }

  // MARK: What the breaker wants

  /// Ends steps where the breaker has something to do.
  mutating func planBreaking() {
    guard breaking.breakers.count > 0 else { return }
    if breaking.breakers[0].isActive { endStep(before: intervalEnd(after: now)) }
    let isTrying = !breaking.trials.isEmpty || breaking.overdue > 0
    if isTrying || breaking.badCount > breaking.withheld { endStep(before: nextTenth) }
  }

  private func intervalEnd(after instant: Instant) -> Instant {
    let interval = breaking.breakers.rules.interval.count
    return Instant(nanoseconds: (instant.nanoseconds / interval + 1) * interval)
  }

  /// The end of the breaker's interval, where it is now.
  mutating func endBreakerInterval() {
    guard breaking.breakers.count > 0, breaking.breakers[0].isActive,
      breaking.intervalEnd < now,
      now.nanoseconds % breaking.breakers.rules.interval.count == 0
    else { return }
    breaking.intervalEnd = now
    var wishes = BreakerWishes()
    breaking.breakers[0].endInterval(at: now, into: &wishes)
    apply(wishes)
  }

  private mutating func apply(_ wanted: BreakerWishes) {
    guard !wanted.wishes.isEmpty else { return }
    openCohorts()
    law = nil
    for wish in wanted.wishes {
      switch wish {
      case .eject(let slot, let report): eject(slot, report)
      case .trial(let slot):
        guard let pod = pod(slot) else { continue }
        breaking.trials.append(slot)
        digest.record(RecordKind.tried, at: now, UInt64(pod.raw))
      case .restore(let slot):
        guard let pod = pod(slot) else { continue }
        breaking.trials.removeAll { $0 == slot }
        breaking.withheld -= 1
        digest.record(RecordKind.restored, at: now, UInt64(pod.raw))
        send(.instanceRestored(pod: pod, lane: settings.lane, part: 0), to: .coordinator)
      }
    }
    breaking.dealing = nil
    prepareDealing()
  }

  private mutating func eject(_ slot: InstanceSlot, _ report: BreakReport) {
    guard let position = instances.entries.firstIndex(where: { $0.number == slot.raw }) else {
      return
    }
    let pod = instances.entries[position].pod
    // It is idle from now on.
    instances.use(position, at: now)
    counters.ejections &+= 1
    digest.record(
      RecordKind.ejected, at: now, UInt64(pod.raw), UInt64(report.cause.rawValue))
    send(
      .instanceBroken(
        service: settings.service, pod: pod, lane: settings.lane, part: 0,
        instances: UInt32(instances.count + draining.count), report), to: .coordinator)
    if report.cause == .trial {
      breaking.trials.removeAll { $0 == slot }
    } else {
      breaking.withheld += 1
    }
  }

  /// Of instances in use, the one of a number.
  private func pod(_ slot: InstanceSlot) -> PodID? {
    instances.entries.first { $0.number == slot.raw }?.pod
  }

  // MARK: What the Coordinator wants

  /// The instance is here that takes the place of another: the other may go.
  mutating func replace(_ pod: PodID, _ order: UInt32, _ origin: Delivery.Origin) {
    let isFirst = breaking.replaced.insert(order).inserted
    join(pod, origin, isReplacement: isFirst)
    send(.replacementReady(order: order), to: .coordinator)
  }

  /// An instance was replaced: it ends what it serves and goes.
  mutating func migrate(_ pod: PodID) {
    guard let position = instances.position(of: pod) else {
      guard !draining.contains(where: { $0.entry.pod == pod }) else { return }
      return send(.instanceGone(pod: pod), to: .coordinator)
    }
    counters.migrations &+= 1
    digest.record(RecordKind.migrated, at: now, UInt64(pod.raw))
    guard breaking.isWithheld(instances.entries[position]) else { return lose(pod) }
    openCohorts()
    retire(removeInstance(at: position))
  }
}
