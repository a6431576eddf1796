import ControlPlane
import Planning
import Platform
import Scenario
import Testing

@testable import Simulation

/// Only pools that there are count as pools.
@Suite struct PoolCountTests {
  /// With pools for one runtime only, starts of the other are neither takes nor misses.
  @Test func aRuntimeWithoutPoolsIsNotCounted() throws {
    let document = try SmallCluster.document(
      SmallCluster.text, ["pools.only=[python]"], objectives: ["pool_misses / pool_takes < 5%"])
    let outcome = try SmallCluster.run(document)
    let tables = RunTables(outcome: outcome, run: 1, document: document)
    #expect(Set(tables.pools().map(\.runtime)) == ["python"])
    #expect(Set(tables.poolSeries().map(\.pool)).isSubset(of: Set(tables.pools().map(\.pool))))
    // The other runtime has starts, all by the fallback.
    let lanes = outcome.collected.laneCounters.indices.filter {
      outcome.configuration.services[outcome.collected.serviceOfLane[$0]].group == "go-online"
    }
    #expect(lanes.reduce(0) { $0 + outcome.collected.laneCounters[$1].coldFallback } > 20)
    #expect(lanes.allSatisfy { outcome.collected.laneCounters[$0].coldPool == 0 })
    let judge = ObjectiveJudge(outcome)
    let takes = try #require(judge.value(named: "pool_takes", runtime: nil))
    #expect(takes > 0)
    #expect(judge.value(named: "pool_takes", runtime: "python") == takes)
    #expect(judge.value(named: "pool_takes", runtime: "go") == nil)
    let judged = try #require(ObjectiveVerdicts.judge(document, [outcome]).first)
    #expect(try #require(judged.value) < 0.9)
  }

  @Test func withoutPoolsNothingIsTaken() throws {
    let document = try SmallCluster.document(
      SmallCluster.text, ["pools.size=none"], objectives: ["pool_misses / pool_takes < 5%"])
    let outcome = try SmallCluster.run(document)
    #expect(outcome.lanes.reduce(0) { $0 + $1.coldFallback } > 0)
    #expect(outcome.collected.poolTakes.allSatisfy { $0 == 0 })
    #expect(RunTables(outcome: outcome, run: 1, document: document).pools().isEmpty)
    let judged = try #require(ObjectiveVerdicts.judge(document, [outcome]).first)
    #expect(judged.verdict == .undecided && judged.value == nil)
  }

  /// A pool of no pods is a pool: every take of it is a miss.
  @Test func anEmptyPoolMisses() throws {
    let document = try SmallCluster.document(SmallCluster.text, ["pools.size=0"])
    let outcome = try SmallCluster.run(document)
    let takes = outcome.collected.poolTakes.reduce(0, +)
    #expect(takes > 50)
    #expect(outcome.collected.poolMisses.reduce(0, +) == takes)
  }

  /// A service that wants no pool has its pods made, beside services of the same runtime and shape
  /// that take theirs from a full pool.
  @Test func aServiceMayWantNoPool() throws {
    let overrides = [
      "services.py.runtime=go", "services.py.shape=small", "services.py.pool=false",
      "pools.size=100",
    ]
    let document = try SmallCluster.document(SmallCluster.text, overrides)
    let outcome = try SmallCluster.run(document)
    var own: (pool: UInt64, fallback: UInt64) = (0, 0)
    var others: (pool: UInt64, fallback: UInt64) = (0, 0)
    for (lane, counters) in outcome.collected.laneCounters.enumerated() {
      if outcome.configuration.services[outcome.collected.serviceOfLane[lane]].name == "py" {
        own = (own.pool + counters.coldPool, own.fallback + counters.coldFallback)
      } else {
        others = (others.pool + counters.coldPool, others.fallback + counters.coldFallback)
      }
    }
    #expect(own.pool == 0 && own.fallback > 10)
    #expect(others.pool > 50 && others.fallback == 0)
    #expect(outcome.collected.poolMisses.reduce(0, +) == 0)
    // Its ready pods count as ready pods of that runtime, shape and zone all the same.
    let busy = try SmallCluster.run(
      try SmallCluster.document(
        SmallCluster.text, overrides + ["services.py.arrivals.rate=200/s"]))
    #expect(busy.readyPeaks.pools[0] > outcome.readyPeaks.pools[0])
  }

  /// The balance of each pool closes, and its extremes are those of any time.
  @Test func poolsAddUp() throws {
    let document = try SmallCluster.document()
    let outcome = try SmallCluster.run(document)
    let tables = RunTables(outcome: outcome, run: 1, document: document)
    for pool in tables.pools() {
      #expect(abs(pool.firstLevel + pool.refills - pool.hits - pool.lastLevel) <= 1)
      if pool.misses > 0 { #expect(pool.leastLevel == 0) }
      let levels = outcome.collected.poolSamples.filter { $0.pool == pool.pool }
      #expect(pool.leastLevel <= levels.filter { $0.from >= .seconds(60) }.map(\.level).min() ?? 0)
      let judged = levels.filter { $0.from >= .seconds(60) }
      #expect(judged.reduce(0) { $0 + $1.takes } == pool.takes)
      #expect(judged.reduce(0) { $0 + $1.misses } == pool.misses)
    }
    #expect(tables.pools().contains { $0.misses > 0 })
    #expect(tables.pools().contains { $0.hits > 0 })
    let hours = try #require(ObjectiveJudge(outcome).value(named: "idle_pod_hours", runtime: nil))
    let stored = tables.pools().reduce(0) { $0 + $1.idlePodSeconds } / 3600
    #expect(abs(hours - stored) < 1e-9)
    // Nine minutes of at most 5 pods in each of 5 pools.
    #expect(hours > 1 && hours < 5 * 5 * 0.15)
  }

  /// An instance that comes and goes between two rows of the series is seen.
  @Test func peaksAreThoseOfAnyTime() throws {
    let document = try SmallCluster.document(
      SmallCluster.listed("[3s, 3s, 3s]"), ["pools.size=3", "start=warm"])
    let outcome = try SmallCluster.run(document)
    #expect(outcome.collected.rows.allSatisfy { $0.gauges.ready == 0 })
    #expect(outcome.readyPeaks.pools == [3] && outcome.readyPeaks.services == [3])
    let service = try #require(
      RunTables(outcome: outcome, run: 1, document: document).services().first)
    #expect(service.peakReadyInstances == 3)
  }
}
