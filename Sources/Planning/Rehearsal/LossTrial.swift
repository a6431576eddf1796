import Platform
import Primitives
import Scenario
import Simulation

/// The loss of one failure domain in forks of calm runs, one of each replication, judged over all
/// of them from its strike on.
public struct LossTrial: Sendable {
  public var target: LossTarget
  public var at: Instant
  public var outage: Nanoseconds
  /// The time that is judged: from a second before the loss, or the end of the warm-up, to half an
  /// hour after its end, or the end of the run.
  /// A replication that a condition has ended is judged up to there.
  public var window: Range<Instant>
  /// One of each replication, in their order.
  public var replications: [LossReplication]
  public var judged: [JudgedObjective]
  /// By replication, the least margin of an objective in it; nil: no margin tells anything there.
  public var margins: [Double?]

  /// Precondition: a replication at least.
  init(
    _ document: ScenarioDocument, target: LossTarget, at time: Instant, outage: Nanoseconds,
    window: Range<Instant>, _ replications: [LossReplication]
  ) {
    precondition(!replications.isEmpty, "a loss is tried in a run")
    self.target = target
    at = time
    self.outage = outage
    self.window = window
    self.replications = replications
    judged = ObjectiveVerdicts.judge(document, samples: replications.map(\.samples))
    margins = replications.map {
      ObjectiveVerdicts.judge(document, samples: [$0.samples]).nearest?.margin
    }
  }

  /// The least of any replication, and which it was, from 0.
  public var worstMargin: (margin: Double, replication: Int)? {
    margins.enumerated().compactMap { index, margin in margin.map { ($0, index) } }
      .min { $0.0 < $1.0 }
  }

  /// The first replication that a condition has ended before the end of the window, and how many
  /// those were; nil: none.
  public var stopped: (reason: StopReason, replications: Int)? {
    let all = replications.compactMap(\.stopped)
    return all.first.map { ($0, all.count) }
  }

  /// Requests without an answer among all, with the loss and without.
  public var badShare: Double { share(\.bad) }
  public var calmBadShare: Double { share(\.calmBad) }
  /// How many more those are with the loss: a mean over the replications.
  public var moreBad: Double {
    replications.reduce(0) { $0 + $1.moreBad } / Double(replications.count)
  }

  private func share(_ value: KeyPath<LossReplication, LossReplication.Requests>) -> Double {
    let bad = replications.reduce(0) { $0 + $1[keyPath: value].bad }
    return Double(bad) / Double(max(1, replications.reduce(0) { $0 + $1[keyPath: value].all }))
  }

  /// The greatest use of processors in a zone that takes over while the domain is lost, a mean over
  /// the replications: measured, and by the closed form times the calm one over the same time. Nil:
  /// nothing is left that could take over, or no interval of the series lies behind the strike.
  public var peakUtilisation: Double? { mean(\.peakUtilisation) }
  public var expectedUtilisation: Double? { mean(\.expectedUtilisation) }

  /// From the strike until it had recovered in all replications, a mean; nil: in one it had not.
  public var secondsToRecover: Double? { meanOfAll { $0.timeline.secondsToRecover } }
  /// The same until it was detected, and until traffic had moved.
  public var secondsToDetect: Double? { meanOfAll { $0.timeline.secondsToDetect } }
  public var secondsToShift: Double? { meanOfAll { $0.timeline.secondsToShift } }
  /// For how long it was worse than its calm twin after the strike, a mean.
  public var secondsDegraded: Double? { meanOfAll { $0.timeline.secondsDegraded } }

  private func meanOfAll(_ value: (LossReplication) -> Double?) -> Double? {
    let all = replications.compactMap(value)
    return all.count == replications.count ? all.reduce(0, +) / Double(all.count) : nil
  }

  private func mean(_ value: KeyPath<LossReplication, Double?>) -> Double? {
    let all = replications.compactMap { $0[keyPath: value] }
    return all.isEmpty ? nil : all.reduce(0, +) / Double(all.count)
  }

  /// The loss as a fault of a scenario, whose verdict and margins a rehearsal with `overrides`
  /// repeats.
  public var fault: String {
    let (at, length) = ((at - .origin).count / 1_000_000_000, outage.count / 1_000_000_000)
    return "{name: loss, at: \(at)s, lose: \(target.name), restart_after: \(length)s}"
  }

  /// What a scenario says of `rehearsal`, so that the same is judged; empty: nothing.
  public func rehearsal(of document: ScenarioDocument) -> String {
    var fields: [String] = []
    if window.lowerBound > .origin + document.warmup {
      fields.append("from: \((window.lowerBound - .origin).count / 1_000_000_000)s")
    }
    if window.upperBound < .origin + document.duration {
      fields.append("until: \((window.upperBound - .origin).count / 1_000_000_000)s")
    }
    return fields.isEmpty ? "" : "{\(fields.joined(separator: ", "))}"
  }

  /// What makes a rehearsal of the scenario this trial, as `path=value`.
  public func overrides(of document: ScenarioDocument) -> [String] {
    var overrides = ["replications=\(replications.count)", "faults=[\(fault)]"]
    let rehearsal = rehearsal(of: document)
    // What the scenario says of its own faults does not hold for this one.
    if !rehearsal.isEmpty || document.rehearsal != RehearsalSection() {
      overrides.append("rehearsal=\(rehearsal.isEmpty ? "{}" : rehearsal)")
    }
    return overrides
  }
}

/// A loss in one replication: what it came to, without the runs.
public struct LossReplication: Sendable {
  /// Those without an answer, and all that came.
  public struct Requests: Sendable, Equatable {
    public var bad: UInt64 = 0
    public var all: UInt64 = 0
  }

  public var samples: [ObjectiveSample]
  public var timeline: RehearsalTimeline
  public var bad: Requests
  public var calmBad: Requests
  public var peakUtilisation: Double?
  public var expectedUtilisation: Double?
  /// The condition that has ended it before its time, and its twin with it.
  public var stopped: StopReason?

  public var moreBad: Double { Double(bad.bad) - Double(calmBad.bad) }

  init(
    _ document: ScenarioDocument, _ target: LossTarget, during span: Range<Instant>,
    calm: RunOutcome, lost: RunOutcome
  ) {
    samples = ObjectiveVerdicts.samples(document, lost)
    timeline = RehearsalTimeline(calm: calm, faulted: lost, strike: span.lowerBound)
    stopped = lost.stopped
    (bad, calmBad) = (Self.requests(lost), Self.requests(calm))
    let left = target.takingOver(of: lost.configuration)
    peakUtilisation = left.compactMap { lost.greatestUse(of: $0.zone, in: span) }.max()
    expectedUtilisation = left.compactMap { place in
      calm.greatestUse(of: place.zone, in: span).map { $0 * place.factor }
    }.max()
  }

  private static func requests(_ outcome: RunOutcome) -> Requests {
    var sum = Requests()
    for (lane, counters) in outcome.collected.laneCounters.enumerated() {
      let service = outcome.configuration.services[outcome.collected.serviceOfLane[lane]]
      sum.bad += counters.unanswered(of: service)
      sum.all += counters.arrivals
    }
    return sum
  }
}
