import Platform
import Primitives
import Scenario
import Simulation

/// What faults cost, as differences between a faulted run and its calm twin.
public struct RehearsalHarm: Sendable {
  /// Of one kind of thing, in each replication.
  public struct Line: Sendable {
    public var name: String
    public var calm: [Double]
    public var faulted: [Double]

    public var differences: [Double] { zip(faulted, calm).map { $0 - $1 } }
  }

  /// Requests and messages by what became of them, cold starts, and what else was done.
  public var totals: [Line]
  /// By service or tenant: the share of requests without an answer, the most hurt first.
  public var services: [Line]
  public var tenants: [Line]
  /// The same by importance of the services, from 0, the most important, on.
  public var importance: [Line]
  /// By zone: the greatest share of processors in use while anything was wrong, of both runs over
  /// the same time; and after the strike the least level of warm pods.
  public var utilisation: [Line]
  /// By zone: what the calm use is multiplied by, by a closed form; nil: no zone is lost, or it is
  /// itself.
  public var closedForms: [Double?]
  public var poolLevels: [Line]

  private typealias Value = (LaneCounters) -> Double

  private static let kinds: [(name: String, value: @Sendable (LaneCounters) -> UInt64)] = [
    ("completed", { $0.completed }), ("lost", { $0.lost }), ("unreachable", { $0.unreachable }),
    ("timed_out", { $0.timedOut }), ("erred", { $0.erred }), ("refused", { $0.refused }),
    ("limited", { $0.limited }), ("shed", { $0.shed }),
    ("answered", { $0.answered }), ("retries", { $0.retries }), ("abandoned", { $0.abandoned }),
    ("late", { $0.late }), ("given_up", { $0.givenUp }),
    ("redelivered", { $0.redelivered }), ("repeated", { $0.repeated }),
    ("cold_starts", { $0.coldStarts }), ("instances_made", { $0.instancesAdded }),
    ("stale_route_uses", { $0.staleUses }), ("stale_route_failures", { $0.staleFailures }),
  ]

  /// What lanes do not count: code that had to come from the store, takes that found their pool
  /// empty, the greatest sum of messages behind at the end of an interval, and what capacity cost.
  private static let ofRuns: [(name: String, value: @Sendable (RunOutcome) -> Double)] = [
    ("code_from_store", { Double($0.control.codeFetches.reduce(0, +)) }),
    ("pool_misses", { Double($0.collected.poolMisses.reduce(0, +)) }),
    ("peak_lag", { Double($0.peakLag) }), ("cost", { $0.machineCost }),
  ]

  public init(_ pairs: [RehearsalStudy.Pair], document: ScenarioDocument) {
    totals = Self.kinds.map { kind in
      func sums(_ outcomes: [RunOutcome]) -> [Double] {
        outcomes.map { outcome in
          Double(outcome.collected.laneCounters.reduce(0) { $0 + kind.value($1) })
        }
      }
      return Line(
        name: kind.name, calm: sums(pairs.map(\.calm)), faulted: sums(pairs.map(\.faulted)))
    }
    totals += Self.ofRuns.map { kind in
      Line(
        name: kind.name, calm: pairs.map { kind.value($0.calm) },
        faulted: pairs.map { kind.value($0.faulted) })
    }
    services = Self.shares(pairs) { $0.group }
    self.tenants = Self.shares(pairs) { $0.tenantName }
    let classes = Dictionary(
      document.services.map { ($0.name, $0.importance) }, uniquingKeysWith: { first, _ in first })
    importance = Self.shares(pairs) { "\(classes[$0.group] ?? 0)" }.sorted { $0.name < $1.name }
    utilisation = Self.byZone(pairs) { outcome, zone, timeline in
      outcome.greatestUse(of: zone, in: timeline.faulty) ?? 0
    }
    closedForms = pairs.first.map { ZoneLossForm.greatest($0.faulted) } ?? []
    poolLevels = Self.byZone(pairs) { outcome, zone, timeline in
      let pools = outcome.configuration.pools.indices.filter {
        outcome.configuration.pools[$0].zone.index == zone && outcome.configuration.pools[$0].isWarm
      }
      var levels: [Instant: Int] = [:]
      for sample in outcome.collected.poolSamples
      where sample.from >= timeline.strike && pools.contains(sample.pool) {
        levels[sample.at, default: 0] += sample.level
      }
      return Double(levels.values.min() ?? 0)  // order-free: least
    }
  }

  private static func shares(
    _ pairs: [RehearsalStudy.Pair], name: (ServiceConfiguration) -> String
  ) -> [Line] {
    var lines: [String: Line] = [:]
    var order: [String] = []
    func add(_ outcome: RunOutcome, isFaulted: Bool) {
      var bad: [String: (bad: UInt64, all: UInt64)] = [:]
      for (lane, counters) in outcome.collected.laneCounters.enumerated() {
        let service = outcome.configuration.services[outcome.collected.serviceOfLane[lane]]
        let own = name(service)
        if lines[own] == nil {
          lines[own] = Line(name: own, calm: [], faulted: [])
          order.append(own)
        }
        bad[own, default: (0, 0)].bad += counters.unanswered(of: service)
        bad[own, default: (0, 0)].all += counters.arrivals
      }
      for own in order {
        let (part, all) = bad[own] ?? (0, 0)
        let share = Double(part) / Double(max(1, all))
        if isFaulted { lines[own]?.faulted.append(share) } else { lines[own]?.calm.append(share) }
      }
    }
    for pair in pairs {
      add(pair.calm, isFaulted: false)
      add(pair.faulted, isFaulted: true)
    }
    func mean(_ name: String) -> Double { lines[name]?.differences.reduce(0, +) ?? 0 }
    let ranked = order.enumerated().sorted { a, b in
      let (one, other) = (mean(a.element), mean(b.element))
      return one > other || (one == other && a.offset < b.offset)
    }
    return ranked.compactMap { lines[$0.element] }
  }

  private static func byZone(
    _ pairs: [RehearsalStudy.Pair],
    value: (_ outcome: RunOutcome, _ zone: Int, _ timeline: RehearsalTimeline) -> Double
  ) -> [Line] {
    guard let zones = pairs.first?.calm.configuration.zones else { return [] }
    return zones.enumerated().map { zone, configuration in
      Line(
        name: configuration.name,
        calm: pairs.map { value($0.calm, zone, $0.timeline) },
        faulted: pairs.map { value($0.faulted, zone, $0.timeline) })
    }
  }
}
