import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// Every kind of fault that a scenario can name, at both fidelities: it changes what becomes of
/// requests, messages, pods or machines, and every invocation and message is accounted for.
@Suite struct FaultKindTests {
  /// A fault, what is there in its calm twin too, and what the world says beside the usual.
  struct Case: Sendable, CustomTestStringConvertible {
    var fault: String
    var base = ""
    var changes = ""
    var world = World.cluster
    var overrides: [String] = []

    init(
      _ fault: String, base: String = "", changes: String = "", world: World = .cluster,
      _ overrides: [String] = []
    ) {
      self.fault = fault
      self.base = base
      self.changes = changes
      self.world = world
      self.overrides = overrides
    }

    var testDescription: String { "\(fault) in \(world)" }
  }

  enum World: Sendable { case cluster, regions, machines }

  private static func topology(_ world: World) -> String {
    func zones(_ count: Int) -> String {
      ["zone-a", "zone-b"].map {
        "{name: \($0), nodes: {count: \(count), cpu: 16, memory: 64GiB}}"
      }.joined(separator: ", ")
    }
    let parts =
      "consumers: {per_zone: 1}, gateways: {request_timeout: 20s}, dispatchers: {count: 2}, "
      + "worker_managers: {count: 2, shards: 4}"
    return switch world {
    case .cluster: "cluster: {zones: [\(zones(6))], \(parts)}"
    case .regions:
      """
      regions:
        - name: north
          clusters: [{name: a, zones: [\(zones(6))], \(parts)}, {name: b, zones: [\(zones(6))]}]
        - {name: south, clusters: [{name: a, zones: [\(zones(6))]}]}
      """
    case .machines:
      """
      cluster:
        zones: [\(zones(1))]
        \(parts.replacing(", worker_managers", with: "\n  worker_managers")
          .replacing(", dispatchers", with: "\n  dispatchers")
          .replacing(", gateways", with: "\n  gateways"))
        node_pools:
          - {name: more, cpu: 16, memory: 64GiB, initial: 4, min: 4, max: 12, provision: 20s}
      """
    }
  }

  /// A service that has cold starts all the time, one that has enough instances and clients, and a
  /// topic; the last two call a downstream.
  private static func text(_ some: Case, _ faults: String) -> String {
    let place = some.world == .regions ? "cluster: north/a," : ""
    return """
      headroom: 1
      name: faults
      duration: 5m
      warmup: 30s
      seed: 11
      \(topology(some.world))
      network: {same_node: 50us, same_zone: 250us, cross_zone: 1ms, control_plane: 500us}
      code: {node_cache: 100MiB, zone_cache: 120MiB}
      runtimes: {go: {init: 30ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      pools: {size: 6, refill: constant(4s)}
      downstreams: [{name: db, capacity: 500/s, central_limit: 200/s}]
      services:
        - {name: cold, \(place) count: 4, runtime: go, shape: small, code_size: 80MiB,
           arrivals: {process: poisson, rate: 1/s}, keep_alive: fixed(2s),
           service_time: "lognormal(median: 200ms, sigma: 0.5)"}
        - {name: shop, \(place) runtime: go, shape: small, concurrency: 2, downstream: db,
           labels: {tier: gold}, breaking: {}, clients: {timeout: 2s, retries: 2, backoff: 200ms},
           service_time: "exponential(mean: 40ms)", cpu_fraction: 0.5, scaling: knative,
           instances: {min: 8, max: 60}, arrivals: {process: poisson, rate: 120/s}}
        - {name: jobs, \(place) class: offline, runtime: go, shape: small, downstream: db,
           topic: {partitions: 8}, service_time: "exponential(mean: 40ms)",
           instances: {min: 16, max: 16, initial: 16}, cold_start: never,
           arrivals: {process: poisson, rate: 80/s}}
      changes: [\(some.changes)]
      faults: [\(faults)]
      """
  }

  private static func outcome(
    _ some: Case, _ fidelity: String, _ faults: [String]
  ) throws -> RunOutcome {
    let listed = faults.filter { !$0.isEmpty }.joined(separator: ", ")
    let result = ScenarioReader().read(
      text(some, listed), file: "faults.yaml",
      overrides: ["fidelity=\(fidelity)"] + some.overrides)
    let document = try #require(result.document, "\(result.rendered)")
    return try ScenarioRunner(document, threads: 1).run(replication: 0, peaks: nil)
  }

