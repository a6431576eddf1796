import Foundation
import Primitives
import Statistics
import Testing

@Suite struct SequentialTests {
  private struct BoundsCase: Decodable {
    let alpha: Double
    let seeds: [Int]
    let cumulativeAlpha: [Double]?
    let z: [Double]
    let tQuantile: [Double]
    let halfwidthOverS: [Double]?
  }

  @Test(arguments: [("power_spending_bounds", 9), ("power_spending_other_budgets", 3)])
  func powerSpendingTables(group: String, count: Int) throws {
    let rows = try ReferenceTables.cases(group, as: BoundsCase.self)
    #expect(rows.count == count)
    for row in rows {
      // The alpha of the table is already divided by its family.
      let alpha = row.alpha
      let plan = try SpendingPlan(looks: row.seeds, alpha: alpha, nodes: 128)
      for (index, seeds) in row.seeds.enumerated() {
        #expect(abs(plan.z[index] - row.z[index]) < 0.0002, "\(seeds) of \(alpha)")
        let quantile = plan.tQuantile[index]
        #expect(abs(quantile - row.tQuantile[index]) < 0.0005, "\(seeds) of \(alpha)")
        if let spent = row.cumulativeAlpha {
          #expect(agrees(plan.cumulativeAlpha[index], spent[index], relative: 1e-8))
        }
        if let half = row.halfwidthOverS {
          #expect(agrees(quantile / Double(seeds).squareRoot(), half[index], relative: 1e-4))
        }
      }
    }
  }

  private struct LanDeMetsCase: Decodable {
    let spending: String
    let alphaTwoSided: Double
    let fractions: [Double]
    let z: [Double]
  }

