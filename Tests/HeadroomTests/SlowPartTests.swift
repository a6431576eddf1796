import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Parts of the platform that are slow do what they do later, or the scenario is told that nothing
/// comes of it.
@Suite struct SlowPartTests {
  private static func run(_ fault: String, _ service: String, fidelity: String) throws
    -> RunOutcome
  {
    let text = """
      headroom: 1
      name: slow
      duration: 6m
      warmup: 1m
      fidelity: \(fidelity)
      cluster:
        zones: [{name: zone-a, nodes: {count: 4, cpu: 64, memory: 128GiB}}]
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      downstreams: [{name: db, capacity: 10000/s, central_limit: 300/s, reports: 10s, safe: 20/s}]
      services:
        - {name: jobs, class: offline, runtime: go, shape: small, concurrency: 4,
           topic: {partitions: 6}, service_time: 50ms, \(service)}
      faults: [\(fault)]
      """
    let result = ScenarioReader().read(text, file: "slow.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    return try ScenarioRunner(document, threads: 1).run(replication: 0, peaks: nil)
  }

  /// A round of an AutoScale that is 100 times as slow takes 200 s in the place of the 2 s of a
  /// tick: while it is at one that began with the fault, nobody answers a tenfold surge.
  @Test(arguments: ["request", "flow"]) func aSlowAutoScaleComesSeldom(
    fidelity: String
  ) throws {
    let service =
      "scaling: \"keda(lag: 50)\", instances: {min: 3, max: 60, initial: 3}, cold_start: never, "
      + "arrivals: {process: profile, points: [{at: 0s, rate: 50/s}, {at: 2m, rate: 50/s}, "
      + "{at: 2m10s, rate: 500/s}, {at: 6m, rate: 500/s}]}"
    func lag(_ fault: String) throws -> Int {
      try Self.run(fault, service, fidelity: fidelity).peakLag
    }
    let well = try lag("{at: 5m59s, stop: etcd, for: 1s}")
    let slow = try lag("{at: 100s, slow: autoscaler, factor: 100, for: 220s}")
    let stopped = try lag("{at: 100s, stop: autoscaler, for: 220s}")
    // A round begins with the fault and the next is 200 s later, so that it does little more than
    // one that stands still.
    #expect(slow > 3 * well, "\(well), \(slow), \(stopped)")
    #expect(slow <= stopped, "\(well), \(slow), \(stopped)")
    // A round of 200 s that was begun in an earlier fault does not go on in a later one, of which
    // each takes 4 s.
    let again = try lag(
      "{at: 60s, slow: autoscaler, factor: 100, for: 20s}, "
        + "{at: 100s, slow: autoscaler, factor: 2, for: 220s}")
    #expect(2 * again < slow, "\(well), \(slow), \(again)")
  }

  /// The Coordinator's answers are on their way for longer: leases that are wanted come later.
  @Test(arguments: ["request", "flow"]) func aSlowCoordinatorAnswersLate(fidelity: String) throws {
    let service =
      "downstream: db, instances: {min: 30, max: 30, initial: 30}, "
      + "arrivals: {process: poisson, rate: 240/s}"
    func lag(_ fault: String) throws -> Int {
      try Self.run(fault, service, fidelity: fidelity).peakLag
    }
    let well = try lag("{at: 5m59s, stop: etcd, for: 1s}")
    // Ten seconds for an answer, where the next question comes after five: as if there was nobody.
    let slow = try lag("{at: 2m, slow: coordinator, factor: 1000, for: 2m}")
    let stopped = try lag("{at: 2m, stop: coordinator, for: 2m}")
    #expect(slow > 5 * well && stopped > 5 * well, "\(well), \(slow), \(stopped)")
  }
}