  static let bad = "{at: 70s, spoil: shop, share: 20%, errors: 100%, factor: 1}"
  /// Nodes forget, and zones do not.
  static let largeCache = ["code.zone_cache=1GiB"]
  /// Instances that stay, so that bad ones are replaced.
  static let fixed = [
    "services.shop.scaling=none", "services.shop.instances={min: 16, max: 16}",
    "services.shop.choice=round_robin", "services.shop.cold_start=never",
  ]
  /// Four pods a machine, so that machines have to be made.
  static let large = ["shapes.small.cpu=4"]
  static let storm = "surge: all, factor: 4, for: 40s"

  static let cases = [
    // Domains.
    Case("{at: 2m, lose: north, for: 30s}", world: .regions),
    Case("{at: 2m, lose: north/a, for: 30s}", world: .regions),
    Case("{at: 2m, lose: zone-a, for: 30s}"),
    Case("{at: 2m, lose: 50% of zone-a, for: 30s}"),
    Case("{at: 2m, lose: node-0 of zone-a, for: 30s}"),
    Case("{at: 2m, lose: 25% of pods of shop}"), Case("{at: 2m, lose: 1 pod of shop}"),
    Case("{at: 2m, lose: 3 pods of label tier=gold}"),
    // The network.
    Case("{at: 2m, cut: zone-a, for: 40s}"),
    Case("{at: 2m, cut: zone-a, from: control-plane, one_way: true, for: 40s}"),
    Case("{at: 2m, slow: zone-a, factor: 20, for: 40s}"),
    Case("{at: 2m, drop: zone-a, share: 60%, for: 40s}"),
    // Crashes, after which caches are empty.
    Case("{at: 2m, crash: gateway-0 of zone-a, for: 30s}"),
    Case("{at: 2m, crash: dispatcher-0, for: 30s}"),
    Case("{at: 2m, crash: worker-manager-0, restart_after: 30s}"),
    Case("{at: 2m, crash: host-agent of 100% of zone-a, for: 20s}"),
    Case("{at: 2m, crash: consumer-0 of zone-a, for: 20s}"),
    Case("{at: 2m, crash: consumer-0 of zone-a, for: 5s, every: 15s, times: 4}"),
    Case("{at: 2m, crash: broker-0 of zone-a, for: 1m}"),
    Case("{at: 69s, crash: coordinator, restart_after: never}", base: bad, fixed),
    // What others depend on.
    Case("{at: 2m, stop: etcd, for: 30s}", base: "{at: 2m, crash: worker-manager-0, for: 1m}"),
    Case("{at: 2m, stop: kubernetes, for: 30s}"),
    Case("{at: 2m, slow: kubernetes, factor: 20, for: 40s}"),
    Case("{at: 2m, stop: autoscaler, for: 60s}", base: "{at: 2m, \(storm)}"),
    Case("{at: 69s, stop: coordinator, for: 4m}", base: bad, fixed),
    Case(
      "{at: 2m, stop: api, for: 60s}",
      changes: "{at: 125s, service: jobs, instances: {max: 8, min: 8}}"),
    Case("{at: 2m, stop: remote-cache of zone-a, for: 40s}", largeCache),
    Case("{at: 2m, slow: remote-cache of zone-a, factor: 50, for: 40s}", largeCache),
    Case("{at: 2m, stop: object-store, for: 40s}"),
    Case("{at: 2m, slow: object-store, factor: 20, for: 40s}"),
    Case(
      "{at: 110s, stop: registry, for: 2m}", base: "{at: 2m, \(storm)}", world: .machines, large),
    Case(
      "{at: 110s, slow: registry, factor: 20, for: 2m}", base: "{at: 2m, \(storm)}",
      world: .machines, large),
    Case(
      "{at: 110s, stop: machine-supply, for: 2m}", base: "{at: 2m, \(storm)}", world: .machines,
      large),
    // Instances, what they call, and who calls them.
    Case("{at: 2m, spoil: shop, share: 20%, errors: 80%, factor: 3, for: 1m}"),
    Case("{at: 2m, spoil: shop, share: 20%, errors: 0%, factor: 10, ramp: 10s, for: 1m}"),
    Case("{at: 2m, slow: service shop, factor: 5, for: 30s}"),
    Case("{at: 2m, slow: downstream db, factor: 4, for: 40s}"),
    Case("{at: 2m, limit: db, share: 20%, for: 40s}"),
    Case("{at: 2m, clock: worker-manager-0, ahead: 30s, for: 1m}"),
    // Slow, it takes its lease for alive when others have taken it.
    Case("{at: 2m, clock: worker-manager-0, rate: 0.1, for: 1m}"),
    Case("{at: 2m, surge: shop, factor: 3, ramp: 10s, for: 40s}"), Case("{at: 2m, \(storm)}"),
    Case("{at: 2m, push: shop, max_instances: 2, concurrency: 1, for: 40s}"),
    Case("{at: 2m, push: shop, errors: 30%, call_timeout: 20ms, for: 40s}"),
    // Retries feed on themselves: what is called is slow, and nothing bounds who tries again.
    Case(
      "{at: 2m, slow: service shop, factor: 20, for: 30s}", ["services.shop.clients.budget=none"]),
    // Several at once.
    Case(
      "{at: 2m, lose: zone-a, for: 30s}, {at: 130s, crash: dispatcher-0, for: 40s}, "
        + "{at: 130s, crash: gateway-0 of zone-a, for: 40s}, {at: 135s, slow: kubernetes, "
        + "factor: 5, for: 1m}, {at: 2m, surge: shop, factor: 2, for: 1m}"),
  ]

