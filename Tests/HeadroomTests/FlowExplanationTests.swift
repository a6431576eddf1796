import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Windows of runs at flow fidelity in which a lane cannot be made of requests when the window
/// comes: everything that came is explained all the same.
@Suite struct FlowExplanationTests {
  private static func document(_ fidelity: String) throws -> ScenarioDocument {
    let text = """
      headroom: 1
      name: away
      duration: 20m
      warmup: 0s
      fidelity: \(fidelity)
      cluster:
        zones:
          - {name: zone-a, nodes: {count: 4, cpu: 16, memory: 64GiB}}
          - {name: zone-b, nodes: {count: 4, cpu: 16, memory: 64GiB}}
          - {name: zone-c, nodes: {count: 4, cpu: 16, memory: 64GiB}}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
        - {name: api, runtime: go, shape: small, concurrency: 4, keep_alive: forever,
           service_time: "exponential(mean: 50ms)", cpu_fraction: 0.5,
           instances: {min: 30, max: 30, initial: 30},
           arrivals: {process: poisson, rate: 60/s}}
      faults: [{at: 2m, lose: zone-b, for: 15m}]
      """
    let result = ScenarioReader().read(text, file: "away.yaml", overrides: [])
    return try #require(result.document, "\(result.rendered)")
  }

  /// Ten seconds after a zone is lost, and thirteen minutes after it, when nobody looks back so
  /// far: its lane is made of requests before it is gone, and its refused connections are told.
  @Test(arguments: ["flow", "auto"], [130, 900] as [Int64]) func aLostZoneIsExplained(
    fidelity: String, second: Int64
  ) throws {
    let document = try Self.document(fidelity)
    let window = Instant.seconds(second)..<Instant.seconds(second + 5)
    let (log, watched) = try Watching.log(
      document, service: 0, window: window, until: .seconds(second + 7))
    #expect(watched.unseen == 0)
    #expect(fidelity == "auto" || watched.represented == 3)
    let index = InvocationIndex(
      watched.run.cluster, ServiceID(0), duration: document.duration)
    let expected = (Int(second)..<Int(second) + 5).flatMap { index.places(second: $0) }
    // All of them, with those of the lost zone.
    #expect(log.entries.count == expected.count && expected.count > 250)
    let summary = WindowSummary(log, window: window, watchedTo: .seconds(second + 7))
    let outcomes = Dictionary(uniqueKeysWithValues: summary.outcomes.map { ($0.word, $0.count) })
    let unreachable = outcomes["unreachable", default: 0]
    if second == 130 {
      // The balancer has not noticed: a third is refused.
      #expect(abs(Double(unreachable) / Double(expected.count) - 1.0 / 3) < 0.1, "\(outcomes)")
    } else {
      #expect(unreachable == 0, "\(outcomes)")
    }
    #expect(outcomes["completed", default: 0] == expected.count - unreachable)
  }
}
