import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// Who is hurt by a fault: services, tenants and classes of importance.
@Suite struct RehearsalHarmTests {
  /// One gateway that bears 300 requests a second, and sheds the less important. 80, 80 and 40 come
  /// to services of importance 0, 3 and 7, the last two from one tenant; and then for a minute
  /// twice as much.
  private static func harm(_ shares: String) throws -> RehearsalHarm {
    func service(_ name: String, _ importance: Int, _ tenant: String, _ rate: Int) -> String {
      """
        - {name: \(name), importance: \(importance), tenant: \(tenant), runtime: go, shape: small,
           concurrency: 10, service_time: 10ms, instances: {min: 10, max: 10},
           arrivals: {process: poisson, rate: \(rate)/s}}
      """
    }
    let text = """
      headroom: 1
      name: harm
      duration: 3m
      warmup: 10s
      cluster:
        zones: [{name: zone-a, nodes: {count: 4, cpu: 64, memory: 64GiB}}]
        gateways: {per_zone: 1, capacity: 300/s, shedding: {shares: [\(shares)]}}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      pools: {size: 2}
      services:
      \(service("pay", 0, "mall", 80))
      \(service("browse", 3, "news", 80))
      \(service("crawl", 7, "news", 40))
      faults:
        - {at: 1m, surge: pay, factor: 2, for: 1m}
        - {at: 1m, surge: browse, factor: 2, for: 1m}
        - {at: 1m, surge: crawl, factor: 2, for: 1m}
      """
    let result = ScenarioReader().read(text, file: "harm.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    let study = RehearsalStudy(
      runner: ScenarioRunner(document, threads: 1), replications: 1)
    return RehearsalHarm([try study.pair(0, peaks: nil)], document: document)
  }

  /// Shedding spares the important: of 400 a second 300 are let in, so that the 80 of importance 7
  /// and 20 of the 160 of importance 3 go.
  @Test func sheddingSparesTheImportant() throws {
    let harm = try Self.harm("100%, 100%, 100%, 100%, 100%, 100%, 100%, 100%")
    #expect(harm.importance.map(\.name) == ["0", "3", "7"])
    #expect(harm.importance.map(\.calm) == [[0], [0], [0]])
    let hurt = harm.importance.map { $0.faulted[0] }
    #expect(hurt[0] == 0)
    // A minute of 230 s of traffic at the usual rate: 160 x 60 of 80 x 230 requests, and so on.
    #expect(abs(hurt[1] - 20.0 * 60 / (80 * 230)) < 0.02, "\(hurt)")
    #expect(abs(hurt[2] - 80.0 * 60 / (40 * 230)) < 0.06, "\(hurt)")
    // The same requests by service, and by tenant: those of `mall` are unhurt.
    #expect(harm.services.map(\.name) == ["crawl", "browse", "pay"])
    #expect(harm.services.map { $0.faulted[0] } == [hurt[2], hurt[1], hurt[0]])
    #expect(harm.tenants.map(\.name) == ["news", "mall"] && harm.tenants[1].faulted == [0])
    let shed = harm.totals.first { $0.name == "shed" }
    #expect(shed?.calm == [0] && (shed?.faulted[0] ?? 0) > 4_000)
  }
}