  @Test(arguments: cases, ["request", "flow"])
  func everyKindDoesSomethingAndLosesNothing(some: Case, fidelity: String) throws {
    // A run ends with an error where anything does not add up.
    let calm = try Self.outcome(some, fidelity, [some.base])
    let faulted = try Self.outcome(some, fidelity, [some.base, some.fault])
    for outcome in [calm, faulted] {
      #expect(outcome.conservation.allSatisfy { $0.violation == nil })
      #expect(outcome.conservation.reduce(0) { $0 + $1.arrivals } > 30_000)
    }
    #expect(faulted.digest != calm.digest)
    // The digest has the fault itself in it; what it does is more than that.
    let did = Self.differences(calm, faulted)
    #expect(!did.isEmpty, "\(some.fault), \(fidelity): nothing has changed")
    print("faults: \(fidelity), \(some.fault): \(did.joined(separator: ", "))")
  }

  /// Without the cache of a zone its nodes ask the store for what they have forgotten; without the
  /// store nothing comes from it.
  @Test func nodesAskTheStoreWithoutTheirCache() throws {
    func fetches(_ fault: String, _ overrides: [String]) throws -> (UInt64, UInt64) {
      let some = Case(fault, overrides)
      let outcomes = try [[], [fault]].map { try Self.outcome(some, "request", $0) }
      return (outcomes[0].control.codeFetches[0], outcomes[1].control.codeFetches[0])
    }
    let (usual, without) = try fetches(
      "{at: 2m, stop: remote-cache of zone-a, for: 40s}", Self.largeCache)
    #expect(usual == 0 && without > 20, "\(usual), \(without)")
    let (calm, none) = try fetches("{at: 2m, stop: object-store, restart_after: never}", [])
    #expect(calm > 100 && none < calm / 2, "\(calm), \(none)")
  }

  /// What differs between two runs that people would see.
  private static func differences(_ one: RunOutcome, _ other: RunOutcome) -> [String] {
    func sum(_ outcome: RunOutcome) -> LaneCounters {
      outcome.lanes.reduce(into: LaneCounters()) { $0.add($1) }
    }
    let (before, after) = (sum(one), sum(other))
    let values: [(String, UInt64, UInt64)] = [
      ("arrivals", before.arrivals, after.arrivals),
      ("completed", before.completed, after.completed),
      ("failed", before.failed, after.failed), ("refused", before.refused, after.refused),
      ("retries", before.retries, after.retries),
      ("redelivered", before.redelivered, after.redelivered),
      ("cold", before.coldStarts, after.coldStarts),
      ("instances", before.instancesAdded, after.instancesAdded),
      ("ejections", before.ejections, after.ejections),
      ("migrations", before.migrations, after.migrations),
      ("stale", before.staleUses, after.staleUses),
      ("waited", before.waited, after.waited),
      ("downstream refused", before.downstreamRefused, after.downstreamRefused),
      ("pods", one.control.podsCreated, other.control.podsCreated),
      (
        "from the store", one.control.codeFetches.reduce(0, +),
        other.control.codeFetches.reduce(0, +)
      ),
    ]
    var told = values.filter { $0.1 != $0.2 }.map {
      "\($0.0) \(Int($0.2) - Int($0.1) > 0 ? "+" : "")\(Int($0.2) - Int($0.1))"
    }
    func owners(_ outcome: RunOutcome) -> [Int] {
      outcome.collected.leases.map { Int($0.at.nanoseconds) ^ ($0.shard << 32) }
    }
    if owners(one) != owners(other) { told.append("leases") }
    func latest(_ outcome: RunOutcome) -> Int64 {
      outcome.collected.services.flatMap { $0 }.map(\.maximum).max() ?? 0
    }
    if latest(one) != latest(other) { told.append("longest time") }
    return told
  }
}
