import Platform
import Primitives
import ResultStore
import Scenario
import Simulation

/// What a report of a rehearsal shows of one pair, as rows of the table `measures`.
///
/// Scopes: `rehearsal` has the phases and the margin; `fault N: NAME` each fault from 1 on,
/// `degraded N` each stretch of degraded intervals, `zone NAME` the use of processors while
/// anything was wrong. What did not come about has no row.
public struct RehearsalMeasures {
  private let pair: RehearsalStudy.Pair
  private let document: ScenarioDocument

  public init(_ pair: RehearsalStudy.Pair, document: ScenarioDocument) {
    self.pair = pair
    self.document = document
  }

  /// - Parameter run: the number of the faulted run in the file.
  public func rows(run: Int) -> [MeasureRow] {
    let timeline = pair.timeline
    let judged = ObjectiveVerdicts.judge(document, [pair.faulted])
    func seconds(_ instant: Instant) -> Double { (instant - .origin).seconds }
    var rows: [MeasureRow] = []
    func add(_ scope: String, _ values: [(String, Double?)]) {
      rows += values.compactMap { name, value in
        value.map { MeasureRow(run: run, name: name, scope: scope, value: $0) }
      }
    }
    add(
      "rehearsal",
      [
        ("strike_seconds", seconds(timeline.strike)),
        ("seconds_to_detect", timeline.secondsToDetect),
        ("seconds_to_shift", timeline.secondsToShift),
        ("seconds_to_fault_over", timeline.secondsToEnd),
        ("seconds_degraded", timeline.secondsDegraded),
        ("seconds_to_recover", timeline.secondsToRecover),
        ("margin", judged.nearest?.margin),
      ])
    for (index, course) in timeline.faults.enumerated() {
      add(
        "fault \(index + 1): \(course.name)",
        [
          ("strike_seconds", seconds(course.strike)),
          ("seconds_to_detect", course.secondsToDetect),
          ("seconds_to_shift", course.secondsToShift),
          ("seconds_to_fault_over", course.secondsToEnd),
        ])
    }
    for (index, stretch) in timeline.stretches.enumerated() {
      add(
        "degraded \(index + 1)",
        [
          ("from_seconds", seconds(stretch.lowerBound)),
          ("to_seconds", seconds(stretch.upperBound)),
        ])
    }
    let harm = RehearsalHarm([pair], document: document)
    for (line, factor) in zip(harm.utilisation, harm.closedForms) {
      add(
        "zone \(line.name)",
        [
          ("utilisation_calm", line.calm.first), ("utilisation_faulted", line.faulted.first),
          ("utilisation_closed_form", factor),
        ])
    }
    return rows
  }
}
