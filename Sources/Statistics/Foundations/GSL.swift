import CGSL

/// The one door to the GNU Scientific Library.
///
/// GSL's default error handler ends the process. It is switched off before the first call, and
/// each answer is checked instead: every call in this target goes through `checked`.
enum GSL {
  /// Runs once, before the first call.
  private static let prepared: Bool = {
    gsl_set_error_handler_off()
    return true
  }()

  /// The result of `call`, or an error when it is not finite: with the handler off, GSL's
  /// distribution functions report a bad argument or a failed iteration as NaN.
  static func checked(
    _ function: String, _ call: () -> Double
  ) throws(StatisticsError) -> Double {
    _ = prepared
    let result = call()
    guard result.isFinite else { throw .notFinite(function) }
    return result
  }

  /// Makes the library ready for calls that report a status of their own.
  static func prepare() { _ = prepared }

  static func requireSuccess(_ function: String, _ status: Int32) throws(StatisticsError) {
    guard status == Int32(GSL_SUCCESS) else {
      throw .library(function: function, status: status)
    }
  }
}

/// Throws unless `value` satisfies `condition`; the words of the error are the caller's.
func require(
  _ condition: Bool, _ name: String, _ value: Double, _ allowed: String
) throws(StatisticsError) {
  guard condition else { throw .outOfRange(name: name, value: value, allowed: allowed) }
}
