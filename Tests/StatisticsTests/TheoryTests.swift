import Foundation
import Statistics
import Testing

@Suite struct TheoryTests {
  private struct ClosedForms: Decodable {
    struct Triples: Decodable { let cases: [[Double]] }
    struct Sparse: Decodable {
      let lambdaT: [Double]
      let pCold: [Double]
    }
    let sparseKeepAlive: Sparse
    let erlangB: Triples
    let erlangC: Triples
    let zoneLoss: Triples
    let warmPoolLost: Triples
    let warmPoolBackorder: Triples
  }

  @Test func closedFormsOfQueuesAndPools() throws {
    let forms = try ReferenceTables.closedForms(as: ClosedForms.self)
    for row in forms.erlangB.cases {
      let value = try Erlang.blocking(offeredLoad: row[0], servers: Int(row[1]))
      #expect(agrees(value, row[2], relative: 1e-12))
    }
    for row in forms.erlangC.cases {
      let value = try Erlang.waiting(offeredLoad: row[0], servers: Int(row[1]))
      let mean = try Erlang.meanWait(offeredLoad: row[0], servers: Int(row[1]))
      #expect(agrees(value, row[2], relative: 1e-12))
      #expect(agrees(mean, row[3], relative: 1e-12))
    }
    for row in forms.zoneLoss.cases {
      #expect(agrees(try WarmPool.zoneLossFactor(zones: Int(row[0])), row[1], relative: 1e-15))
    }
    for row in forms.warmPoolLost.cases {
      let value = try WarmPool.missLost(outstandingLoad: row[0], pods: Int(row[1]))
      #expect(agrees(value, row[2], relative: 1e-12))
    }
    for row in forms.warmPoolBackorder.cases {
      let value = try WarmPool.missBackorder(outstandingLoad: row[0], pods: Int(row[1]))
      #expect(agrees(value, row[2], relative: 1e-12))
    }
    for (rate, cold) in zip(forms.sparseKeepAlive.lambdaT, forms.sparseKeepAlive.pCold) {
      let value = KeepAlive.coldStartProbability(arrivalsPerIdleTime: rate)
      #expect(agrees(value, cold, relative: 1e-14))
      let idle = KeepAlive.meanIdleInstances(arrivalsPerIdleTime: rate)
      #expect(agrees(idle, 1 - cold, relative: 1e-12))
    }
  }

