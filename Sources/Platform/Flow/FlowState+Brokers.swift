import ControlPlane
import Primitives
import SimulationKernel

/// Partitions that a broker led when it crashed: what is produced for them waits until another
/// leads them, and then for their windows, as far as these do not let it out.
struct PartitionGroup: Sendable {
  /// The crash, and when consumers have what the next leader sends first.
  var at: Instant
  var readFrom: Instant
  /// Of the lane's messages, and deliveries that may be outstanding.
  var share: Double
  var window: Int
  /// Messages beyond the windows, by when they came.
  var log = WaitLedger()
  /// Messages of the group among those that wait or are served.
  var outstanding = 0

  /// The groups that the crashes of a zone's brokers make of a lane's partitions, in order of time.
  static func groups(_ brokers: LaneBrokers, _ topic: (rules: TopicConfiguration, partitions: Int))
    -> [PartitionGroup]
  {
    var leaders = PartitionLeaders(
      partitions: topic.partitions, brokers: brokers.count, first: brokers.first,
      hasOtherZones: brokers.hasOtherZones)
    let weights = TopicConfiguration.weights(topic.partitions, skew: topic.rules.skew)
    var groups: [PartitionGroup] = []
    /// By broker: the group that waits for its election.
    var open: [Int: Int] = [:]
    func close(_ broker: Int, at instant: Instant, _ led: [Int]) {
      guard !led.isEmpty, let group = open.removeValue(forKey: broker) else { return }
      groups[group].readFrom = instant + brokers.roundTrip
    }
    for event in events(of: brokers.faults) {
      let broker = event.broker
      switch event.kind {
      case .lost:
        let lost = leaders.lose(broker)
        guard !lost.isEmpty else { continue }
        open[broker] = groups.count
        groups.append(
          PartitionGroup(
            at: event.at, readFrom: .distantFuture,
            share: min(1, lost.reduce(0) { $0 + weights[$1] }),
            window: lost.count * topic.rules.window))
      case .replaced: close(broker, at: event.at, leaders.elect(insteadOf: broker))
      case .back: close(broker, at: event.at, leaders.restore(broker))
      }
    }
    return groups
  }

  enum EventKind: Int { case lost, replaced, back }

  /// What happens to brokers, in order.
  static func events(
    of faults: [BrokerFault]
  ) -> [(at: Instant, kind: EventKind, broker: Int)] {
    var events: [(at: Instant, kind: EventKind, broker: Int)] = []
    for fault in faults {
      events.append((fault.at, .lost, fault.broker))
      events.append((fault.election, .replaced, fault.broker))
      if let back = fault.back { events.append((back, .back, fault.broker)) }
    }
    return events.sorted { ($0.at, $0.kind.rawValue) < ($1.at, $1.kind.rawValue) }
  }
}

// Brokers that crash, at flow fidelity. What such partitions have beyond their windows waits apart,
// since others' messages do not wait behind it.
extension FlowState {
  mutating func armBrokers() {
    guard let topic = settings.topic, !settings.brokers.faults.isEmpty else { return }
    groups = PartitionGroup.groups(settings.brokers, topic).filter { $0.at >= now }
  }

  /// Messages that wait beyond windows, or before the gate.
  var heldBack: Int { groups.reduce(gateLog.waiting) { $0 + $1.log.waiting } }

  /// Whether a group is read that has messages beyond its windows.
  var isLettingOut: Bool { groups.contains { $0.readFrom <= now } }

  /// The next crash or election.
  var nextGroupEdge: Instant? {
    groups.flatMap { [$0.at, $0.readFrom] }.filter { $0 > now && $0 < .distantFuture }.min()
  }

  /// Short enough that windows do not run empty within a step.
  var groupStep: Nanoseconds? {
    guard isLettingOut, slots > 0 else { return nil }
    let least = groups.filter { $0.readFrom <= now }.map(\.window).min() ?? 1
    let seconds = min(0.1, Double(least) * service.mean / Double(4 * slots))
    return Nanoseconds(seconds: max(seconds, 0.001))
  }

  /// Takes those of a step's arrivals that are for groups that wait; returns the others.
  mutating func holdBack(_ arrivals: Int, from start: Instant, to end: Instant) -> Int {
    var (left, rest) = (arrivals, 1.0)
    for index in groups.indices where groups[index].at <= start {
      let share = min(1, groups[index].share / max(rest, 1e-9))
      let own = BinomialDraw.sample(left, share: share, using: &bits)
      groups[index].log.append(came(own, from: start, to: end))
      left -= own
      rest -= groups[index].share
    }
    return left
  }

  /// Of messages that have completed, as many are a group's as its share of those that waited or
  /// were served.
  mutating func noteGroupCompletions(_ completed: Int) {
    let all = inService + inDraining + waiting + completed
    guard all > 0 else { return }
    for index in groups.indices where groups[index].outstanding > 0 {
      let share = min(1, Double(groups[index].outstanding) / Double(all))
      let own = BinomialDraw.sample(completed, share: share, using: &bits)
      groups[index].outstanding -= min(own, groups[index].outstanding)
    }
  }

  /// Lets out what windows have room for, and forgets groups that have nothing beyond them.
  mutating func letOut() {
    guard isLettingOut else { return }
    openCohorts()
    let outgoing = groups.map { group in
      group.readFrom <= now
        ? min(max(0, group.window - group.outstanding), group.log.waiting) : 0
    }
    // In turn, as consumers take them: not the whole window of one before that of another.
    let turns = groups.count == 1 ? 1 : Self.turns
    for turn in 0..<turns {
      for (index, count) in outgoing.enumerated() where count > 0 {
        letOut(count * (turn + 1) / turns - count * turn / turns, of: index)
      }
    }
    groups.removeAll { $0.readFrom <= now && $0.log.waiting == 0 }
  }

  private static var turns: Int { 16 }

  private mutating func letOut(_ count: Int, of index: Int) {
    guard count > 0 else { return }
    var out: [WaitLedger.Cohort] = []
    groups[index].log.dequeue(count) { out.append($0) }
    for cohort in out { ledger.append(cohort) }
    groups[index].outstanding += count
  }
}
