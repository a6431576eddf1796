import Testing

@testable import Primitives

/// Draws against the exact laws, with fixed keys: each bound is some four standard errors.
@Suite struct ZigguratTests {
  /// A build without optimisation takes a tenth of the draws.
  #if DEBUG
    static let count = 100_000
  #else
    static let count = 1_000_000
  #endif

  @Test func layersHaveEqualAreas() {
    let area = (ZigguratTables.exponentialEdges[1] + 1) * ZigguratTables.exponentialHeights[1]
    for i in 1..<256 {
      let height = ZigguratTables.exponentialHeights[i + 1] - ZigguratTables.exponentialHeights[i]
      #expect((ZigguratTables.exponentialEdges[i] * height - area).magnitude < 1e-15)
    }
    // Marsaglia and Tsang's published constants.
    #expect((ZigguratTables.exponentialEdges[1] - 7.69711747013104972).magnitude < 1e-14)
    #expect((ZigguratTables.normalEdges[1] - 3.6541528853610088).magnitude < 1e-14)
    #expect((area - 0.0039496598225815571993).magnitude < 1e-17)
    let r = ZigguratTables.normalEdges[1]
    let tail = (2 * 3.141592653589793).squareRoot() * Elementary.normalCDF(-r)
    let normalArea = r * ZigguratTables.normalHeights[1] + tail
    #expect((normalArea - 0.00492867323399).magnitude < 1e-13)
    for i in 1..<256 {
      let height = ZigguratTables.normalHeights[i + 1] - ZigguratTables.normalHeights[i]
      #expect((ZigguratTables.normalEdges[i] * height - normalArea).magnitude < 1e-16)
    }
  }

  @Test func exponentialHasItsLaw() {
    var source = Xoshiro256PlusPlus(seed: 2024)
    let draws = (0..<Self.count).map { _ in ZigguratExponential.sample(using: &source) }
    #expect(draws.allSatisfy { $0 >= 0 })
    let n = Double(Self.count)
    let mean = draws.reduce(0, +) / n
    let second = draws.reduce(0) { $0 + $1 * $1 } / n
    #expect((mean - 1).magnitude < 4 / n.squareRoot())
    #expect((second - 2).magnitude < 4 * (20 / n).squareRoot())
    #expect(kolmogorovSmirnov(draws) { 1 - Elementary.exp(-$0) } < 1.95 / n.squareRoot())
    // Beyond the layers: e^-7.697 of the draws, and the same law again.
    let tail = draws.filter { $0 > ZigguratTables.exponentialEdges[1] }
    let expected = n * Elementary.exp(-ZigguratTables.exponentialEdges[1])
    #expect((Double(tail.count) - expected).magnitude < 4 * expected.squareRoot())
    let beyond = tail.reduce(0) { $0 + $1 - ZigguratTables.exponentialEdges[1] }
    let beyondMean = beyond / Double(tail.count)
    #expect((beyondMean - 1).magnitude < 4 / Double(tail.count).squareRoot())
  }

  @Test func normalHasItsLaw() {
    var source = Xoshiro256PlusPlus(seed: 2025)
    let draws = (0..<Self.count).map { _ in ZigguratNormal.sample(using: &source) }
    let n = Double(Self.count)
    let moments = (1...4).map { power in
      draws.reduce(0) { sum, x in sum + (1..<power).reduce(x) { product, _ in product * x } } / n
    }
    #expect(moments[0].magnitude < 4 / n.squareRoot())
    #expect((moments[1] - 1).magnitude < 4 * (2 / n).squareRoot())
    #expect(moments[2].magnitude < 4 * (15 / n).squareRoot())
    #expect((moments[3] - 3).magnitude < 4 * (96 / n).squareRoot())
    #expect(kolmogorovSmirnov(draws, Elementary.normalCDF) < 1.95 / n.squareRoot())
    let tail = draws.filter { $0.magnitude > ZigguratTables.normalEdges[1] }
    let expected = 2 * n * Elementary.normalCDF(-ZigguratTables.normalEdges[1])
    #expect((Double(tail.count) - expected).magnitude < 4 * expected.squareRoot())
  }

  /// The two laws in 200 cells of equal probability, which sees a wrong wedge that moments do not.
  @Test func cellsAreEquallyFull() {
    var source = KeyedStream(key: 77, index: 1)
    var exponential = [Int](repeating: 0, count: 200)
    var normal = exponential
    for _ in 0..<Self.count {
      let e = 1 - Elementary.exp(-ZigguratExponential.sample(using: &source))
      exponential[min(199, Int(e * 200))] += 1
    }
    let borders = (1..<200).map { Elementary.normalQuantile(Double($0) / 200) }
    for _ in 0..<Self.count {
      let z = ZigguratNormal.sample(using: &source)
      var (low, high) = (0, 199)
      while low < high {
        let middle = (low + high) / 2
        if borders[middle] <= z { low = middle + 1 } else { high = middle }
      }
      normal[low] += 1
    }
    // 199 degrees of freedom: 99.99 % lie below 281.
    #expect(chiSquare(exponential) < 281)
    #expect(chiSquare(normal) < 281)
  }

  private func chiSquare(_ counts: [Int]) -> Double {
    let expected = Double(Self.count) / Double(counts.count)
    return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }
}

/// The largest distance between the empirical and an exact distribution function.
func kolmogorovSmirnov(_ draws: [Double], _ cumulative: (Double) -> Double) -> Double {
  let n = Double(draws.count)
  var worst = 0.0
  for (index, x) in draws.sorted().enumerated() {
    let exact = cumulative(x)
    worst = max(worst, exact - Double(index) / n, Double(index + 1) / n - exact)
  }
  return worst
}
