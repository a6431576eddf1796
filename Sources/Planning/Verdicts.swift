import Primitives
import ResultStore
import Scenario
import Simulation
import Statistics

/// An objective, judged over the replications of a run.
public struct JudgedObjective: Sendable {
  public var objective: Objective
  public var verdict: ResultStore.Verdict
  /// Mean over the replications with a sample.
  public var value: Double?
  /// 95 % interval, from two replications on.
  public var interval: Interval?
  public var samples: Int
  public var note: String
  /// With `for`: the longest time, over the replications, for which the limit was broken without a
  /// break.
  public var longestBreak: Nanoseconds?
}

/// What one run says of an objective: enough to judge it over several without keeping the runs.
public struct ObjectiveSample: Sendable, Equatable {
  public var value: ObjectiveValue
  /// What stands below the line of a share.
  var trials = 0.0
}

public enum ObjectiveVerdicts {
  /// Judges every objective of a scenario.
  public static func judge(
    _ document: ScenarioDocument, _ outcomes: [RunOutcome]
  ) -> [JudgedObjective] {
    judge(document, samples: outcomes.map { samples(document, $0) })
  }

  /// By objective, what a run says of it.
  public static func samples(
    _ document: ScenarioDocument, _ outcome: RunOutcome
  ) -> [ObjectiveSample] {
    let judge = ObjectiveJudge(outcome)
    return document.objectives.map { objective in
      let trials = objective.denominator.flatMap { judge.total(of: $0) }
      return ObjectiveSample(value: judge.value(of: objective), trials: trials ?? 0)
    }
  }

  /// The same of runs that are gone, of each what it said.
  public static func judge(
    _ document: ScenarioDocument, samples: [[ObjectiveSample]]
  ) -> [JudgedObjective] {
    document.objectives.enumerated().map { index, objective in
      let values = samples.map { $0[index].value }
      var judged = judge(objective, values)
      judged.longestBreak = values.compactMap(\.longestBreak).max()
      guard objective.duration == nil, objective.denominator != nil else { return judged }
      return boundedIfNothingWasSeen(
        judged, trials: samples.reduce(0) { $0 + $1[index].trials })
    }
  }

  /// A share of which nothing was seen in any replication is not known to be zero: its interval
  /// ends where so few events would be seen in one case of forty (Clopper and Pearson; events that
  /// come together make it too short).
  static func boundedIfNothingWasSeen(
    _ judged: JudgedObjective, trials: Double
  ) -> JudgedObjective {
    guard judged.value == 0, judged.interval?.high == 0, trials >= 1,
      let interval = try? Proportion.clopperPearson(
        successes: 0, trials: Int(min(trials, 1e15)))
    else { return judged }
    var judged = judged
    judged.interval = interval
    judged.note = "none seen in \(Int(min(trials, 1e15)))"
    let holds = judged.objective.comparison.holds(interval.high, judged.objective.limit)
    if judged.verdict == .met, !holds { judged.verdict = .undecided }
    return judged
  }

  /// Met or missed when the interval lies on one side; one replication judges by its value, and
  /// says so.
  public static func judge(_ objective: Objective, _ samples: [Double?]) -> JudgedObjective {
    judge(
      objective, samples.map { ObjectiveValue(value: $0, note: $0 == nil ? "no sample" : "") })
  }

  static func judge(_ objective: Objective, _ samples: [ObjectiveValue]) -> JudgedObjective {
    let values = samples.compactMap(\.value).filter(\.isFinite)
    if values.count == samples.count, !values.isEmpty { return judge(objective, samples, values) }
    if !samples.isEmpty, samples.allSatisfy({ $0.isBroken != nil }) {
      return judge(objective, byBreaksIn: samples, values)
    }
    let unknown = samples.filter { $0.value?.isFinite != true && $0.isBroken == nil }
    let reason = unknown.first?.note ?? ""
    let note = reason.isEmpty ? "no sample" : reason
    return JudgedObjective(
      objective: objective, verdict: .undecided, value: nil, interval: nil, samples: values.count,
      note: samples.count > 1
        ? "\(note) in \(unknown.count) of \(samples.count) replications" : note)
  }

  /// Every replication has a value.
  private static func judge(
    _ objective: Objective, _ samples: [ObjectiveValue], _ values: [Double]
  ) -> JudgedObjective {
    let mean = values.reduce(0, +) / Double(values.count)
    func holds(_ value: Double) -> Bool {
      objective.comparison.holds(SignificantDigits.rounded(value), objective.limit)
    }
    let note = BreakNote.text(samples)
    // No measure can be negative, and no part more than its whole, whatever a symmetric interval
    // says. (What began before the warm-up's end may be counted only above the line.)
    let most = objective.isPart && values.allSatisfy { $0 <= 1 } ? 1 : Double.infinity
    guard values.count > 1,
      let interval = try? MeanInterval.t(values).mapped({ min(most, max(0, $0)) })
    else {
      let own = "one replication: judged by its value"
      return JudgedObjective(
        objective: objective, verdict: holds(mean) ? .met : .missed, value: mean, interval: nil,
        samples: values.count, note: note.isEmpty ? own : "\(own); \(note)")
    }
    let (low, high) = (holds(interval.low), holds(interval.high))
    return JudgedObjective(
      objective: objective, verdict: low && high ? .met : (!low && !high ? .missed : .undecided),
      value: mean, interval: interval, samples: values.count, note: note)
  }

  /// Somewhere nothing lasted long enough for a value, which breaks no limit.
  private static func judge(
    _ objective: Objective, byBreaksIn samples: [ObjectiveValue], _ values: [Double]
  ) -> JudgedObjective {
    let broken = samples.count { $0.isBroken == true }
    let note =
      broken == 0
      ? "no break could last so long: there were not samples in every interval"
      : BreakNote.text(samples)
    return JudgedObjective(
      objective: objective,
      verdict: broken == 0 ? .met : (broken == samples.count ? .missed : .undecided),
      value: values.isEmpty ? nil : values.reduce(0, +) / Double(values.count), interval: nil,
      samples: values.count, note: note)
  }

  /// Missed if any is, else undecided if any is.
  public static func overall(_ judged: [JudgedObjective]) -> ResultStore.Verdict? {
    guard !judged.isEmpty else { return nil }
    if judged.contains(where: { $0.verdict == .missed }) { return .missed }
    return judged.contains { $0.verdict == .undecided } ? .undecided : .met
  }
}

/// When an objective was broken, in words.
enum BreakNote {
  /// The first break of the first replication that has one; empty: there is none.
  static func text(_ samples: [ObjectiveValue]) -> String {
    guard let first = samples.firstIndex(where: { $0.broken != nil }),
      let broken = samples[first].broken
    else { return "" }
    let when = "broken from \(clock(broken.lowerBound)) to \(clock(broken.upperBound))"
    guard samples.count > 1 else { return when }
    let count = samples.count { $0.isBroken == true }
    return "\(when) in replication \(first + 1), and in \(count) of \(samples.count) in all"
  }

  /// Hours, minutes and seconds of simulated time.
  private static func clock(_ instant: Instant) -> String {
    let seconds = instant.nanoseconds / 1_000_000_000
    let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60]
    return parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }
}
