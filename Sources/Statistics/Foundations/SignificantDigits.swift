import Foundation

/// Rounding before a comparison.
///
/// GSL calls the C library's `exp`, `log` and `pow`, whose last digits differ between platforms.
/// A verdict that sits on its limit must not flip with them, so interval ends and limits are
/// rounded to twelve significant digits before they are compared.
public enum SignificantDigits {
  public static let forComparison = 12

  /// `value` rounded to `digits` significant decimal digits; NaN and infinities are kept.
  public static func rounded(_ value: Double, digits: Int = forComparison) -> Double {
    precondition(digits >= 1 && digits <= 17, "1 to 17 significant digits")
    guard value.isFinite, value != 0 else { return value }
    return Double(String(format: "%.\(digits - 1)e", value)) ?? value
  }
}
