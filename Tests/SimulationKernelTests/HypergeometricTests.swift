import Primitives
import SimulationKernel
import Testing

/// Draws without putting back: against the law by whole numbers, and its moments.
@Suite struct HypergeometricTests {
  private static func choose(_ n: Int, _ k: Int) -> Double {
    guard k >= 0, k <= n else { return 0 }
    return (0..<k).reduce(1.0) { $0 * Double(n - $1) / Double($1 + 1) }
  }

  private static func count(_ drawn: Int, of all: Int, marked: Int, uniform: Double) -> Int {
    Int(
      Counts.hypergeometric(
        draws: UInt64(drawn), marked: UInt64(marked), of: UInt64(all), uniform: uniform))
  }

  @Test(arguments: [(5, 12, 4), (9, 10, 9), (3, 40, 38), (7, 7 + 6, 6), (1, 2, 1)])
  func fewAreDrawnByTheLaw(drawn: Int, all: Int, marked: Int) {
    let points = 200_000
    var counts: [Int: Int] = [:]
    for point in 0..<points {
      let uniform = (Double(point) + 0.5) / Double(points)
      let count = Self.count(drawn, of: all, marked: marked, uniform: uniform)
      counts[count, default: 0] += 1
    }
    for count in 0...drawn {
      let expected =
        Self.choose(marked, count) * Self.choose(all - marked, drawn - count)
        / Self.choose(all, drawn)
      #expect(abs(Double(counts[count, default: 0]) / Double(points) - expected) < 2e-5, "\(count)")
    }
  }

  @Test(arguments: [
    (1000, 5000, 2000), (900, 1000, 30), (990, 1000, 500), (20, 100_000, 99_000), (60, 200, 130),
  ])
  func manyHaveItsMoments(drawn: Int, all: Int, marked: Int) {
    let points = 100_000
    var (sum, square) = (0.0, 0.0)
    var last = 0
    for point in 0..<points {
      let uniform = (Double(point) + 0.5) / Double(points)
      let count = Self.count(drawn, of: all, marked: marked, uniform: uniform)
      #expect(count >= last && count <= min(drawn, marked) && drawn - count <= all - marked)
      last = count
      sum += Double(count)
      square += Double(count) * Double(count)
    }
    let mean = sum / Double(points)
    let share = Double(marked) / Double(all)
    let variance = Double(drawn) * share * (1 - share) * Double(all - drawn) / Double(all - 1)
    #expect(abs(mean - Double(drawn) * share) < 0.01, "\(mean)")
    #expect(
      abs(square / Double(points) - mean * mean - variance) < 0.02 * variance + 0.09, "\(variance)")
  }
}
