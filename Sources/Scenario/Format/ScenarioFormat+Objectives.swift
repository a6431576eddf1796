extension ScenarioFormat {
  /// Objectives of every kind, for people; tests read them.
  static let objectiveExamples = [
    "p99(start_latency, runtime=python) < 400ms",
    "pool_misses / pool_takes < 0.1%",
    "failed(class=online) / requests(class=online) < 0.01%",
    "p99(latency, zone=zone-a) < 1s for 10m",
    "refused(service=api) / requests(service=api) < 1% for 5m",
    "p99(latency, tenant=default) < 2s",
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

    \(table(["measure", "kind", "limit", "scopes", "is"], measures))
    A limit is a time (`400ms`), a number (`100`, `1M`) or a share (`60%`, `0.6`); that of a ratio
    is a number or a percentage. Times are kept at two significant digits, over exactly the requests
    of the scope.

    \(table(["scope", "is"], Objective.Scope.allCases.map { [code($0.rawValue), $0.about] }))
    ### Met, missed, undecided

    An objective is judged over the whole run without its warm-up.

    - One replication judges by its value, and says so.
    - More replications judge by the mean and its 95 % interval (Student's t): *met* when the limit
      holds at both ends, *missed* when it holds at neither, else *undecided*.
    - *Undecided* too when a replication has no sample, as where a scope is of nothing that is
      there, or when what is divided by is zero.

    With `for` the limit is compared with every interval of the series after the warm-up: 10 s long
    in runs up to 6 hours, 60 s beyond. A count is that of the interval, and 0 where nothing
    happened. The objective is broken when the limit does not hold for so long without a break. An
    interval without a sample, such as a time without requests, breaks no limit. What is judged, as
    above, is the worst value that lasted so long: for a ceiling the highest that was not undershot
    meanwhile, for a floor the lowest that was not exceeded. The note says when the limit was broken
    first. Where no value lasted so long in some replication, the objective is met when it was
    broken in none, missed when in all, else undecided; also when less was judged than `for` says.

    One objective missed, and the run is missed (exit code 99); else one undecided, and it is
    undecided (101).

    """
  }

  private static var measures: [[String]] {
    Objective.Measure.allCases.map { measure in
      let definition = measure.definition
      let scopes = definition.scopes.map { code($0.rawValue) }
      return [
        code(measure.rawValue), definition.kind.rawValue, definition.unit.rawValue,
        scopes.joined(separator: ", "), definition.about,
      ]
    }
  }
}
