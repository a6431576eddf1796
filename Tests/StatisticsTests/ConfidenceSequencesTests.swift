import Foundation
import Statistics
import Testing

@Suite struct ConfidenceSequencesTests {
  private struct PublishedCase: Decodable {
    let quantity: String
    let value: Double
    let vOpt: Double
    let alpha: Double?
    let alphaOpt: Double?
    let s: Double?
    let v: Double?
  }

  @Test func normalMixturePublished() throws {
    typealias Mixture = ConfidenceSequences.NormalMixture
    let rows = try ReferenceTables.cases("normal_mixture_published", as: PublishedCase.self)
    #expect(rows.count == 3)
    for row in rows {
      let rho = Mixture.rho(
        bestAt: row.vOpt, alpha: try #require(row.alphaOpt ?? row.alpha))
      let value =
        switch row.quantity {
        case "best_rho_two_sided": rho
        case "two_sided_normal_log_mixture":
          Mixture.logMixture(
            sum: try #require(row.s), variance: try #require(row.v), rho: rho)
        default:
          Mixture.bound(
            variance: try #require(row.v), rho: rho, alpha: try #require(row.alpha))
        }
      #expect(abs(value - row.value) < 1e-5, "\(row.quantity)")
    }
  }

  private struct ComputedCase: Decodable {
    let quantity: String
    let value: Double
    let alpha: Double
    let nOpt: Double?
    let n: Int?
    let rho2: Double?
    let g: Double?
  }

  @Test func asymptoticAndTMixture() throws {
    let rows = try ReferenceTables.cases(
      "asymptotic_and_t_confidence_sequences", as: ComputedCase.self)
    #expect(rows.count == 16)
    for row in rows {
      let value: Double
      if let best = row.nOpt {
        value = try ConfidenceSequences.asymptoticRhoSquared(bestAt: best, alpha: row.alpha)
      } else if let rho = row.rho2 {
        value = ConfidenceSequences.asymptoticHalfWidth(
          n: try #require(row.n), rhoSquared: rho, alpha: row.alpha)
      } else {
        value = ConfidenceSequences.tMixtureHalfWidth(
          n: try #require(row.n), g: try #require(row.g), alpha: row.alpha)
      }
      #expect(agrees(value, row.value, relative: 1e-8), "\(row.quantity)")
    }
    #expect(ConfidenceSequences.tMixtureHalfWidth(n: 2, g: 0.2, alpha: 0.05) == .infinity)
  }
}
