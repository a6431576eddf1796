/// How far a run, or a study, has come.
public enum RunStatus: String, ColumnWord {
  case running, complete, interrupted, failed
}

/// The answer to an objective.
public enum Verdict: String, ColumnWord {
  case met, missed, undecided
}

/// Where a value comes from.
public enum Origin: String, ColumnWord {
  case published, measured, assumed, scenario
}

public enum Severity: String, ColumnWord {
  case info, warning, error
}

/// How the instance of a cold start was made.
public enum ColdStartPath: String, ColumnWord {
  case pool, fallback
  case virtualNode = "virtual_node"
  case isolate
  case all
}

/// What became of the candidate of a comparison.
public enum ComparisonVerdict: String, ColumnWord {
  case better, worse, same, undecided
}
