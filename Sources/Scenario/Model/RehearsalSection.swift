import Primitives

/// What a rehearsal is judged over; nil: from the end of the warm-up, to the end of the run.
public struct RehearsalSection: Sendable, Equatable {
  public var from: Nanoseconds?
  public var until: Nanoseconds?

  public init(from: Nanoseconds? = nil, until: Nanoseconds? = nil) {
    self.from = from
    self.until = until
  }
}

extension ScenarioDocument {
  /// The length of an interval of the series. Rows end the rests of flow lanes: who lets these be
  /// a minute long wants no finer ones.
  public var seriesInterval: Nanoseconds {
    let isFine = duration <= .seconds(6 * 3600) && longestFlowStep < .seconds(60)
    return isFine ? .seconds(10) : .seconds(60)
  }

  /// The time that a rehearsal is judged over. It ends with it.
  public var rehearsed: Range<Nanoseconds> {
    let end = min(rehearsal.until ?? duration, duration)
    return min(max(rehearsal.from ?? warmup, warmup), end)..<end
  }
}
