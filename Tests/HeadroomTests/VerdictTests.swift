import Planning
import Scenario
import Simulation
import Testing

/// What a verdict depends on, and what it must not depend on.
@Suite struct VerdictTests {
  private static let text = """
    headroom: 1
    name: verdicts
    duration: 40m
    warmup: 5m
    start: warm
    seed: 3
    replications: 8
    cluster:
      zones:
        - {name: zone-a, nodes: {count: 8, cpu: 32, memory: 64GiB}}
        - {name: zone-b, nodes: {count: 8, cpu: 32, memory: 64GiB}}
        - {name: zone-c, nodes: {count: 8, cpu: 32, memory: 64GiB}}
    runtimes:
      go: {init: "lognormal(median: 30ms, sigma: 0.4)"}
    shapes:
      small: {cpu: 0.4, memory: 256MiB}
    pools: {size: 6, refill: "lognormal(median: 8s, sigma: 0.3)"}
    services:
      - name: api
        count: 20
        runtime: go
        shape: small
        arrivals: {process: poisson, total_rate: 20/s, popularity_sigma: 1}
        service_time: lognormal(mean: 500ms, sigma: 0.6)
        keep_alive: fixed(60s)
    """

  fileprivate static func outcomes(
    _ overrides: [String], objectives: String
  ) throws -> (ScenarioDocument, [RunOutcome]) {
    let result = ScenarioReader().read(
      text + "\nobjectives: \(objectives)\n", file: "verdicts.yaml", overrides: overrides)
    let document = try #require(result.document, "\(result.rendered)")
    return (document, try ScenarioRunner(document, threads: 2).runAll(peaks: nil))
  }

  /// A part is never more than its whole, and its interval ends there; of what may be more it does
  /// not.
  @Test(arguments: [
    ("completed / requests > 90%", [0.97, 0.999, 1, 0.98], 1.0),
    ("completed / requests > 90%", [0.97, 1.001, 1, 0.98], nil),
    ("failed / requests < 1%", [0.97, 0.999, 1, 0.98], nil),
    ("max(utilisation) < 90%", [0.9, 0.95, 1, 1], 1.0),
  ]) func partsEndAtOne(text: String, values: [Double], end: Double?) throws {
    let result = ScenarioReader().read(
      Self.text + "\nobjectives: [\"\(text)\"]\n", file: "verdicts.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    let judged = ObjectiveVerdicts.judge(document.objectives[0], values)
    let interval = try #require(judged.interval)
    if let end { #expect(interval.high == end) } else { #expect(interval.high > 1) }
  }

  /// A warm start is near enough to the steady state that a longer warm-up changes no verdict.
  @Test func warmUpsDoNotDecide() throws {
    let objectives = """
      ["p99(latency) < 3s", "p99(latency) < 1s", "cold_starts / requests < 5%", \
      "cold_starts / requests < 0.01%", "pool_misses / pool_takes < 20%"]
      """
    var verdicts: [[String]] = []
    for (warmup, duration) in [("5m", "40m"), ("10m", "45m")] {
      let (document, outcomes) = try Self.outcomes(
        ["warmup=\(warmup)", "duration=\(duration)"], objectives: objectives)
      let judged = ObjectiveVerdicts.judge(document, outcomes)
      verdicts.append(judged.map(\.verdict.rawValue))
    }
    #expect(verdicts[0] == verdicts[1])
    #expect(Set(verdicts[0]) == ["met", "missed"], "objectives of one kind only show nothing")
  }

  /// Counts of one group are its own, and all groups' are their sum.
  @Test func servicesAreCountedByThemselves() throws {
    let (document, outcomes) = try Self.outcomes(
      ["replications=1"],
      objectives: "[\"requests(service=api) > 0\", \"requests(service=api-3) > 0\"]")
    let outcome = try #require(outcomes.first)
    let judge = ObjectiveJudge(outcome)
    let group = try #require(judge.value(of: document.objectives[0]).value)
    let one = try #require(judge.value(of: document.objectives[1]).value)
    let all = try #require(judge.value(named: "requests", runtime: nil))
    #expect(group == all)
    #expect(one > 0 && one < group / 4)
    let counted = outcome.collected.laneCounters.reduce(0) { $0 + $1.arrivals }
    #expect(Double(counted) == all)
  }
}

/// AutoScale by Knative's rules in a whole cluster.
@Suite struct ScalingTests {
  private static let text = """
    headroom: 1
    name: scaling
    duration: 30m
    warmup: 5m
    start: empty
    seed: 5
    cluster:
      zones:
        - {name: zone-a, nodes: {count: 20, cpu: 64, memory: 256GiB}}
    runtimes:
      go: {init: "lognormal(median: 30ms, sigma: 0.4)"}
    shapes:
      small: {cpu: 0.4, memory: 256MiB}
    pools: {size: 20}
    services:
      - name: steady
        runtime: go
        shape: small
        concurrency: 100
        arrivals: {process: poisson, rate: 400/s}
        service_time: lognormal(mean: 500ms, sigma: 0.5)
        keep_alive: forever
        cold_start: from_zero
        scaling: "knative(target: 10, utilisation: 70%)"
      - name: once
        runtime: go
        shape: small
        concurrency: 100
        arrivals: {process: list, times: [360s, 361s]}
        service_time: constant(100ms)
        keep_alive: forever
        cold_start: from_zero
        scaling: knative(target: 10)
    """

  /// Load / target instances in the steady state (Little: 400/s x 0.5 s = 200 under way; 200 / 7),
  /// and none some time after the last request.
  @Test func followsTheLoadAndGoesToZero() throws {
    let result = ScenarioReader().read(Self.text, file: "scaling.yaml")
    let document = try #require(result.document, "\(result.rendered)")
    let outcomes = try ScenarioRunner(document, threads: 1).runAll(peaks: nil)
    let outcome = try #require(outcomes.first)
    let seconds = 25 * 60.0
    let lanes = outcome.collected.laneCounters
    let steady = lanes[0].readySeconds / seconds
    // The windows average 200 ± a few, upwards to whole instances.
    #expect(abs(steady - 200 / 7) < 2.5, "\(steady) instances")
    // From 360 s on: a start, 60 s of the stable window, 30 s of grace, and a tick or two.
    #expect(lanes[1].arrivals == 2)
    #expect(lanes[1].completed == 2)
    #expect(lanes[1].readySeconds > 60 && lanes[1].readySeconds < 180, "\(lanes[1].readySeconds)")
  }
}

extension VerdictTests {
  /// Minutes of services add up to the services, and are kept for the busiest only.
  @Test func minutesAddUp() throws {
    let (_, outcomes) = try Self.outcomes(
      ["replications=1", "services.api.count=120"],
      objectives: "[\"requests(service=api-119) > 0\"]")
    let outcome = try #require(outcomes.first)
    var byLane: [Int: UInt64] = [:]
    for minute in outcome.collected.minutes {
      byLane[minute.lane, default: 0] += minute.counters.arrivals
      #expect(minute.from.nanoseconds % 60_000_000_000 == 0)
    }
    let followed = Set(byLane.keys.map { outcome.collected.serviceOfLane[$0] })
    #expect(followed.count == 101)
    #expect(followed.contains(119) && followed.contains(0) && !followed.contains(118))
    for (lane, arrivals) in byLane { #expect(arrivals == outcome.lanes[lane].arrivals) }
    let keys = outcome.collected.minutes.map { "\($0.lane)/\($0.from.nanoseconds)" }
    #expect(Set(keys).count == keys.count)
  }
}
