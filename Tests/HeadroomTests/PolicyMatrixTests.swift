import Platform
import Scenario
import Testing

@testable import Simulation

/// Every rule of elasticity that a scenario may name runs from a scenario, at both fidelities, does
/// something, and leaves nobody's requests out of the count (`Run.finish` checks that).
@Suite struct PolicyMatrixTests {
  /// A service of requests that doubles twice, or of messages of which as many come.
  private static func text(
    scaling: String, isTopic: Bool = false, more: String = "", pools: String = "5",
    keepAlive: String = "forever"
  ) -> String {
    """
    headroom: 1
    name: matrix
    duration: 8m
    warmup: 30s
    seed: 7
    start: warm
    cluster:
      zones:
        - {name: zone-a, nodes: {count: 6, cpu: 32, memory: 128GiB}}
      autoscale: {tick: 2s}
    network: {same_node: 50us, same_zone: 250us, cross_zone: 1ms, control_plane: 500us}
    runtimes:
      go: {init: constant(30ms)}
    shapes:
      small: {cpu: 0.5, memory: 256MiB}
    pools: {size: "\(pools)", refill: constant(4s)}
    services:
      - name: api
        runtime: go
        shape: small
        instances: {min: 2, max: 200, initial: 4}
        arrivals:
          process: profile
          points:
            - {at: 0s, rate: 10/s}
            - {at: 2m, rate: 10/s}
            - {at: 2m30s, rate: 60/s}
            - {at: 8m, rate: 60/s}
        service_time: exponential(mean: 200ms)
        cpu_fraction: 0.5
        keep_alive: "\(keepAlive)"
        cold_start: \(scaling == "none" ? "on_demand" : "from_zero")
        scaling: \(scaling)
        \(isTopic ? "topic: {partitions: 16}" : more)
    """
  }

