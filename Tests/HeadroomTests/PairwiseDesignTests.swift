import Testing

@testable import Planning

/// Designs in which every two settings meet.
@Suite struct PairwiseDesignTests {
  private struct Pair: Hashable {
    var a: Int
    var levelA: Int
    var b: Int
    var levelB: Int
  }

  private static func pairs(_ rows: [[Int]]) -> Set<Pair> {
    var found: Set<Pair> = []
    for row in rows {
      for a in row.indices {
        for b in row.indices where b > a {
          found.insert(Pair(a: a, levelA: row[a], b: b, levelB: row[b]))
        }
      }
    }
    return found
  }

  private static func product(_ levels: [Int]) -> [[Int]] {
    levels.reduce([[]]) { rows, count in rows.flatMap { row in (0..<count).map { row + [$0] } } }
  }

  @Test(arguments: [0, 1, 7] as [UInt64]) func everyPossiblePairMeets(variant: UInt64) {
    let levels = [4, 3, 3, 2]
    // Two settings that cannot be together.
    let isPossible = { (row: [Int]) in !(row[0] == 1 && row[2] == 2) }
    let design = PairwiseDesign(levels: levels, variant: variant, isPossible: isPossible)
    #expect(design.rows.allSatisfy(isPossible))
    let possible = Self.product(levels).filter(isPossible)
    #expect(Self.pairs(design.rows) == Self.pairs(possible))
    #expect(design.impossiblePairs == 1)
    // No fewer rows can do than the two largest axes have pairs, and greed needs little more.
    #expect(design.rows.count >= 11 && design.rows.count <= 16, "\(design.rows.count)")
  }

  @Test func aDesignIsTheSameAgain() {
    let one = PairwiseDesign(levels: [3, 3, 3], variant: 1) { _ in true }
    let two = PairwiseDesign(levels: [3, 3, 3], variant: 1) { _ in true }
    let other = PairwiseDesign(levels: [3, 3, 3], variant: 2) { _ in true }
    #expect(one.rows == two.rows && one.rows != other.rows)
  }

  @Test func oneAxisHasNoPairs() {
    #expect(PairwiseDesign(levels: [5]) { _ in true }.rows.isEmpty)
    #expect(PairwiseDesign(levels: [2, 2]) { _ in false }.rows.isEmpty)
  }

  // MARK: The published design

  @Test func theDesignOfFidelityHasEveryRegimeOnEveryAxis() {
    let cells = FidelityCrossing.published + FidelityCrossing.confirming
    #expect(cells.count <= 300 && Set(cells).count > FidelityCrossing.published.count)
    for regime in FidelityCrossing.Regime.allCases {
      let some = FidelityCrossing.published.filter { $0.regime == regime }
      #expect(Set(some.map(\.law)).count == 3)
      #expect(Set(some.map(\.concurrency)).count == 3)
      #expect(Set(some.map(\.utilisation)).count == FidelityCrossing.utilisations.count)
      #expect(Set(some.map(\.rate)).count >= 5, "\(regime)")
      #expect(some.allSatisfy { $0.meanService <= 30 && $0.isPossible })
    }
  }

  @Test(arguments: FidelityCrossing.Regime.allCases)
  func everyRegimeRunsInAllWays(_ regime: FidelityCrossing.Regime) throws {
    let cell = try #require(
      FidelityCrossing.published.filter { $0.regime == regime && $0.rate <= 100 }
        .min { $0.rate * Double($0.judgedSeconds) < $1.rate * Double($1.judgedSeconds) })
    let rows = try #require(
      try FidelityStudy(cells: [cell], seeds: 2, threads: 2).run { _, _ in true })
    let row = rows[0]
    #expect(row.runs.count == 3)
    for seed in 0..<2 {
      #expect(row.runs[0][seed].arrivals == row.runs[1][seed].arrivals)
      #expect(row.runs[0][seed].arrivals == row.runs[2][seed].arrivals)
      #expect(row.runs[0][seed].arrivals > 0)
      #expect(!row.runs[0][seed].isFlow)
    }
    let text = try FidelityDocument(rows: rows, seeds: 2).text()
    #expect(text.contains("| \(regime.rawValue) |"))
  }
}
