import Primitives

/// Arrivals from files of measured traffic: which files, and how they are read.
public struct TraceSection: Sendable, Equatable {
  public enum Format: String, Sendable, CaseIterable {
    case azure2019, azure2021, requests, minutes, blocks, series
  }

  /// How requests lie within a minute or block of which only the number is known.
  public enum Within: String, Sendable, CaseIterable {
    case poisson, regular, batches
  }

  /// Relative to the directory of data.
  public var file = ""
  /// Nil: found from the header.
  public var format: Format?
  public var within = Within.poisson
  /// For batches: a distribution function of the variation of inter-arrival times.
  public var variationFile: String?
  public var timeColumn = "timestamp"
  public var serviceColumn = "service"
  public var durationColumn = "duration"
  public var valueColumn = "value"
  public var timeUnit = Nanoseconds.seconds(1)
  public var durationUnit = Nanoseconds.seconds(1)
  /// Time begins at the first request, not at the file's zero.
  public var beginsAtFirst = false
  public var block = Nanoseconds.seconds(504 * 60)
  /// Each replication replays a part of this length, preceded by what comes in its warm-up; nil:
  /// each replays the trace from its beginning.
  public var part: Nanoseconds?
  public var durationsFile: String?
  public var memoryFile: String?
  /// Only services of these names; empty: all.
  public var only: [String] = []
  /// Only so many services, the busiest; nil: all.
  public var busiest: Int?
  /// Who publishes the files, for the message when they are not there.
  public var source = ""

  public init() {}
}