  private struct BaseStockCase: Decodable {
    enum Servers: Decodable, Equatable {
      case unlimited
      case limited(Int)
      init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        self = (try? .limited(box.decode(Int.self))) ?? .unlimited
      }
    }
    let demand: String
    let refillServers: Servers
    let pool: [Int]
    let pMiss: [Double?]
  }

  /// Single Poisson demand of rate 2 with refills of mean 5; batches and on/off demand have no
  /// counterpart here.
  @Test func baseStockTableForPoissonDemand() throws {
    let rows = try ReferenceTables.cases("base_stock_exact", as: BaseStockCase.self)
      .filter { $0.demand == "poisson" }
    #expect(rows.count == 2)
    for row in rows {
      for (pods, expected) in zip(row.pool, row.pMiss) {
        let value =
          switch row.refillServers {
          case .unlimited: try WarmPool.missBackorder(outstandingLoad: 10, pods: pods)
          case .limited(let servers):
            try WarmPool.missBackorder(outstandingLoad: 10, pods: pods, parallelRefills: servers)
          }
        #expect(agrees(value, try #require(expected), relative: 1e-5))
      }
    }
  }

  /// Below the number of servers the tail is a sum: it must meet 1 at an empty pool, and the
  /// unlimited curve when servers are many.
  @Test func limitedRefillsBelowTheirServers() throws {
    let all = try WarmPool.missBackorder(outstandingLoad: 3, pods: 0, parallelRefills: 5)
    #expect(all == 1)
    let one = try WarmPool.missBackorder(outstandingLoad: 3, pods: 1, parallelRefills: 5)
    // M/M/5 at load 3, from the textbook sum: the last term carries the waiting states.
    let terms: [Double] = [1, 3, 9.0 / 2, 27.0 / 6, 81.0 / 24, 243.0 / 120 / (1 - 0.6)]
    let empty = 1 / terms.reduce(0, +)
    #expect(agrees(one, 1 - empty, relative: 1e-12))
    for pods in [1, 5, 12] {
      let many = try WarmPool.missBackorder(outstandingLoad: 3, pods: pods, parallelRefills: 60)
      let unlimited = try WarmPool.missBackorder(outstandingLoad: 3, pods: pods)
      #expect(agrees(many, unlimited, relative: 1e-9))
    }
    #expect(try WarmPool.missBackorder(outstandingLoad: 6, pods: 99, parallelRefills: 5) == 1)
  }

  private struct SmallestPoolCase: Decodable {
    let outstandingMean: Double
    let target: Double
    let pool: Int
    let pMiss: Double
    let pMissOneLess: Double
  }

  @Test func smallestPoolTable() throws {
    let rows = try ReferenceTables.cases("base_stock_smallest_pool", as: SmallestPoolCase.self)
    #expect(rows.count == 19)
    for row in rows {
      let load = row.outstandingMean
      let pods = try WarmPool.smallest(target: row.target) { pods throws(StatisticsError) in
        try WarmPool.missBackorder(outstandingLoad: load, pods: pods)
      }
      #expect(pods == row.pool)
      let miss = try WarmPool.missBackorder(outstandingLoad: load, pods: pods)
      let before = try WarmPool.missBackorder(outstandingLoad: load, pods: pods - 1)
      #expect(agrees(miss, row.pMiss, relative: 1e-7))
      #expect(agrees(before, row.pMissOneLess, relative: 1e-7))
    }
  }

  private struct MixedCase: Decodable {
    let gammaShape: Double
    let outstandingMean: Double
    let pool: Int
    let pMissDemand: Double
    let pMissTime: Double
  }

  @Test func dayFactorTable() throws {
    let rows = try ReferenceTables.cases("mixed_poisson_exact", as: MixedCase.self)
    #expect(rows.count == 7)
    for row in rows {
      let load = row.outstandingMean
      let demand = try WarmPool.missBackorder(
        outstandingLoad: load, pods: row.pool, dayFactorShape: row.gammaShape)
      let time = try WarmPool.missBackorder(
        outstandingLoad: load, pods: row.pool, dayFactorShape: row.gammaShape, weight: .time)
      #expect(agrees(demand, row.pMissDemand, relative: 1e-7))
      #expect(agrees(time, row.pMissTime, relative: 1e-7))
    }
  }

  private struct HeadroomCase: Decodable {
    let servers: Int
    let baseOffered: Double
    let objective: String
    let limit: Double
    let x: Double
    let headroom: Double
  }

  @Test func headroomTable() throws {
    let rows = try ReferenceTables.cases("headroom_truth_mmc", as: HeadroomCase.self)
    #expect(rows.count == 20)
    for row in rows {
      let objective: LoadFactor.Objective =
        row.objective == "mean_wait"
        ? .meanWait(limit: row.limit) : .waitAbove(time: row.x, limit: row.limit)
      let factor = try LoadFactor.largest(
        meeting: objective, servers: row.servers, baseLoad: row.baseOffered)
      #expect(agrees(factor, row.headroom, relative: 1e-9), "\(row)")
    }
  }

  @Test func anObjectiveThatNeverBreaksHasNoRoot() {
    #expect(throws: StatisticsError.self) {
      try LoadFactor.largest(
        meeting: .waitAbove(time: 0, limit: 2), servers: 3, baseLoad: 1)
    }
  }

  /// At a constant rate the average of tails is the tail; a burst is weighed by its demand.
  @Test func conditionalMisses() throws {
    let rates = [Double](repeating: 2, count: 50)
    let means = try ConditionalMisses.meanOutstanding(rates: rates, step: 1, refill: 5)
    #expect(means.allSatisfy { agrees($0, 10, relative: 1e-12) })
    let miss = try ConditionalMisses.missProbability(rates: rates, outstanding: means, pods: 20)
    let exact = try WarmPool.missBackorder(outstandingLoad: 10, pods: 20)
    #expect(agrees(miss, exact, relative: 1e-12))
    // From empty, the mean after time t is 10 (1 - exp(-t / 5)); its average over the first unit
    // follows by integration.
    let rising = try ConditionalMisses.meanOutstanding(
      rates: rates, step: 1, refill: 5, start: 0)
    let average = 10 - 10 * 5 * (1 - exp(-0.2))
    #expect(agrees(rising[0], average, relative: 1e-12))
    #expect(throws: StatisticsError.self) {
      try ConditionalMisses.missProbability(rates: [0], outstanding: [1], pods: 1)
    }
  }
}
