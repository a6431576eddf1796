extension ScenarioFormat {
  /// Objectives of every kind, for people; tests read them.
  static let objectiveExamples = [
    "p99(start_latency, runtime=python) < 400ms",
    "pool_misses / pool_takes < 0.1%",
    "failed(class=online) / requests(class=online) < 0.01%",
    "p99(latency, zone=zone-a) < 1s for 10m",
    "utilisation < 60% for 5m",
    "max(ready_pods) <= 1k",
  ]

  static var objectives: String {
    """
    ## Objectives

    ```
    objective = value ("<" | "<=" | ">" | ">=") limit ["for" duration]
    value     = term ["/" term]
    term      = measure ["(" scope {"," scope} ")"]
              | statistic "(" measure {"," scope} ")"
    scope     = name "=" text
    ```

    A statistic is one of \(ObjectiveParser.statistics).

    \(objectiveExamples.map { "- `\($0)`\n" }.joined())
    A measure of kind *distribution* is of every request and needs a statistic. A *total* is
    counted over the run and has none. A *level* has a value in every interval of the series;
    without a statistic it is the mean. Both terms of a ratio are times, or neither is.

    \(table(["measure", "kind", "limit", "scopes", "with `for`", "is"], measures))
    A limit is a time (`400ms`), a number (`100`, `1M`) or a share (`60%`, `0.6`); that of a ratio
    is a number or a percentage. A service's times are kept in 64 classes at most, and not by zone.

    \(table(["scope", "is"], Objective.Scope.allCases.map { [code($0.rawValue), $0.about] }))
    ### Met, missed, undecided

    An objective is judged over the whole run without its warm-up.

    - One replication judges by its value, and says so.
    - More replications judge by the mean and its 95 % interval (Student's t): *met* when the limit
      holds at both ends, *missed* when it holds at neither, else *undecided*.
    - *Undecided* too when a replication has no sample, or when what is divided by is zero.

    With `for` the limit is compared with every interval of the series after the warm-up: 10 s long
    in runs up to 6 hours, 60 s beyond. A count is that of the interval. The objective is broken
    when the limit does not hold for so long without a break; for `latency` in any one group of
    zone, class and runtime within its scope. It is *missed* when all replications have broken it,
    *met* when none has, else *undecided*; also when there is no interval to judge. An interval in
    which a group had neither requests nor instances is not in the series.

    One objective missed, and the run is missed (exit code 99); else one undecided, and it is
    undecided (101).

    """
  }

  private static var measures: [[String]] {
    Objective.Measure.allCases.map { measure in
      let definition = measure.definition
      let scopes = definition.scopes.map { scope in
        scope == .service && !definition.combinesService
          ? "`service` alone" : code(scope.rawValue)
      }
      let overTime = definition.overTime.map { statistic in
        statistic == definition.kind.statistic ? "yes" : code(statistic.text)
      }
      return [
        code(measure.rawValue), definition.kind.rawValue, definition.unit.rawValue,
        scopes.joined(separator: ", "), overTime.isEmpty ? "no" : overTime.joined(separator: ", "),
        definition.about,
      ]
    }
  }
}
