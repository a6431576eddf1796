import Glibc
import Testing

@testable import Primitives

/// Largest errors over keyed points in every binade in use. 2,000 points a binade in an ordinary
/// optimised run, a fiftieth of that where binades differ by the exponent alone;
/// scripts/check-elementary asks for a million.
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

  @Test(arguments: ElementaryRange.all)
  func error(_ range: ElementaryRange) {
    var worst = (ulps: 0.0, at: 0.0)
    mpfr.withNumbers { x, y, z in
      for exponent in range.exponents {
        range.forEachPoint(exponent: exponent, count: points / range.share) { a, b, value in
          mpfr.set(x, a)
          switch range.function {
          case .exp: _ = mpfr.exp(z, x, 0)
          case .log: _ = mpfr.log(z, x, 0)
          case .log1p: _ = mpfr.log1p(z, x, 0)
          case .cos: _ = mpfr.cos(z, x, 0)
          case .pow:
            mpfr.set(y, b)
            _ = mpfr.pow(z, x, y, 0)
          }
          let error = mpfr.compare(z, with: value).ulps
          if error > worst.ulps { worst = (error, a) }
        }
      }
    }
    print("elementary: \(range), \(points / range.share) points a binade: ", terminator: "")
    print("at most \(worst.ulps) ulp, at \(worst.at)")
    #expect(worst.ulps < range.limit)
  }
}