  @Test func lanDeMetsTable() throws {
    let rows = try ReferenceTables.cases("lan_demets_five_looks", as: LanDeMetsCase.self)
    #expect(rows.count == 2)
    for row in rows {
      let spending: ErrorSpending =
        row.spending == "pocock_type" ? .pocock : .obrienFleming
      let spent = try row.fractions.map { try spending.spent(at: $0, alpha: row.alphaTwoSided) }
      let z = try SpendingPlan.bounds(fractions: row.fractions, cumulativeAlpha: spent, nodes: 128)
      for (value, expected) in zip(z, row.z) { #expect(abs(value - expected) < 0.0005) }
    }
  }

  private struct ConstantsCase: Decodable {
    let looks: Int
    let alphaTwoSided: Double
    let obrienFlemingFinalZ: Double
    let pocockZ: Double
  }

  /// The constants of equally spaced looks spend exactly alpha.
  @Test func groupSequentialConstantsTable() throws {
    let rows = try ReferenceTables.cases("group_sequential_constants", as: ConstantsCase.self)
    #expect(rows.count == 5)
    for row in rows {
      let fractions = (1...row.looks).map { Double($0) / Double(row.looks) }
      let pocock = try SpendingPlan.crossingProbability(
        fractions: fractions, z: fractions.map { _ in row.pocockZ }, nodes: 128)
      let fleming = try SpendingPlan.crossingProbability(
        fractions: fractions, z: fractions.map { row.obrienFlemingFinalZ / $0.squareRoot() },
        nodes: 128)
      #expect(agrees(pocock, row.alphaTwoSided, relative: 1e-4))
      #expect(agrees(fleming, row.alphaTwoSided, relative: 1e-4))
    }
  }

  private struct VerdictCase: Decodable {
    struct Look: Decodable {
      let seeds: Int
      let mean: Double
      let sd: Double
      let lower: Double
      let upper: Double
      let verdict: String
    }
    let name: String
    let differences: [Double]
    let tolerance: Double
    let alpha: Double
    let budgetSeeds: Int
    let looks: [Look]
  }

  @Test func pairedVerdictsTable() throws {
    let rows = try ReferenceTables.cases("paired_verdicts", as: VerdictCase.self)
    #expect(rows.count == 4)
    for row in rows {
      let plan = try SpendingPlan(budget: row.budgetSeeds, alpha: row.alpha, nodes: 128)
      let looks = try SequentialComparison(plan: plan, tolerance: row.tolerance)
        .looks(row.differences)
      #expect(looks.count == row.looks.count, "\(row.name)")
      for (look, expected) in zip(looks, row.looks) {
        #expect(look.seeds == expected.seeds)
        #expect(look.verdict.rawValue == expected.verdict, "\(row.name)")
        #expect(abs(look.interval.mean - expected.mean) < 1e-8)
        #expect(abs(look.standardDeviation - expected.sd) < 1e-8)
        #expect(abs(look.interval.low - expected.lower) < 1e-4)
        #expect(abs(look.interval.high - expected.upper) < 1e-4)
      }
    }
  }

  /// The proof of the error: 1,000 comparisons whose truth lies exactly on the tolerance. The same
  /// looks with a plain 95 % interval overrun the limit, so this test can fail.
  @Test func verdictsOnTheToleranceKeepTheirError() throws {
    let plan = try SpendingPlan(nodes: 64)
    let comparison = try SequentialComparison(plan: plan, tolerance: 1)
    var source = Xoshiro256PlusPlus(seed: 4_242)
    var (wrong, wrongIfPlain) = (0, 0)
    for _ in 0..<1000 {
      let values = (0..<plan.budget).map { _ in 1 + 2 * ZigguratNormal.sample(using: &source) }
      if try comparison.looks(values).last?.verdict != .undecided { wrong += 1 }
      let plain = try plan.looks.contains { seeds in
        let interval = try MeanInterval.t(Array(values.prefix(seeds)))
        return interval.low > 1 || interval.high < 1
      }
      if plain { wrongIfPlain += 1 }
    }
    let limit = try Proportion.mostExplained(byRateAtMost: 0.05, trials: 1000)
    #expect(wrong <= limit)
    #expect(wrongIfPlain > limit)
  }

  @Test func effectsOfTwiceTheToleranceAreFound() throws {
    let plan = try SpendingPlan(nodes: 64)
    let comparison = try SequentialComparison(plan: plan, tolerance: 1)
    var source = Xoshiro256PlusPlus(seed: 99)
    var found = 0
    for _ in 0..<400 {
      let values = (0..<plan.budget).map { _ in 2 + 3 * ZigguratNormal.sample(using: &source) }
      if try comparison.looks(values).last?.verdict == .worse { found += 1 }
    }
    #expect(found >= (try Proportion.fewestExplained(byRateAtLeast: 0.9, trials: 400)))
  }

  /// Differences that are nearly all equal must not collapse the interval into a verdict.
  @Test func sparseDifferencesAreHeldBack() throws {
    let plan = try SpendingPlan(nodes: 64)
    let comparison = try SequentialComparison(plan: plan, tolerance: 1)
    var values = [Double](repeating: 0, count: 192)
    values[3] = 0.5
    let looks = try comparison.looks(values)
    #expect(looks.count == 10)
    #expect(looks.allSatisfy { $0.verdict == .undecided && $0.heldBackAsSparse })
    let identical = try comparison.looks(values.map { _ in 0 }, areIdentical: true)
    #expect(identical.map(\.verdict) == [.identical])
    for index in 0..<5 { values[index] = 0.01 * Double(index + 1) }
    #expect(try comparison.looks(values).first?.verdict == .same)
  }

  @Test func aFamilyOfOneIsASingleComparison() throws {
    let family = try SequentialFamily(metrics: 1)
    let comparison = try SequentialComparison(plan: SpendingPlan(), tolerance: 1)
    var source = Xoshiro256PlusPlus(seed: 5)
    for _ in 0..<20 {
      let values = (0..<192).map { _ in 1.5 + ZigguratNormal.sample(using: &source) }
      let decision = try family.decide(differences: [values], tolerances: [1])[0]
      let last = try #require(try comparison.looks(values).last)
      #expect(decision.verdict == last.verdict)
      #expect(decision.seeds == last.seeds)
      #expect(decision.interval == last.interval)
    }
  }

  /// A clear metric pays for a borderline one: it leaves, and the other is judged at a wider alpha.
  @Test func holmStepsOverMetricsKeepTheFamilyError() throws {
    let family = try SequentialFamily(metrics: 4)
    var source = Xoshiro256PlusPlus(seed: 31)
    var familiesWithAnError = 0
    for _ in 0..<200 {
      let metrics = (0..<4).map { _ in
        (0..<192).map { _ in 1 + 2 * ZigguratNormal.sample(using: &source) }
      }
      let decisions = try family.decide(differences: metrics, tolerances: [1, 1, 1, 1])
      if decisions.contains(where: { $0.verdict != .undecided }) { familiesWithAnError += 1 }
    }
    let limit = try Proportion.mostExplained(byRateAtMost: 0.05, trials: 200)
    #expect(familiesWithAnError <= limit)
  }

  @Test func schedulesThatDoNotRiseAreRefused() {
    #expect(throws: StatisticsError.self) { try SpendingPlan(looks: [8, 8]) }
    #expect(throws: StatisticsError.self) { try SpendingPlan(looks: [1, 8]) }
    #expect(throws: StatisticsError.self) { try SpendingPlan(looks: [8, 16], budget: 12) }
    #expect(throws: StatisticsError.self) { try SpendingPlan(looks: []) }
  }
}
