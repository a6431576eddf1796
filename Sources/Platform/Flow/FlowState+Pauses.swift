import Primitives
import SimulationKernel

// Times in which a topic's consumers read nothing, though they are there, at flow fidelity.
extension FlowState {
  /// Whether nothing begins: consumers read nothing and have nothing either, or the route has run
  /// out and nobody has answered yet. What is in service goes on.
  var isHalted: Bool { isRouteless || isAtRest }

  /// Whether consumers read nothing and what they had read before is not told apart, so that it
  /// does not go on.
  var isAtRest: Bool {
    now >= readUntil && (settings.topic?.rules.isPaused(at: now) ?? false)
  }

  /// Begins a pause.
  ///
  /// What windows have let out is with the consumers, and is delivered in it as before: the rest
  /// waits apart, and with it what comes. Where partitions have unequal shares their logs come to
  /// have unequal lengths, which are worked off side by side afterwards, so that what is long then
  /// is last: each has its own until it has caught up, and those beyond the longest one together.
  mutating func beginPause() {
    guard let topic = settings.topic, topic.partitions > 0, groups.isEmpty,
      let pause = topic.rules.pauses.first(where: { $0.lowerBound == now }), !isAbsence(pause)
    else { return }
    let isUneven = topic.rules.skew > 0 && topic.partitions > 1
    let reads = tellsReadApart && waiting > 0
    guard isUneven || reads else { return }
    if isUneven {
      divideByPartition(topic, until: pause.upperBound)
    } else {
      groups = [
        PartitionGroup(
          at: now, readFrom: pause.upperBound, share: 1, window: settings.mostOutstanding)
      ]
    }
    guard reads else { return }
    readUntil = pause.upperBound
    withholdUnread()
  }

  /// Where nothing else is between a log and its consumer that keeps an account of its own.
  private var tellsReadApart: Bool {
    windows == nil && consumers == nil && batches == nil && !hasLimits
      && !(settings.topic?.rules.hasRetention ?? false)
  }

  /// Nobody is there who could have read anything.
  private func isAbsence(_ pause: Range<Instant>) -> Bool {
    settings.consumerFaults.contains { $0.at == pause.lowerBound }
  }

  private mutating func divideByPartition(
    _ topic: (rules: TopicConfiguration, partitions: Int), until end: Instant
  ) {
    let weights = TopicConfiguration.weights(topic.partitions, skew: topic.rules.skew)
    let single = topic.partitions <= Self.mostGroups ? topic.partitions : Self.mostGroups - 1
    func add(_ share: Double, _ partitions: Int) {
      groups.append(
        PartitionGroup(
          at: now, readFrom: end, share: share, window: partitions * topic.rules.window))
    }
    for weight in weights[..<single] { add(weight, 1) }
    guard single < topic.partitions else { return }
    add(weights[single...].reduce(0, +), topic.partitions - single)
  }

  private static var mostGroups: Int { 16 }

  /// Puts what windows have not let out into the groups' logs: of each its share of what is there,
  /// but for what its windows hold.
  private mutating func withholdUnread() {
    openCohorts()
    // What was answered ahead of the commit keeps its place.
    let all = Double(inService + answeredAhead + ledger.waiting)
    var rest: [Double] = []
    var held = 0.0
    for index in groups.indices {
      let own = groups[index].share * all
      let most = min(own, Double(groups[index].window))
      groups[index].outstanding = Int(most.rounded())
      held += most
      rest.append(own - most)
    }
    let kept = max(0, Int(held.rounded()) - inService - answeredAhead)
    var (first, others): ([WaitLedger.Cohort], [WaitLedger.Cohort]) = ([], [])
    ledger.dequeue(kept) { first.append($0) }
    ledger.dequeue(ledger.waiting) { others.append($0) }
    for cohort in first { ledger.append(cohort) }
    for cohort in others { deal(cohort, by: rest) }
  }

  /// Divides messages among the groups' logs.
  private mutating func deal(_ cohort: WaitLedger.Cohort, by weights: [Double]) {
    var (left, sum) = (cohort, weights.reduce(0, +))
    for index in groups.indices where left.count > 0 {
      let isLast = index + 1 == groups.count
      let share = isLast || sum <= 0 ? 1 : min(1, weights[index] / sum)
      let own = BinomialDraw.sample(left.count, share: share, using: &bits)
      sum -= weights[index]
      guard own > 0 else { continue }
      // Over the same time: partitions are filled side by side.
      groups[index].log.append(
        WaitLedger.Cohort(from: cohort.from, to: cohort.to, count: own))
      left.count -= own
    }
  }
}
