import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// A rehearsal that is simulated again, and what its timeline says of what cannot be.
@Suite struct RehearsalAgainTests {
  private static func document(_ faults: String) throws -> ScenarioDocument {
    let text = SmallCluster.text.replacing("duration: 10m", with: "duration: 4m")
    let result = ScenarioReader().read(
      text + "\nfaults: [\(faults)]\nobjectives: [\"requests > 0\"]\n", file: "small.yaml",
      overrides: ["replications=2"])
    return try #require(result.document, "\(result.rendered)")
  }

  private static func study(_ faults: String) throws -> RehearsalStudy {
    RehearsalStudy(runner: ScenarioRunner(try document(faults), threads: 1), replications: 2)
  }

  /// Each pair comes out the same by itself, and with a fault of every kind that has come to be.
  @Test(arguments: [
    "{at: 2m, crash: gateway-0 of zone-a, for: 40s}",
    "{at: 2m, crash: host-agent of 50% of zone-b, for: 20s}",
    "{at: 2m, lose: 50% of pods of py}", "{at: 2m, push: py, errors: 20%, for: 30s}",
    "{at: 2m, slow: service py, factor: 4, ramp: 30s, for: 1m}",
    "{at: 2m, stop: etcd, for: 5s, every: 20s, times: 3}",
    "{at: 2m, clock: worker-manager-0, behind: 20s}",
  ])
  func aPairIsTheSameAgain(faults: String) throws {
    let study = try Self.study(faults)
    let outcome = try study.run(peaks: nil)
    #expect(outcome.pairs.count == 2)
    let again = try study.pair(1, peaks: nil)
    #expect(again.calm.digest == outcome.pairs[1].calm.digest)
    #expect(again.faulted.digest == outcome.pairs[1].faulted.digest)
    #expect(again.calm.digest != again.faulted.digest)
  }

  /// The shipped loss of a region, shortened: the others are those of the calm twin, bit for bit,
  /// at both fidelities and for any number of threads; all of their requests are answered.
  @Test(arguments: ["request", "flow"], [1, 3]) func otherRegionsAreThoseOfTheTwin(
    fidelity: String, threads: Int
  ) throws {
    let document = try Watching.document(
      "region-loss",
      [
        "duration=4m", "warmup=1m", "fidelity=\(fidelity)",
        "faults=[{name: loss of north, at: 90s, lose: north, restart_after: 60s}]",
      ])
    let pair = try RehearsalStudy(
      runner: ScenarioRunner(document, threads: threads), replications: 1
    ).pair(0, peaks: nil)
    let (calm, faulted) = (pair.calm.regionDigests, pair.faulted.regionDigests)
    #expect(calm.map(\.region) == ["north", "south", "west"])
    #expect(calm.map(\.region) == faulted.map(\.region))
    #expect(zip(calm, faulted).map { $0.digest == $1.digest } == [false, true, true])
    let lost = pair.faulted.collected.laneCounters.reduce(0) { $0 + $1.givenUp }
    #expect(lost > 10_000)
  }

  /// A condition that ends a rehearsal early is told: what has not come by then is not known.
  @Test func aStoppedRehearsalIsNotSeenToItsEnd() throws {
    let text = SmallCluster.text.replacing("duration: 10m", with: "duration: 6m")
    let result = ScenarioReader().read(
      text + "\nfaults: [{at: 2m, lose: zone-a, for: 3m}]\nobjectives: [\"requests > 0\"]\n"
        + "stop_when: [\"requests > 0 for 150s\"]\n", file: "small.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    let study = RehearsalStudy(runner: ScenarioRunner(document, threads: 1), replications: 1)
    let timeline = try study.pair(0, peaks: nil).timeline
    #expect(timeline.isStopped && timeline.ended == nil)
    #expect(timeline.judgedUntil > .seconds(120) && timeline.judgedUntil < .seconds(300))
  }

  /// A label means all services that have it, group by group.
  @Test func aLabelMeansAllThatHaveIt() throws {
    let text = SmallCluster.text.replacing(
      "    count: 5\n", with: "    count: 5\n    labels: {tier: gold}\n")
    let result = ScenarioReader().read(
      text + "\nfaults: [{at: 2m, surge: label tier=gold, factor: 2, for: 1m}]\n",
      file: "small.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    let cluster = ScenarioMapping(document, traces: TraceLibrary())
      .platform(replication: 0, peaks: nil).clusters[0]
    guard case .surge(let services, _, _) = cluster.faults[0].kind else {
      Issue.record("no surge")
      return
    }
    let groups = services.map { cluster.services[$0.index].group }
    #expect(groups == Array(repeating: "go-online", count: 5))
  }

  /// When all zones of a cluster are lost the balancer has nothing to send traffic to.
  @Test func nothingShiftsWhereNothingIsLeft() throws {
    let all = ["a", "b", "c"].map { "{at: 2m, lose: zone-\($0), for: 1m}" }
    let whole = try Self.study(all.joined(separator: ", ")).pair(0, peaks: nil).timeline
    #expect(whole.detected != nil && whole.shifted == nil)
    let one = try Self.study(all[0]).pair(0, peaks: nil).timeline
    #expect(one.detected != nil && one.shifted != nil)
  }
}
