/// Count, mean and variance in one pass (Welford 1962).
///
/// The result depends on the order of the values: add them in the order of their index (seed,
/// replication), never in the order in which threads finish.
@frozen
public struct RunningMoments: Sendable, Equatable {
  public private(set) var count = 0
  public private(set) var mean = 0.0
  @usableFromInline var squares = 0.0

  public init() {}

  public init(_ values: some Sequence<Double>) {
    for value in values { add(value) }
  }

  public mutating func add(_ value: Double) {
    count += 1
    let before = value - mean
    mean += before / Double(count)
    squares += before * (value - mean)
  }

  /// Sample variance (divisor n - 1); zero below two values.
  public var variance: Double { count < 2 ? 0 : squares / Double(count - 1) }
  public var standardDeviation: Double { variance.squareRoot() }
  /// Standard error of the mean; zero below two values.
  public var standardError: Double {
    count < 2 ? 0 : (variance / Double(count)).squareRoot()
  }
}
