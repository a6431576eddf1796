import Primitives

/// How long a request holds its slot: a shape, scaled by the machine's slowdown, plus a constant
/// for the way there and back. Seconds.
struct FlowService: Sendable {
  let shape: ServiceShape
  /// Of the undisturbed service.
  let unitScale: Double
  /// Times the slowdown of processor time.
  private(set) var scale: Double
  private(set) var shift = 0.0

  init(_ shape: ServiceShape, scale: Double) {
    self.shape = shape
    unitScale = scale
    self.scale = scale
  }

  /// - Parameters:
  ///   - stretch: factor on the service time.
  ///   - shift: seconds that every request takes besides.
  mutating func adjust(stretch: Double, shift: Double) {
    scale = unitScale * stretch
    self.shift = shift
  }

  /// The same with another law in the place of the service time, which is stretched as that is.
  ///
  /// - Parameter factor: times the scale.
  func replaced(by other: ServiceShape, times factor: Double) -> FlowService {
    var made = FlowService(other, scale: unitScale * factor)
    made.adjust(stretch: unitScale > 0 ? scale / unitScale : 1, shift: shift)
    return made
  }

  var mean: Double { scale * shape.mean + shift }

  /// Machines have published a slowdown.
  var isStretched: Bool { scale > unitScale }

  /// Variance ÷ squared mean of the whole; 0 when it takes no time.
  var squaredCV: Double {
    let whole = mean
    guard whole > 0 else { return 0 }
    let varying = scale * shape.mean / whole
    return shape.squaredCV * varying * varying
  }

  /// E[min(S, h)].
  func expectedMinimum(_ h: Double) -> Double {
    guard h > shift else { return h }
    guard scale > 0 else { return shift }
    return shift + scale * shape.expectedMinimum((h - shift) / scale)
  }

  /// P(S > x), x in seconds.
  func survival(beyond x: Double) -> Double {
    guard x >= shift else { return 1 }
    return scale > 0 ? shape.survival(beyond: (x - shift) / scale) : 0
  }

  /// P(S > x) of a request that is met in service, by its length: 1 − E[S; S <= x] ÷ mean.
  func survival(ofMetBeyond x: Double) -> Double {
    let whole = mean
    guard whole > 0 else { return 0 }
    let shorter = expectedMinimum(x) - x * survival(beyond: x)
    return min(1, max(0, 1 - shorter / whole))
  }

  /// The probability that a request that is in service in equilibrium is so after h seconds: the
  /// residual law, whose density is P(S > u) ÷ mean (the inspection paradox; Cox, Renewal Theory).
  func survival(ofOld h: Double) -> Double {
    let whole = mean
    guard whole > 0 else { return 0 }
    return min(1, max(0, 1 - expectedMinimum(h) / whole))
  }

  /// The probability that a request that began at a uniform instant of the last h seconds is in
  /// service still.
  func survival(ofNew h: Double) -> Double {
    h > 0 ? min(1, expectedMinimum(h) / h) : 1
  }

  /// Age and residual of a request met in service in equilibrium: a size-biased time, divided
  /// uniformly.
  func met(using bits: inout some BitSource) -> (age: Double, residual: Double) {
    let whole = mean
    // The constant part is met in proportion to its own length.
    let varying = scale * shape.mean
    let length =
      bits.uniform() * whole < varying
      ? scale * shape.sizeBiased(bits.uniform()) + shift
      : scale * shape.quantiles[Int(bits.integer(below: UInt64(ServiceShape.points)))] + shift
    let residual = length * bits.uniformOpen()
    return (length - residual, residual)
  }

  /// The i-th of the 4096 quantiles. Nanoseconds.
  func nanoseconds(_ quantile: Int) -> Int64 {
    Int64((scale * shape.quantiles[quantile] + shift) * 1e9)
  }
}
