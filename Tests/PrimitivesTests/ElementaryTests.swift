import Glibc
import Testing

@testable import Primitives

/// Correctly rounded values on every machine, the edges, and relations that hold exactly.
@Suite struct ElementaryTests {
  struct Point {
    var name: String
    var arguments: [Double]
    var result: Double
  }

  static let reference: [Point] = elementaryReference.split { $0 == "\n" || $0 == ";" }.map {
    let fields = $0.split(separator: " ")
    let numbers = fields.dropFirst().map { Double(bitPattern: UInt64($0, radix: 16) ?? 0) }
    return Point(
      name: String(fields[0]), arguments: numbers.dropLast(), result: numbers.last ?? .nan)
  }

  @Test(arguments: [("exp", 1.0), ("log", 1), ("cos", 2), ("pow", 2)])
  func agreesWithTheTable(_ name: String, _ limit: Double) {
    var count = 0
    for point in Self.reference where point.name == name {
      let x = point.arguments[0]
      let value =
        switch name {
        case "exp": Elementary.exp(x)
        case "log": Elementary.log(x)
        case "cos": Elementary.cos(x)
        default: Elementary.pow(x, point.arguments[1])
        }
      // The table is rounded: half a unit more than the error itself.
      let error = (value - point.result).magnitude / max(point.result.magnitude, 0x1p-1022).ulp
      #expect(value == point.result || error <= limit, "\(name) of \(point.arguments)")
      count += 1
    }
    #expect(count > 160)
  }

  /// Of two numbers at once it gives what it gives of each, bit for bit.
  @Test func expOfTwoIsThatOfEach() {
    let points = Self.reference.filter { $0.name == "exp" }.map { $0.arguments[0] }
    let edges = [0, -0.0, 1e-300, 511.9, 512, 709.79, -745.14, .infinity, -.infinity]
    var bits = SplitMix64(seed: 11)
    let drawn = (0..<20_000).map { _ in (bits.uniform() - 0.5) * 40 }
    let all = points + edges + drawn
    for (x, y) in zip(all, all.dropFirst() + all.prefix(1)) {
      let both = Elementary.exp(SIMD2(x, y))
      #expect(both[0].bitPattern == Elementary.exp(x).bitPattern, "\(x) beside \(y)")
      #expect(both[1].bitPattern == Elementary.exp(y).bitPattern, "\(y) beside \(x)")
    }
  }

  @Test func valuesAtTheEdges() {
    #expect(Elementary.exp(0) == 1)
    #expect(Elementary.exp(-.infinity) == 0)
    #expect(Elementary.exp(.infinity) == .infinity)
    #expect(Elementary.exp(709.79) == .infinity)
    #expect(Elementary.exp(-745.14) == 0)
    #expect(Elementary.exp(.leastNonzeroMagnitude) == 1)
    #expect(Elementary.exp(.nan).isNaN)
    #expect(Elementary.log(1) == 0)
    #expect(Elementary.log(0) == -.infinity)
    #expect(Elementary.log(-0.0) == -.infinity)
    #expect(Elementary.log(.infinity) == .infinity)
    #expect(Elementary.log(-1).isNaN)
    #expect(Elementary.log(-.infinity).isNaN)
    #expect(Elementary.log(.nan).isNaN)
    #expect(Elementary.log1p(-1) == -.infinity)
    #expect(Elementary.log1p(-2).isNaN)
    #expect(Elementary.log1p(.infinity) == .infinity)
    #expect(Elementary.log1p(1e-300) == 1e-300)
    #expect(Elementary.log1p(-0.0).sign == .minus)
    #expect(Elementary.cos(0) == 1)
    #expect(Elementary.cos(.infinity).isNaN)
    #expect(Elementary.cos(.nan).isNaN)
  }

  /// The C library's answers are exact in special cases, so they serve as the reference.
  @Test func specialPowersAreThoseOfC() {
    let values: [Double] = [
      0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 2.5, -2.5, .infinity, -.infinity, .nan, 1e300,
      -1e300, 1e-300, 0x1p53, 0x1p53 + 2, -0x1p53 - 2, 0x1p70, .leastNonzeroMagnitude,
    ]
    for x in values {
      for y in values {
        let (ours, theirs) = (Elementary.pow(x, y), Glibc.pow(x, y))
        let same =
          ours == theirs && ours.sign == theirs.sign || ours.isNaN && theirs.isNaN
          || (ours - theirs).magnitude <= 2 * theirs.ulp
        #expect(same, "pow(\(x), \(y)) is \(ours), not \(theirs)")
      }
    }
  }

