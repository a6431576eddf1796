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
}

public enum ObjectiveVerdicts {
  /// Judges every objective of a scenario.
  public static func judge(
    _ document: ScenarioDocument, _ outcomes: [RunOutcome]
  ) -> [JudgedObjective] {
    document.objectives.map { objective in
      let values = outcomes.map {
        ObjectiveJudge($0.collected, $0.configuration).value(of: objective)
      }
      return objective.duration == nil
        ? judge(objective, values.map(\.value)) : judge(objective, broken: values)
    }
  }

  /// Met or missed when the interval lies on one side; one replication judges by its value, and
  /// says so.
  public static func judge(_ objective: Objective, _ samples: [Double?]) -> JudgedObjective {
    let values = samples.compactMap { $0 }
    guard values.count == samples.count, !values.isEmpty else {
      return JudgedObjective(
        objective: objective, verdict: .undecided, value: nil, interval: nil,
        samples: values.count, note: "no sample in \(samples.count - values.count) replications")
    }
    let mean = values.reduce(0, +) / Double(values.count)
    func holds(_ value: Double) -> Bool {
      objective.comparison.holds(SignificantDigits.rounded(value), objective.limit)
    }
    guard values.count > 1, let interval = try? MeanInterval.t(values) else {
      return JudgedObjective(
        objective: objective, verdict: holds(mean) ? .met : .missed, value: mean, interval: nil,
        samples: 1, note: "one replication: judged by its value")
    }
    let (low, high) = (holds(interval.low), holds(interval.high))
    return JudgedObjective(
      objective: objective, verdict: low && high ? .met : (!low && !high ? .missed : .undecided),
      value: mean, interval: interval, samples: values.count, note: "")
  }

  private static func judge(
    _ objective: Objective, broken values: [ObjectiveValue]
  ) -> JudgedObjective {
    let broken = values.compactMap(\.isBroken)
    let known = values.compactMap(\.value)
    let mean = known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    let verdict: ResultStore.Verdict
    if broken.count < values.count {
      verdict = .undecided
    } else if broken.allSatisfy({ $0 }) {
      verdict = .missed
    } else {
      verdict = broken.contains(true) ? .undecided : .met
    }
    return JudgedObjective(
      objective: objective, verdict: verdict, value: mean, interval: nil, samples: broken.count,
      note: "broken in \(broken.count { $0 }) of \(broken.count) replications")
  }

  /// Missed if any is, else undecided if any is.
  public static func overall(_ judged: [JudgedObjective]) -> ResultStore.Verdict? {
    guard !judged.isEmpty else { return nil }
    if judged.contains(where: { $0.verdict == .missed }) { return .missed }
    return judged.contains { $0.verdict == .undecided } ? .undecided : .met
  }
}
