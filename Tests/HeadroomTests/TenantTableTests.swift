import Planning
import Platform
import ResultStore
import Scenario
import Testing

@testable import Simulation

/// Tenants in results and in objectives.
@Suite struct TenantTableTests {
  private static let text =
    SmallCluster.text + """

      tenants:
        - {name: default, quota_cores: 12}
        - {name: research, weight: 2, reserve: 25%}
      """

  @Test func tenantsAreTheirServices() throws {
    let document = try SmallCluster.document(Self.text)
    let tables = RunTables(outcome: try SmallCluster.run(document), run: 1, document: document)
    let (rows, services) = (tables.tenants(), tables.services())
    #expect(rows.map(\.tenant) == ["default", "research"])
    #expect(rows.map(\.services) == [5, 1])
    #expect(rows.map(\.quotaCores) == [12, nil])
    #expect(rows.map(\.weight) == [1, 2] && rows.map(\.reserve) == [0.1, 0.25])
    for row in rows {
      let own = services.filter { $0.tenant == row.tenant }
      #expect(row.arrivals == own.reduce(0) { $0 + $1.arrivals } && row.arrivals > 100)
      #expect(row.completed == own.reduce(0) { $0 + $1.completed })
      #expect(row.refused == own.reduce(0) { $0 + $1.refused })
      #expect(row.failed == own.reduce(0) { $0 + $1.failed })
      // Its instances, and pods that come up for them.
      let instances = own.reduce(0) { $0 + $1.instanceSeconds } / 3600
      let size = row.tenant == "research" ? 0.6 : 0.4
      #expect(row.heldCoreHours >= instances * size && row.heldCoreHours < 2 * instances * size)
      #expect(row.peakHeldCores >= row.meanHeldCores && row.meanHeldCores > 0)
    }
    let plain = try SmallCluster.document()
    let outcome = try SmallCluster.run(plain)
    #expect(RunTables(outcome: outcome, run: 1, document: plain).tenants().isEmpty)
  }

  /// A tenant with machines of its own has pools apart, of its own services' shapes and zones,
  /// which its starts take from; `pool: false` is none.
  @Test func ownMachinesHavePoolsOfTheirOwn() throws {
    let text = Self.text.replacing(
      "  gateways: {per_zone: 2,",
      with: """
          node_pools:
            - {name: own, cpu: 16, memory: 64GiB, initial: 1, min: 1, max: 2, tenants: [research]}
          gateways: {per_zone: 2,
        """)
    let document = try SmallCluster.document(text)
    let outcome = try SmallCluster.run(document)
    let tables = RunTables(outcome: outcome, run: 1, document: document)
    let pools = tables.pools()
    let own = pools.filter { $0.tenants == "research" }
    #expect(own.map(\.zone) == ["zone-a", "zone-b"])
    #expect(own.allSatisfy { $0.runtime == "python" && $0.shape == "medium" && $0.size == 5 })
    #expect(own.allSatisfy { $0.takes > 0 && $0.hits > 0 && $0.refills > 0 })
    #expect(pools.filter { $0.tenants == "" }.map(\.runtime) == ["go", "go", "go"])
    let research = tables.services().filter { $0.tenant == "research" }
    #expect(research.reduce(0) { $0 + $1.coldStartsPool } > 0)
    let without = try SmallCluster.document(
      text.replacing("    tenant: research", with: "    tenant: research\n    pool: false"))
    let mapped = ScenarioMapping(without).platform(replication: 0, peaks: nil).whole
    #expect(!mapped.pools.contains { $0.isWarm && !$0.tenants.isEmpty })
  }

  /// A tenant of one service is judged as the service is, over everything that scopes allow.
  @Test func tenantsAreJudged() throws {
    let scopes = [["tenant": "research"], ["service": "py"]]
    var objectives: [Objective] = []
    for measure in [
      Objective.Measure.requests, .completed, .refused, .failed, .coldStarts,
    ] {
      for scope in scopes {
        objectives.append(
          try SmallCluster.objective(.total, measure, in: scope, .greaterOrEqual, 0))
      }
    }
    for scope in scopes {
      objectives.append(
        try SmallCluster.objective(.mean, .readyPods, in: scope, .greater, 0))
    }
    for scope in scopes {
      objectives.append(
        try SmallCluster.objective(.quantile(0.99), .latency, in: scope, .less, 9))
    }
    for scope in scopes {
      objectives.append(
        try SmallCluster.objective(.total, .requests, in: scope, .less, 1, for: .seconds(60)))
    }
    var document = try SmallCluster.document(Self.text)
    document.objectives = objectives
    let outcome = try SmallCluster.run(document)
    let judged = ObjectiveVerdicts.judge(document, [outcome])
    #expect(judged.count == 16)
    for pair in 0..<judged.count / 2 {
      let (one, other) = (judged[2 * pair], judged[2 * pair + 1])
      #expect(one.value != nil && one.value == other.value, "\(one.objective)")
      #expect(one.verdict == other.verdict)
    }
    #expect((judged[0].value ?? 0) > 100)
    let histograms = RunTables(outcome: outcome, run: 1, document: document).histograms()
    #expect(histograms.contains { $0.scope == "objective" && $0.tenant == "research" })
  }

  /// Scopes exclude each other as everywhere.
  @Test func noServiceNoSample() throws {
    var document = try SmallCluster.document(Self.text)
    document.objectives = [
      try SmallCluster.objective(
        .total, .requests, in: ["tenant": "default", "service": "py"], .less, 1)
    ]
    let judged = ObjectiveVerdicts.judge(document, [try SmallCluster.run(document)])
    #expect(judged[0].verdict == .undecided && judged[0].note.contains("no sample"))
  }

  @Test func unknownTenantsAreErrors() {
    let result = ScenarioReader().read(
      Self.text + "\nobjectives: [\"requests(tenant=reserch) > 0\"]\n", file: "small.yaml",
      overrides: [])
    #expect(result.errors.map(\.help) == ["did you mean `research`?"], "\(result.rendered)")
  }
}
