import Platform
import Primitives
import Simulation

/// The phases of a rehearsal, read off a faulted run and its calm twin.
///
/// *Detected*: the balancer takes a lost zone for gone; where no zone is lost, a token is found to
/// be free, or the Coordinator hears of a broken instance, or the group of a crashed consumer
/// agrees anew, or another broker is elected; of other faults nobody is told. *Shifted*: other
/// weights hold; or a token has another owner, or an instance was replaced, or partitions are read
/// or led by others. *Degraded*: an interval of the series in which the faulted run is worse than
/// its twin by the tolerances. *Recovered*: the end of the last such interval.
public struct RehearsalTimeline: Sendable {
  /// What an interval may be worse by and still count as well. Assumed.
  public struct Tolerances: Sendable {
    /// Of attempts: failed, refused and abandoned ones, beyond those of the twin.
    public var badShare = 0.001
    /// Mean latency ÷ that of the twin.
    public var latencyRatio = 1.25
    /// Lag beyond the twin's, in seconds of what is produced.
    public var lagSeconds = 1.0

    public init() {}
  }

  public var strike: Instant
  public var detected: Instant?
  public var shifted: Instant?
  /// When what has failed was there again.
  public var ended: Instant?
  /// Intervals in which it was worse, after the strike.
  public var degraded: [Range<Instant>]
  /// Nil: it was still degraded at the end of the run.
  public var recovered: Instant?
  public var lastInterval: Instant
  /// How long it was judged after the strike, and whether a condition has ended it.
  public var judgedUntil: Instant
  public var isStopped: Bool

  public init(
    calm: RunOutcome, faulted: RunOutcome, strike: Instant, tolerances: Tolerances = Tolerances()
  ) {
    self.strike = strike
    let events = faulted.collected.log.events.map(\.event).filter { $0.at >= strike }
    func first(_ kinds: [NotableEvent.Kind]) -> Instant? {
      events.filter { kinds.contains($0.kind) }.map(\.at).min()
    }
    let isZone = events.contains { $0.kind == .zoneLost }
    if isZone {
      detected = first([.zoneUnhealthy])
      shifted = Self.firstShift(events, faulted.configuration)
    } else {
      let groups = faulted.configuration.groupReactions
      let end = Instant.origin + faulted.simulated
      func earliest(_ one: Instant?, _ others: [Instant]) -> Instant? {
        ([one].compactMap { $0 } + others.filter { $0 <= end }).min()
      }
      detected = earliest(
        first([.leaseLost, .leaseTaken, .instanceBroken]), groups.map(\.noticed))
      shifted = earliest(first([.leaseTaken, .instanceMigrated]), groups.compactMap(\.shifted))
    }
    ended = first([.zoneBack, .restart, .dispatcherRestart, .faultEnds])
    let worse = Self.intervals(calm, faulted, tolerances).filter { $0.upperBound > strike }
    degraded = worse
    lastInterval = faulted.collected.intervals.last?.upperBound ?? strike
    judgedUntil = .origin + faulted.simulated
    isStopped = faulted.stopped != nil
    recovered =
      worse.isEmpty
      ? strike : worse.last.flatMap { $0.upperBound < lastInterval ? $0.upperBound : nil }
  }

  /// When traffic of a lost zone has somewhere to go: weights that hold where nothing is left send
  /// it nowhere.
  private static func firstShift(
    _ events: [NotableEvent], _ configuration: ClusterConfiguration
  ) -> Instant? {
    var lost: Set<Int> = []
    for event in events.enumerated().sorted(by: {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }).map(\.element) {
      switch event.kind {
      case .zoneLost: lost.insert(event.subject)
      case .zoneBack: lost.remove(event.subject)
      case .trafficShifted:
        let zones = balanced(with: event.subject, configuration)
        if !lost.isEmpty, !lost.isSuperset(of: zones) { return event.at }
      default: break
      }
    }
    return nil
  }

  /// The zones that traffic of one may be sent to: those of its cluster, and where the cluster has
  /// services in common with others of its region, theirs.
  private static func balanced(
    with zone: Int, _ configuration: ClusterConfiguration
  ) -> [Int] {
    guard let own = configuration.part(ofZone: zone) else {
      return Array(configuration.zones.indices)
    }
    let isShared = configuration.services[own.services].contains { $0.spread != nil }
    let others = configuration.parts.filter { isShared && $0.region == own.region }
    return others.isEmpty ? Array(own.zones) : others.flatMap(\.zones)
  }

  public var secondsToDetect: Double? { detected.map { ($0 - strike).seconds } }
  public var secondsToShift: Double? { shifted.map { ($0 - strike).seconds } }
  public var secondsToRecover: Double? { recovered.map { ($0 - strike).seconds } }

  /// Everything of an interval together.
  private struct Sum {
    var counters = LaneCounters()
    var latency = 0.0
    var lag = 0

    var badShare: Double {
      Double(counters.failed + counters.refused + counters.abandoned)
        / Double(max(1, counters.attempts))
    }
    /// Of what was answered; nil: nothing was.
    var meanLatency: Double? {
      counters.completed > 0 ? latency / Double(counters.completed) : nil
    }
  }

  private static func sums(_ outcome: RunOutcome) -> [Instant: Sum] {
    var sums: [Instant: Sum] = [:]
    for row in outcome.collected.rows {
      var sum = sums[row.from] ?? Sum()
      sum.counters.add(row.counters)
      sum.latency += row.mean * Double(row.counters.completed)
      sum.lag += row.gauges.lag
      sums[row.from] = sum
    }
    return sums
  }

  private static func intervals(
    _ calm: RunOutcome, _ faulted: RunOutcome, _ tolerances: Tolerances
  ) -> [Range<Instant>] {
    let (before, after) = (sums(calm), sums(faulted))
    return faulted.collected.intervals.filter { interval in
      guard let one = before[interval.lowerBound] else { return false }
      // Nothing at all happened in the faulted run, though something should have.
      guard let other = after[interval.lowerBound] else { return one.counters.arrivals > 0 }
      let seconds = (interval.upperBound - interval.lowerBound).seconds
      let produced = Double(one.counters.arrivals) / max(seconds, 1e-9)
      if other.badShare > one.badShare + tolerances.badShare { return true }
      if Double(other.lag) > Double(one.lag) + tolerances.lagSeconds * produced { return true }
      guard let slow = other.meanLatency, let usual = one.meanLatency else { return false }
      return slow > usual * tolerances.latencyRatio
    }
  }
}
