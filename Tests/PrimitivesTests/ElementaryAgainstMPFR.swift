import Glibc
import Testing

@testable import Primitives

/// Largest errors over keyed points in every binade in use. 2,000 points a binade in an ordinary
/// optimised run; scripts/check-elementary asks for a million.
@Suite(.enabled(if: MPFR.isInstalled, "MPFR is not installed"))
struct ElementaryAgainstMPFR {
  let mpfr: MPFR
  let points: Int

  init() throws {
    mpfr = try #require(MPFR())
    let wanted = getenv("HEADROOM_POINTS_PER_BINADE").flatMap { Int(String(cString: $0)) }
    #if DEBUG
      points = wanted ?? 200
    #else
      points = wanted ?? 2000
    #endif
  }

  /// Keyed points of one binade, alternating in sign if asked.
  private func forEachPoint(
    exponents: ClosedRange<Int>, signed: Bool, key: UInt64, _ body: (Double) -> Void
  ) {
    for exponent in exponents {
      var stream = KeyedStream(key: key, index: UInt64(bitPattern: Int64(exponent)))
      let power = scalbn(1.0, Int32(exponent))
      for n in 0..<points {
        let x = power * (1 + stream.uniform())
        body(signed && n & 1 == 1 ? -x : x)
      }
    }
  }

  private func worst(
    exponents: ClosedRange<Int>, signed: Bool, exact: MPFR.Unary,
    _ computed: (Double) -> Double
  ) -> (ulps: Double, at: Double) {
    var worst = (ulps: 0.0, at: 0.0)
    mpfr.withNumbers { x, y, _ in
      forEachPoint(exponents: exponents, signed: signed, key: 1) { point in
        mpfr.set(x, point)
        _ = exact(y, x, 0)
        let error = mpfr.compare(y, with: computed(point)).ulps
        if error > worst.ulps { worst = (error, point) }
      }
    }
    return worst
  }

  private func report(_ name: String, _ worst: (ulps: Double, at: Double)) {
    print("elementary: \(name) \(points) points a binade, at most \(worst.ulps) ulp at \(worst.at)")
  }

  @Test func exp() {
    let worst = worst(exponents: -60...9, signed: true, exact: mpfr.exp, Elementary.exp)
    report("exp", worst)
    #expect(worst.ulps < 1)
  }

  @Test func log() {
    let ordinary = worst(exponents: -80...80, signed: false, exact: mpfr.log, Elementary.log)
    report("log", ordinary)
    #expect(ordinary.ulps < 1)
    // The far binades differ by the exponent alone.
    let low = worst(exponents: -1074 ... -1000, signed: false, exact: mpfr.log, Elementary.log)
    let high = worst(exponents: 1000...1023, signed: false, exact: mpfr.log, Elementary.log)
    #expect(low.ulps < 1 && high.ulps < 1)
  }

  @Test func logNearOne() {
    var worst = (ulps: 0.0, at: 0.0)
    mpfr.withNumbers { x, y, _ in
      forEachPoint(exponents: -53 ... -3, signed: true, key: 2) { distance in
        mpfr.set(x, 1 + distance)
        _ = mpfr.log(y, x, 0)
        let error = mpfr.compare(y, with: Elementary.log(1 + distance)).ulps
        if error > worst.ulps { worst = (error, 1 + distance) }
      }
    }
    report("log near 1", worst)
    #expect(worst.ulps < 1)
  }

  @Test func log1p() {
    let low = worst(exponents: -60 ... -1, signed: true, exact: mpfr.log1p, Elementary.log1p)
    let high = worst(exponents: 0...60, signed: false, exact: mpfr.log1p, Elementary.log1p)
    report("log1p", low.ulps > high.ulps ? low : high)
    #expect(low.ulps < 1 && high.ulps < 1)
  }

  @Test func cos() {
    let worst = worst(exponents: -30...40, signed: true, exact: mpfr.cos, Elementary.cos)
    report("cos", worst)
    #expect(worst.ulps < 2)
    let far = self.worst(exponents: 1000...1023, signed: true, exact: mpfr.cos, Elementary.cos)
    #expect(far.ulps < 2)
  }

  @Test func sin() {
    let worst = worst(exponents: -30...40, signed: true, exact: mpfr.sin, Elementary.sin)
    report("sin", worst)
    #expect(worst.ulps < 2)
    let far = self.worst(exponents: 1000...1023, signed: true, exact: mpfr.sin, Elementary.sin)
    #expect(far.ulps < 2)
  }

  /// Bases of every binade in use with exponents that keep the result a number, and some that do
  /// not.
  @Test func pow() {
    var worst = (ulps: 0.0, at: 0.0)
    var exponents = KeyedStream(key: 3, index: 0)
    mpfr.withNumbers { x, y, z in
      forEachPoint(exponents: -60...60, signed: false, key: 4) { base in
        let limit = 760 / max(1e-3, Elementary.log(base).magnitude)
        let exponent = (2 * exponents.uniform() - 1) * limit * exponents.uniform()
        mpfr.set(x, base)
        mpfr.set(y, exponent)
        _ = mpfr.pow(z, x, y, 0)
        let error = mpfr.compare(z, with: Elementary.pow(base, exponent)).ulps
        if error > worst.ulps { worst = (error, base) }
      }
    }
    report("pow", worst)
    #expect(worst.ulps < 2)
  }

  @Test func powNearOne() {
    var worst = (ulps: 0.0, at: 0.0)
    mpfr.withNumbers { x, y, z in
      forEachPoint(exponents: -52 ... -2, signed: true, key: 5) { distance in
        let base = 1 + distance
        let exponent = 300 / distance
        mpfr.set(x, base)
        mpfr.set(y, exponent)
        _ = mpfr.pow(z, x, y, 0)
        let error = mpfr.compare(z, with: Elementary.pow(base, exponent)).ulps
        if error > worst.ulps { worst = (error, base) }
      }
    }
    report("pow near 1", worst)
    #expect(worst.ulps < 2)
  }
}
