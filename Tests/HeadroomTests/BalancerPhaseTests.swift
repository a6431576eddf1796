import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// When a balancer asks is drawn, so that how long it takes to detect a loss has an interval over
/// replications that says what a loss at any moment would.
@Suite struct BalancerPhaseTests {
  private static func runner(
    _ fault: String, fidelity: String, replications: Int, phase: String = "drawn"
  ) throws -> ScenarioRunner {
    let zones = ["zone-a", "zone-b"].map {
      "{name: \($0), nodes: {count: 2, cpu: 16, memory: 64GiB}}"
    }
    let text = """
      headroom: 1
      name: phase
      duration: 150s
      warmup: 30s
      fidelity: \(fidelity)
      replications: \(replications)
      cluster:
        zones: [\(zones.joined(separator: ", "))]
        balancer: {phase: \(phase)}
        gateways: {per_zone: 2}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
        - {name: api, runtime: go, shape: small, service_time: 20ms, keep_alive: forever,
           instances: {min: 8, max: 8, initial: 8}, arrivals: {process: poisson, rate: 5/s}}
      faults: [{at: 1m, \(fault), for: 50s}]
      objectives: ["completed / requests > 10%"]
      """
    let result = ScenarioReader().read(text, file: "phase.yaml", overrides: [])
    return ScenarioRunner(try #require(result.document, "\(result.rendered)"), threads: 2)
  }

  /// 40 replications detect from 21 to 31 s after the loss, each at the third question of its own
  /// balancer and the time-out after it, in the mean of an even draw: 26 s ± 4 × 10 s/√(12 × 40).
  @Test(
    arguments: ["request", "flow"],
    ["lose: zone-b", "crash: gateway-0 of zone-a"])
  func detectionIsSpread(fidelity: String, fault: String) throws {
    let runner = try Self.runner(fault, fidelity: fidelity, replications: 40)
    let outcome = try RehearsalStudy(runner: runner, replications: 40).run(peaks: nil)
    var all: [Double] = []
    for pair in outcome.pairs {
      let phase = try #require(pair.faulted.configuration.balancer?.phase).seconds
      #expect(phase >= 0 && phase < 10)
      #expect(pair.calm.configuration.balancer?.phase.seconds == phase)
      let seconds = try #require(pair.timeline.secondsToDetect)
      // A minute is a whole number of intervals.
      #expect(abs(seconds - (phase + 21)) < 0.01, "\(phase): \(seconds)")
      all.append(seconds)
    }
    let mean = all.reduce(0, +) / 40
    #expect(abs(mean - 26) < 4 * 10 / (12.0 * 40).squareRoot(), "\(mean)")
    #expect((all.min() ?? 0) < 22.5 && (all.max() ?? 0) > 29.5)
  }

  /// Both fidelities and any other fault have the same draw; another seed or cluster has another.
  @Test func thePhaseIsKeyed() throws {
    func phases(_ fault: String, _ fidelity: String) throws -> [Nanoseconds?] {
      let mapping = try Self.runner(fault, fidelity: fidelity, replications: 3).mapping
      return (0..<3).map {
        mapping.platform(replication: $0, peaks: nil).clusters[0].balancer?.phase
      }
    }
    let own = try phases("lose: zone-b", "request")
    #expect(try phases("crash: dispatcher-0", "flow") == own && Set(own).count == 3)
    let regions = try Watching.document("region-loss", [])
    let drawn = ScenarioMapping(regions).platform(replication: 0, peaks: nil).clusters
      .map(\.balancer?.phase)
    #expect(Set(drawn).count == drawn.count && drawn.count > 2)
  }

  /// A phase that is given holds in every replication: the soonest at 0 s, for a loss at a minute.
  @Test(arguments: [("0s", 21.0), ("9500ms", 30.5)])
  func aPhaseIsFixed(phase: String, expected: Double) throws {
    let runner = try Self.runner("lose: zone-b", fidelity: "flow", replications: 3, phase: phase)
    let outcome = try RehearsalStudy(runner: runner, replications: 3).run(peaks: nil)
    for pair in outcome.pairs {
      let seconds = try #require(pair.timeline.secondsToDetect)
      #expect(abs(seconds - expected) < 0.01, "\(seconds)")
    }
  }

  @Test func aPhaseBeyondTheIntervalIsRefused() throws {
    let text = SmallCluster.text + "\nobjectives: [\"requests > 0\"]\n"
    let result = ScenarioReader().read(
      text, file: "small.yaml", overrides: ["cluster.balancer.phase=10s"])
    #expect(result.document == nil && result.rendered.contains("is not within the interval"))
  }
}
