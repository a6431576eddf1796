@preconcurrency import CGSL

/// The root of a deterministic, continuous function by Brent's method.
///
/// Not for simulated curves: a solver that takes values as exact stalls on noise and flat steps.
enum Roots {
  private final class Box {
    let function: (Double) -> Double
    init(_ function: @escaping (Double) -> Double) { self.function = function }
  }

  /// - Parameters:
  ///   - bracket: Where `function` has different signs at the two ends (zero counts as either).
  ///   - relativeTolerance: Of the root's position.
  /// - Throws: `noRoot` without a change of sign, or when 200 steps were not enough.
  static func brent(
    _ what: String, in bracket: ClosedRange<Double>, relativeTolerance: Double = 1e-13,
    _ function: @escaping (Double) -> Double
  ) throws(StatisticsError) -> Double {
    GSL.prepare()
    if function(bracket.lowerBound) == 0 { return bracket.lowerBound }
    if function(bracket.upperBound) == 0 { return bracket.upperBound }
    guard let solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent) else {
      throw .noRoot(what)
    }
    defer { gsl_root_fsolver_free(solver) }
    let box = Box(function)
    let root: Double? = withExtendedLifetime(box) {
      var target = gsl_function()
      target.params = Unmanaged.passUnretained(box).toOpaque()
      target.function = { x, context in
        guard let context else { return .nan }
        return Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().function(x)
      }
      return withUnsafeMutablePointer(to: &target) {
        iterate(solver, $0, bracket, relativeTolerance)
      }
    }
    guard let root else { throw .noRoot(what) }
    return root
  }

  private static func iterate(
    _ solver: UnsafeMutablePointer<gsl_root_fsolver>,
    _ target: UnsafeMutablePointer<gsl_function>, _ bracket: ClosedRange<Double>,
    _ relativeTolerance: Double
  ) -> Double? {
    let success = Int32(GSL_SUCCESS)
    let status = gsl_root_fsolver_set(solver, target, bracket.lowerBound, bracket.upperBound)
    guard status == success else { return nil }
    for _ in 0..<200 {
      guard gsl_root_fsolver_iterate(solver) == success else { return nil }
      let (low, high) = (gsl_root_fsolver_x_lower(solver), gsl_root_fsolver_x_upper(solver))
      if gsl_root_test_interval(low, high, 0, relativeTolerance) == success {
        return gsl_root_fsolver_root(solver)
      }
    }
    return nil
  }
}
