import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Groups whose members belong to several tenants.
@Suite struct MemberTenantTests {
  private static func text(_ members: String, tenants: String = "") -> String {
    """
    headroom: 1
    name: owners
    duration: 1m
    fidelity: flow
    cluster: {zones: [{name: zone-a, nodes: {count: 40, cpu: 64, memory: 256GiB}}]}
    \(tenants)
    runtimes: {go: {init: 50ms}}
    shapes: {small: {cpu: 0.5, memory: 512MiB}}
    services:
      - name: group
        count: 200
        members: {\(members)}
        runtime: go
        shape: small
        concurrency: 10
        service_time: 10ms
        scaling: "hpa(concurrency: 3)"
        instances: {min: 1, max: 1k}
        arrivals: {process: bytefaas, total_peak: 4k/s, popularity_sigma: 1,
          patterns: {steady: 100%}}
    objectives: ["requests > 1"]
    """
  }

  private static func names(_ text: String) throws -> [String] {
    let document = try SpreadServiceTests.document(text)
    let mapped = ScenarioMapping(document).platform(replication: 0, peaks: nil)
    return mapped.whole.services.map(\.tenantName)
  }

  /// Every member has a tenant, by the shares, among any neighbours.
  @Test func tenantsHaveTheirShares() throws {
    let names = try Self.names(Self.text("tenants: {mall: 60%, news: 40%}"))
    #expect(names.count == 200)
    #expect(abs(names.filter { $0 == "mall" }.count - 120) <= 3)
    #expect(abs(names.prefix(50).filter { $0 == "news" }.count - 20) <= 3)
    #expect(Set(names) == ["mall", "news"])
  }

  /// Of many tenants by a Pareto law the first have most: the mean share of the greatest part of
  /// 1/n is that of its middle, n^(1/a) 2^(1/a) over the sum.
  @Test func manyTenantsHaveAParetoLaw() throws {
    let shares = MembersSection.tenants(400)
    let all = shares.reduce(0) { $0 + $1.share }
    let first = shares[0].share / all
    #expect(abs(shares[0].share / shares[1].share - 2.7149) < 1e-3, "3^(1/1.1)")
    #expect(shares.prefix(5).reduce(0) { $0 + $1.share } / all > 0.1, "more than a reserve of 10 %")
    let names = try Self.names(Self.text("tenant_count: 400"))
    let largest = Double(names.filter { $0 == "tenant-0" }.count) / 200
    #expect(abs(largest - first) < 0.03, "\(largest) for \(first)")
    #expect(names.allSatisfy { $0.hasPrefix("tenant-") })
  }

  /// Declared tenants are those that members may have, and their quotas hold.
  @Test func declaredTenantsAreFound() throws {
    let declared = "tenants: [{name: mall, quota_cores: 200}, {name: news, quota_cores: 100}]"
    let document = try SpreadServiceTests.document(
      Self.text("tenants: {mall: 60%, news: 40%}", tenants: declared))
    let services = ScenarioMapping(document).platform(replication: 0, peaks: nil).whole.services
    #expect(services.allSatisfy { ["mall", "news"][$0.tenant] == $0.tenantName })
    #expect(Set(services.map(\.tenant)) == [0, 1])
  }

  @Test(arguments: [
    ("tenants: {mall: 60%, cinema: 40%}", "tenants: [{name: mall}]", "unknown tenant `cinema`"),
    ("tenant_count: 3", "tenants: [{name: mall}]", "unknown tenant `tenant-0`"),
    ("tenant_count: 3, tenants: {mall: 1%}", "", "both say whose the members are"),
  ]) func whatDoesNotFitIsTold(members: String, tenants: String, part: String) {
    let text = Self.text(members, tenants: tenants)
    let result = ScenarioReader().read(text, file: "owners.yaml", overrides: [])
    #expect(result.document == nil)
    #expect(result.rendered.contains(part), "\(result.rendered)")
  }
}
