import Platform
import Primitives
import Scenario
import Simulation
import Statistics

/// What a size study reports for each runtime and in total.
enum SizeMeasures {
  private static let reported:
    [(name: String, unit: String, value: @Sendable (ObjectiveJudge, String?) -> Double?)] = [
      ("cold_starts", "", { $0.value(named: "cold_starts", runtime: $1) }),
      ("cold_starts_pool", "", { $0.coldStarts(.pool, runtime: $1) }),
      ("cold_starts_fallback", "", { $0.coldStarts(.fallback, runtime: $1) }),
      ("cold_starts_virtual", "", { $0.coldStarts(.virtualNode, runtime: $1) }),
      ("cold_starts_isolate", "", { $0.coldStarts(.isolate, runtime: $1) }),
      ("pool_takes", "", { $0.value(named: "pool_takes", runtime: $1) }),
      ("pool_misses", "", { $0.value(named: "pool_misses", runtime: $1) }),
      ("p99 start", "s", { $0.value(named: "p99(start_latency)", runtime: $1) }),
      ("idle_pod_hours", "h", { $0.value(named: "idle_pod_hours", runtime: $1) }),
    ]

  static func all(_ outcomes: [RunOutcome], _ document: ScenarioDocument) -> [SizeMeasure] {
    let judges = outcomes.map { ObjectiveJudge($0) }
    let left = leftOut(outcomes.map(\.configuration))
    let scopes: [String?] = [nil] + document.runtimes.map { $0.name }
    return scopes.flatMap { runtime in
      reported.filter { !left.contains($0.name) }.compactMap { name, unit, value in
        measure(name, unit, runtime, judges.map { value($0, runtime) })
      }
    }
  }

  /// Paths that the cluster does not have.
  private static func leftOut(_ clusters: [ClusterConfiguration]) -> [String] {
    let hasVirtual = clusters.contains { $0.virtualNodes != nil }
    let hasHosts = clusters.contains { $0.pools.contains { $0.hosts != nil } }
    return (hasVirtual ? [] : ["cold_starts_virtual"]) + (hasHosts ? [] : ["cold_starts_isolate"])
  }

  /// Nil where a replication has no sample.
  private static func measure(
    _ name: String, _ unit: String, _ runtime: String?, _ samples: [Double?]
  ) -> SizeMeasure? {
    let values = samples.compactMap { $0 }
    guard values.count == samples.count, !values.isEmpty else { return nil }
    // None of these can be negative, whatever a symmetric interval says.
    let interval =
      values.count >= 8 ? try? MeanInterval.t(values).mapped { max(0, $0) } : nil
    return SizeMeasure(
      runtime: runtime, name: name, unit: unit, values: values, interval: interval)
  }
}
