import Glibc

/// The multiple-precision library MPFR, opened when a test runs: machines without it leave its
/// tests out.
struct MPFR {
  typealias Number = UnsafeMutableRawPointer
  typealias Unary = @convention(c) (Number, Number, CInt) -> CInt
  typealias Binary = @convention(c) (Number, Number, Number, CInt) -> CInt

  private static let prec: CLong = 128
  /// Where an `mpfr_t` lives: precision, sign, exponent and a pointer, one word each.
  private static let wordCount = 4

  let exp, log, log1p, cos, lngamma, erfc: Unary
  let pow, gammaInc: Binary
  private let initialize: @convention(c) (Number, CLong) -> Void
  private let clear: @convention(c) (Number) -> Void
  private let setDouble: @convention(c) (Number, Double, CInt) -> CInt
  private let subtractDouble: @convention(c) (Number, Number, Double, CInt) -> CInt
  private let multiplyByPowerOfTwo: @convention(c) (Number, Number, CLong, CInt) -> CInt
  private let getDouble: @convention(c) (Number, CInt) -> Double

  /// Nil where the library is not installed.
  init?() {
    guard let handle = dlopen("libmpfr.so.6", RTLD_NOW) else { return nil }
    func symbol<F>(_ name: String, as type: F.Type) -> F? {
      dlsym(handle, name).map { unsafeBitCast($0, to: type) }
    }
    func unary(_ name: String) -> Unary? { symbol(name, as: Unary.self) }
    guard let exp = unary("mpfr_exp"), let log = unary("mpfr_log"),
      let log1p = unary("mpfr_log1p"), let cos = unary("mpfr_cos"),
      let lngamma = unary("mpfr_lngamma"), let erfc = unary("mpfr_erfc"),
      let pow = symbol("mpfr_pow", as: Binary.self),
      let gammaInc = symbol("mpfr_gamma_inc", as: Binary.self),
      let initialize = symbol("mpfr_init2", as: (@convention(c) (Number, CLong) -> Void).self),
      let clear = symbol("mpfr_clear", as: (@convention(c) (Number) -> Void).self),
      let setDouble = symbol(
        "mpfr_set_d", as: (@convention(c) (Number, Double, CInt) -> CInt).self),
      let subtractDouble = symbol(
        "mpfr_sub_d", as: (@convention(c) (Number, Number, Double, CInt) -> CInt).self),
      let multiply = symbol(
        "mpfr_mul_2si", as: (@convention(c) (Number, Number, CLong, CInt) -> CInt).self),
      let getDouble = symbol("mpfr_get_d", as: (@convention(c) (Number, CInt) -> Double).self)
    else { return nil }
    (self.exp, self.log, self.log1p, self.cos) = (exp, log, log1p, cos)
    (self.lngamma, self.erfc, self.pow, self.gammaInc) = (lngamma, erfc, pow, gammaInc)
    (self.initialize, self.clear, self.setDouble) = (initialize, clear, setDouble)
    (self.subtractDouble, self.getDouble) = (subtractDouble, getDouble)
    multiplyByPowerOfTwo = multiply
  }

  static var isInstalled: Bool { MPFR() != nil }

  /// The exact value rounded to a double, and how far `computed` is from it in units of its last
  /// place.
  struct Comparison {
    var exact: Double
    var ulps: Double
  }

  /// Calls `body` with three numbers to compute with.
  func withNumbers<R>(_ body: (Number, Number, Number) -> R) -> R {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.wordCount * 3) { words in
      let numbers = (0..<3).map { Number(words.baseAddress! + $0 * Self.wordCount) }
      for number in numbers { initialize(number, Self.prec) }
      defer { for number in numbers { clear(number) } }
      return body(numbers[0], numbers[1], numbers[2])
    }
  }

  func set(_ number: Number, _ value: Double) { _ = setDouble(number, value, 0) }

  /// Compares the number in `result` with what was computed in its stead, and overwrites it.
  func compare(_ result: Number, with computed: Double) -> Comparison {
    let exact = getDouble(result, 0)
    if exact.isNaN || exact.isInfinite || computed.isNaN || computed.isInfinite {
      let same = exact == computed || (exact.isNaN && computed.isNaN)
      return Comparison(exact: exact, ulps: same ? 0 : .infinity)
    }
    _ = subtractDouble(result, result, computed, 0)
    // A difference from a subnormal number would be rounded away: it is scaled up first.
    let scale: CLong = exact.magnitude < 0x1p-900 ? 100 : 0
    _ = multiplyByPowerOfTwo(result, result, scale, 0)
    let ulp = max(exact.magnitude, 0x1p-1022).ulp * (scale == 100 ? 0x1p100 : 1)
    return Comparison(exact: exact, ulps: getDouble(result, 0).magnitude / ulp)
  }
}