  private static func outcome(
    _ text: String, _ fidelity: String
  ) throws -> (peak: Int, completed: Int, hours: Double) {
    let document = try SmallCluster.document(text, ["fidelity=\(fidelity)"])
    let outcome = try SmallCluster.run(document)
    let row = try #require(
      RunTables(outcome: outcome, run: 1, document: document).services().first)
    return (row.peakReadyInstances, Int(row.completed), row.instanceSeconds / 3600)
  }

  /// Policies for requests, and those that want a topic.
  static let policies: [(scaling: String, isTopic: Bool)] = [
    ("knative", false), ("\"hpa(cpu: 60%)\"", false), ("\"hpa(memory: 60%)\"", false),
    ("\"hpa(concurrency: 0.7)\"", false), ("\"cpu(target: 50%)\"", false),
    ("\"past_days(slot: 10s)\"", false),
    ("\"holt_winters(slot: 5s, season: 2)\"", false),
    ("[\"cpu(target: 50%)\", \"hpa(concurrency: 0.7)\", knative]", false),
    // What catches up with a lag leaves none, so that both go down again a window later.
    ("\"hpa(lag: 10, down_window: 10m)\"", true),
    ("\"keda(lag: 10, polling: 5s, down_window: 10m)\"", true),
  ]

  @Test(arguments: policies.indices) func policiesScale(index: Int) throws {
    let (scaling, isTopic) = Self.policies[index]
    let text = Self.text(scaling: scaling, isTopic: isTopic)
    let request = try Self.outcome(text, "request")
    let flow = try Self.outcome(text, "flow")
    let told = "\(scaling): \(request) as requests, \(flow) at flow"
    print("matrix: \(told)")
    // Without past days nothing is known of them, and memory is that of the shape, whatever comes.
    let isBlind = scaling.contains("past_days") || scaling.contains("memory")
    if !isBlind { #expect(min(request.peak, flow.peak) >= 10, "\(told)") }
    #expect(abs(Double(flow.completed) / Double(request.completed) - 1) < 0.02, "\(told)")
    #expect(abs(flow.hours / request.hours - 1) < 0.2, "\(told)")
  }

  /// Kubernetes' behaviour bounds how fast instances come: from 4, in the 360 s from the ramp to
  /// the end, at most one more in each minute, seven in all; two in each, fourteen; none.
  @Test(arguments: [
    ("up_percent: 0, up_pods: 1, up_period: 60s", 9...11),
    ("up_percent: 0, up_pods: 2, up_period: 60s", 14...18),
    ("up_percent: 25%, up_pods: 1, up_period: 60s, up_select: min", 9...11),
    ("up_select: disabled", 4...4),
  ])
  func behaviourBoundsGrowth(rates: String, peak: ClosedRange<Int>) throws {
    let text = Self.text(scaling: "\"hpa(concurrency: 0.7, \(rates))\"")
      .replacing("cold_start: from_zero", with: "cold_start: never")
    for fidelity in ["request", "flow"] {
      let found = try Self.outcome(text, fidelity)
      #expect(peak.contains(found.peak), "\(rates), \(fidelity): \(found)")
    }
  }

  /// KEDA's ways to count partitions: sixteen are behind, so that no more instances than those
  /// come; as many as share them evenly are a power of two.
  @Test(arguments: [
    "lagging_partitions: true", "even_partitions: true", "exclude_persistent: true",
  ])
  func partitionsBoundGrowth(rule: String) throws {
    let text = Self.text(scaling: "\"keda(lag: 1, polling: 5s, \(rule))\"", isTopic: true)
      .replacing("cold_start: from_zero", with: "cold_start: never")
    for fidelity in ["request", "flow"] {
      let found = try Self.outcome(text, fidelity)
      #expect((2...16).contains(found.peak), "\(rule), \(fidelity): \(found)")
    }
  }

  /// Policies, and the instances that they are to have for twelve requests in flight.
  static let steady: [(scaling: String, instances: Double)] = [
    ("\"cpu(target: 60%)\"", 20), ("\"hpa(cpu: 60%)\"", 20),
  ]

  /// Twelve requests in flight on average, and policies that are told means over what their metrics
  /// have by default: neither takes the noise of a second for load.
  @Test(arguments: steady, ["request", "flow"])
  func noiseIsNoLoad(policy: (scaling: String, instances: Double), fidelity: String) throws {
    let text = Self.text(scaling: policy.scaling).replacing("duration: 8m", with: "duration: 40m")
      .replacing("warmup: 30s", with: "warmup: 15m")
    let document = try SmallCluster.document(text, ["fidelity=\(fidelity)"])
    let outcome = try SmallCluster.run(document)
    let row = try #require(
      RunTables(outcome: outcome, run: 1, document: document).services().first)
    let mean = row.instanceSeconds / 1500
    print("matrix: \(policy.scaling) at \(fidelity): \(mean) for \(policy.instances)")
    #expect(abs(mean / policy.instances - 1) < 0.2)
  }

  /// A window over a policy: a floor, and a number whatever the policy wants.
  @Test(arguments: ["floor: 40", "replicas: 40"], ["request", "flow"])
  func windowsHold(amount: String, fidelity: String) throws {
    let text = Self.text(
      scaling: "knative",
      more: #"scaling_windows: [{from: "1 0 * * *", to: "6 0 * * *", \#(amount)}]"#)
    let found = try Self.outcome(text, fidelity)
    #expect(found.peak == 40, "\(found)")
    #expect(found.hours > 40 * 4.5 / 60, "\(found)")
  }

  /// What decides on idle instances, without AutoScale: those that come are those that are wanted.
  @Test(arguments: ["fixed(20s)", "hybrid(bin: 5s, bins: 20)", "none", "forever"])
  func idleInstances(keepAlive: String) throws {
    let text = Self.text(scaling: "none", keepAlive: keepAlive)
    let request = try Self.outcome(text, "request")
    let flow = try Self.outcome(text, "flow")
    let told = "\(keepAlive): \(request) as requests, \(flow) at flow"
    print("matrix: \(told)")
    #expect(abs(Double(flow.completed) / Double(request.completed) - 1) < 0.02, "\(told)")
    #expect(abs(flow.hours / request.hours - 1) < 0.15, "\(told)")
  }

  /// The least recently used instance goes where there is no room: a lane of single requests, also
  /// where flow is asked for.
  @Test(arguments: ["lru", "faascache-lru"]) func evictions(rule: String) throws {
    let text = Self.text(scaling: "none").replacing(
      "  autoscale: {tick: 2s}", with: "  autoscale: {tick: 2s}\n  evict: \(rule)")
    let found = try Self.outcome(text, "flow")
    #expect(found.completed > 10_000)
  }

  /// Each way to size a pool, under starts that take from it.
  @Test(arguments: [
    "20%", "6", "following(20%)", "base_stock(miss: 1%, window: 1m)", "hourly(0: 20%, 1: 5%)",
  ])
  func poolSizes(size: String) throws {
    let text = Self.text(scaling: "none", pools: size, keepAlive: "fixed(5s)")
    for fidelity in ["request", "flow"] {
      let document = try SmallCluster.document(text, ["fidelity=\(fidelity)"])
      let outcome = try SmallCluster.run(document)
      let pool = try #require(
        RunTables(outcome: outcome, run: 1, document: document).pools().first)
      #expect(pool.takes > 20 && pool.hits > 0 && pool.refills > 0, "\(size), \(fidelity)")
      #expect(pool.size > 0, "\(size), \(fidelity)")
    }
  }
}