  @Test func powersOfTwoAreExact() {
    for n in -1074...1023 { #expect(Elementary.pow(2, Double(n)) == scalbn(1.0, Int32(n))) }
  }

  @Test func logarithmAndExponentialKeepOrder() {
    // Neighbours across the borders of the tables' lines may be equal but never out of order.
    for line in 1..<128 {
      let x = 0.6875 + Double(line) / 256
      #expect(Elementary.log(x.nextDown) <= Elementary.log(x))
      let y = (Double(line) - 0.5) * 0.693147180559945 / 128
      #expect(Elementary.exp(y.nextDown) <= Elementary.exp(y.nextUp))
    }
  }
}

@Suite struct SpecialFunctionTests {
  static let rows: [(name: String, numbers: [Double])] =
    specialReference.split(separator: "\n").map {
      let fields = $0.split(separator: " ")
      return (String(fields[0]), fields.dropFirst().map { Double($0) ?? .nan })
    }

  private func expectClose(_ name: String, relative: Double, _ f: ([Double]) -> Double) {
    var count = 0
    for row in Self.rows where row.name == name {
      let exact = row.numbers[row.numbers.count - 1]
      let value = f(row.numbers)
      let scale = max(exact.magnitude, name == "logGamma" ? 1 : 0)
      #expect(
        (value - exact).magnitude <= relative * scale, "\(name) \(row.numbers) is \(value)")
      count += 1
    }
    #expect(count >= 12)
  }

  @Test func logGamma() {
    expectClose("logGamma", relative: 1e-14) { Elementary.logGamma($0[0]) }
    #expect(Elementary.logGamma(0) == .infinity)
    #expect(Elementary.logGamma(-1).isNaN)
  }

  @Test func incompleteGamma() {
    expectClose("gammaP", relative: 1e-12) { Elementary.regularizedGammaP($0[0], $0[1]) }
    // Where Q = 1 - P is taken from P, its digits are absolute.
    for row in Self.rows where row.name == "gammaQ" {
      let value = Elementary.regularizedGammaQ(row.numbers[0], row.numbers[1])
      let allowed = row.numbers[1] >= row.numbers[0] + 1 ? 1e-12 * row.numbers[2] : 1e-13
      #expect((value - row.numbers[2]).magnitude <= allowed, "Q \(row.numbers) is \(value)")
    }
  }

  @Test func inverseIncompleteGamma() {
    for shape in [0.02, 0.3, 1, 2.5, 9.9, 10, 80, 1e4] {
      for p in [1e-10, 1e-3, 0.2, 0.5, 0.9, 0.9999, 1 - 0x1p-40] {
        let x = Elementary.inverseRegularizedGammaP(shape, p)
        guard x > 1e-290 else { continue }
        let back = Elementary.regularizedGammaP(shape, x)
        let error = p < 0.5 ? (back - p) / p : (back - p) / (1 - p)
        #expect(error.magnitude < (p > 0.99 ? 1e-3 : 1e-11), "shape \(shape) p \(p): \(back)")
      }
    }
    #expect(Elementary.inverseRegularizedGammaP(2, 0) == 0)
    #expect(Elementary.inverseRegularizedGammaP(2, 1) == .infinity)
    // The exponential distribution has a closed form.
    let x = Elementary.inverseRegularizedGammaP(1, 0.99)
    #expect((x - 4.605170185988091).magnitude < 1e-12)
  }

  @Test func normal() {
    expectClose("normalCDF", relative: 1e-12) { Elementary.normalCDF($0[0]) }
    expectClose("normalQuantile", relative: 4e-15) { Elementary.normalQuantile($0[0]) }
    #expect(Elementary.normalQuantile(0) == -.infinity)
    #expect(Elementary.normalQuantile(1) == .infinity)
    #expect(Elementary.normalQuantile(1.5).isNaN)
  }
}
