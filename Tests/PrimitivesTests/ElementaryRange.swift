import Glibc

@testable import Primitives

/// An elementary function on some binades, with a million keyed points in each: those that are
/// compared with MPFR, and whose results have stored digests.
struct ElementaryRange: Sendable, CustomStringConvertible {
  enum Function: String, Sendable { case exp, log, log1p, cos, pow }

  var function: Function
  var name: String
  /// Of the argument, or of its distance from 1.
  var exponents: ClosedRange<Int>
  var isSigned = false
  var isNearOne = false
  var key: UInt64 = 1
  /// Allowed error in units of the last place.
  var limit = 1.0
  /// One in so many points, where binades are many and much alike, and one digest for so many.
  var share = 1

  var description: String { "\(name) \(exponents)" }

  static let all: [ElementaryRange] = [
    ElementaryRange(function: .exp, name: "exp", exponents: -60...9, isSigned: true),
    ElementaryRange(function: .log, name: "log", exponents: -80...80),
    // The far binades differ by the exponent alone.
    ElementaryRange(function: .log, name: "log-low", exponents: -1074 ... -81, share: 50),
    ElementaryRange(function: .log, name: "log-high", exponents: 81...1023, share: 50),
    ElementaryRange(
      function: .log, name: "log-near-1", exponents: -53 ... -3, isSigned: true, isNearOne: true,
      key: 2),
    ElementaryRange(function: .log1p, name: "log1p-low", exponents: -60 ... -1, isSigned: true),
    ElementaryRange(function: .log1p, name: "log1p-high", exponents: 0...60),
    ElementaryRange(function: .cos, name: "cos", exponents: -30...40, isSigned: true, limit: 2),
    ElementaryRange(
      function: .cos, name: "cos-far", exponents: 1000...1023, isSigned: true, limit: 2),
    ElementaryRange(function: .pow, name: "pow", exponents: -60...60, key: 4, limit: 2),
    ElementaryRange(
      function: .pow, name: "pow-near-1", exponents: -52 ... -2, isSigned: true, isNearOne: true,
      key: 5, limit: 2),
  ]

  /// Calls `body` with the points of a binade, alternating in sign where the range is signed, a
  /// second argument where there is one, and what we compute.
  func forEachPoint(
    exponent: Int, count: Int, _ body: (_ x: Double, _ y: Double, _ value: Double) -> Void
  ) {
    let index = UInt64(bitPattern: Int64(exponent))
    var stream = KeyedStream(key: key, index: index)
    var powers = KeyedStream(key: 3, index: index)
    let power = scalbn(1.0, Int32(exponent))
    for n in 0..<count {
      let size = power * (1 + stream.uniform())
      let distance = isSigned && n & 1 == 1 ? -size : size
      let x = isNearOne ? 1 + distance : distance
      switch function {
      case .exp: body(x, 0, Elementary.exp(x))
      case .log: body(x, 0, Elementary.log(x))
      case .log1p: body(x, 0, Elementary.log1p(x))
      case .cos: body(x, 0, Elementary.cos(x))
      case .pow:
        // Exponents that keep the result a number, and some that do not.
        let y =
          isNearOne
          ? 300 / distance
          : (2 * powers.uniform() - 1) * powers.uniform() * 760
            / max(1e-3, Elementary.log(x).magnitude)
        body(x, y, Elementary.pow(x, y))
      }
    }
  }

  /// The binades by their digests: each has its own, but for those with few points.
  var blocks: [Range<Int>] {
    stride(from: exponents.lowerBound, to: exponents.upperBound + 1, by: share).map {
      $0..<min($0 + share, exponents.upperBound + 1)
    }
  }

  /// A summary of the bits of all results of some binades.
  func digest(of block: Range<Int>, count: Int) -> UInt64 {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    for exponent in block {
      forEachPoint(exponent: exponent, count: count) { _, _, value in
        let bits = value.bitPattern
        state = Mixing.foldedMultiply(state ^ bits, 0xD6E8_FEB8_6659_FD93) &+ bits
      }
    }
    return Mixing.fmix64(state)
  }
}
