import ControlPlane
import Primitives

/// Keep-alive by a histogram of a service's idle times. (Shahrad et al., "Serverless in the Wild",
/// 2020.)
///
/// The paper's keep-alive window begins when the instance is made again; here it ends when the
/// margin over the tail ends, counted like the pre-warming from the end of the last request. So
/// both say the same instants.
public struct HybridHistogram: KeepAlivePolicy, Equatable {
  /// Origin of all defaults: published (the paper).
  public struct Settings: Sendable, Equatable {
    public var bin = Nanoseconds.seconds(60)
    public var bins = 240
    /// Of all idle times; instances are made before, with a margin.
    public var headPercentile = 5
    public var tailPercentile = 99
    public var marginPercent: Int64 = 10
    /// Share of idle times beyond the range at which the histogram says nothing.
    public var outOfBoundsPercent = 50
    /// Coefficient of variation of the bins' counts below which they are too alike to say anything.
    public var leastVariation = 2.0
    /// Around an idle time that is foretold.
    public var seriesMarginPercent: Int64 = 15
    /// Weight of the latest idle time beyond the range (assumed: in the place of the paper's
    /// ARIMA).
    public var seriesAlpha = 0.5

    public init() {}
  }

  public enum Mode: String, Sendable {
    case histogram
    /// Too little is known: an instance stays for the whole range.
    case uncertain
    /// Idle times are mostly longer than the range: the next is foretold from those before.
    case timeSeries
  }

  public let settings: Settings
  private var counts: [Int64]
  /// Sums of the counts and of their squares, so that their variation is known at any time.
  private var total: Int64 = 0
  private var squares = 0.0
  public private(set) var outOfBounds: Int64 = 0
  private var series: HoltSmoothing?

  /// Precondition: there are at least two bins, and they have a length.
  public init(_ settings: Settings = Settings()) {
    precondition(settings.bins > 1 && settings.bin.count > 0, "a histogram has bins")
    self.settings = settings
    counts = Array(repeating: 0, count: settings.bins)
  }

  /// O(1). A negative idle time counts as none.
  public mutating func observe(idle: Nanoseconds) {
    let bin = max(0, idle.count) / settings.bin.count
    guard bin < counts.count else {
      outOfBounds += 1
      let seconds = idle.seconds
      if series == nil {
        series = HoltSmoothing(alpha: settings.seriesAlpha, level: seconds)
      } else {
        series?.observe(seconds)
      }
      return
    }
    count(1, in: Int(bin))
  }

  /// As many idle times of none. O(1).
  public mutating func observe(overlapping invocations: Int64) {
    if invocations > 0 { count(invocations, in: 0) }
  }

  private mutating func count(_ more: Int64, in bin: Int) {
    squares += Double(more) * Double(2 * counts[bin] + more)
    counts[bin] += more
    total += more
  }

  public var mode: Mode {
    let all = total + outOfBounds
    if all > 0 && outOfBounds * 100 >= Int64(settings.outOfBoundsPercent) * all {
      return .timeSeries
    }
    return total > 0 && variation >= settings.leastVariation ? .histogram : .uncertain
  }

  /// Standard deviation of the bins' counts, of a sample, divided by their mean; 0 when empty.
  public var variation: Double {
    guard total > 0 else { return 0 }
    let bins = Double(counts.count)
    let mean = Double(total) / bins
    let variance = (squares - Double(total) * mean) / (bins - 1)
    return max(0, variance).squareRoot() / mean
  }

  /// The first bin up to which there are so many percent of the idle times; nil when empty.
  /// O(bins).
  public func bin(percentile: Int) -> Int? {
    guard total > 0 else { return nil }
    var below: Int64 = 0
    for (index, count) in counts.enumerated() {
      below += count
      if below > 0 && below * 100 >= Int64(percentile) * total { return index }
    }
    return counts.count - 1
  }

  public func decision() -> KeepAliveDecision {
    switch mode {
    case .uncertain:
      return KeepAliveDecision(keepAlive: settings.bin * Int64(settings.bins))
    case .timeSeries:
      let foretold = Nanoseconds(seconds: series?.forecast() ?? 0)
      return KeepAliveDecision(
        prewarm: foretold * (100 - settings.seriesMarginPercent) / 100,
        keepAlive: foretold * (100 + settings.seriesMarginPercent) / 100)
    case .histogram:
      let head = Int64(bin(percentile: settings.headPercentile) ?? 0)
      let tail = Int64(bin(percentile: settings.tailPercentile) ?? 0)
      return KeepAliveDecision(
        prewarm: settings.bin * head * (100 - settings.marginPercent) / 100,
        keepAlive: settings.bin * (tail + 1) * (100 + settings.marginPercent) / 100)
    }
  }

  public borrowing func clone() -> Self { copy self }
}
