import Testing

@testable import Scenario

/// Which clusters have a service: what it names, or what its region assigns; and what cannot be.
@Suite struct PlacementTests {
  private static func text(
    services: String, assign: String = "", changes: String = "", faults: String = ""
  ) -> String {
    let zones =
      "zones: [{name: z1, nodes: {count: 1, cpu: 16, memory: 64GiB}}, "
      + "{name: z2, nodes: {count: 1, cpu: 16, memory: 64GiB}}]"
    return """
      headroom: 1
      name: placement
      duration: 10m
      regions:
        - name: north
          clusters: [{name: a, \(zones)}, {name: b, \(zones)}]
          \(assign.isEmpty ? "" : "assign: [\(assign)]")
        - {name: south, clusters: [{name: a, \(zones)}]}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      \(changes.isEmpty ? "" : "changes: [\(changes)]")
      \(faults.isEmpty ? "" : "faults: [\(faults)]")
      services:
      \(services.split(separator: "\n").map { "  - {\($0)}" }.joined(separator: "\n"))
      """
  }

  private static let rest =
    "runtime: go, shape: small, service_time: 20ms, arrivals: {process: poisson, rate: 10/s}"

  private static func read(_ text: String) -> ScenarioReader.Result {
    ScenarioReader().read(text, file: "placement.yaml")
  }

  private static func service(_ name: String, _ fields: String) -> String {
    "name: \(name), \(fields), \(rest)"
  }

  // MARK: Placement

  @Test func weightsAreDividedOverZonesInTheOrderOfTheRegion() throws {
    let result = Self.read(
      Self.text(
        services: Self.service("s", "clusters: {north/b: 30, north/a: 70}") + "\n"
          + Self.service("t", "clusters: [north/a, north/b], zones: [z2]")))
    let document = try #require(result.document, "\(result.rendered)")
    let parts = document.parts
    #expect(parts.map { $0.services.map(\.name) } == [["s", "t"], ["s", "t"], []])
    #expect(
      parts[0].services[0].spread
        == SpreadSection(places: [0, 1, 2, 3], weights: [35, 35, 15, 15], own: 0..<2))
    #expect(parts[1].services[0].spread?.own == 2..<4)
    #expect(
      parts[1].services[1].spread
        == SpreadSection(places: [1, 3], weights: [1, 1], own: 1..<2))
    #expect(parts[0].services[0].spread?.share == 0.7)
    #expect(parts[1].services[1].zones.map(\.name) == ["north/b/z2"])
  }

  @Test func theFirstRuleThatMatchesHolds() throws {
    let rules = """
      {tenant: big, importance: 1, to: a}, {tenant: big, to: b}, {class: offline, to: b}, \
      {to: {a: 1, b: 3}}
      """
    let services = [
      Self.service("one", "region: north, tenant: big, importance: 1"),
      Self.service("two", "region: north, tenant: big, class: offline"),
      Self.service("three", "region: north, class: offline, importance: 7"),
      Self.service("four", "region: north"), Self.service("five", "cluster: south/a"),
    ]
    let result = Self.read(
      Self.text(services: services.joined(separator: "\n"), assign: rules))
    let document = try #require(result.document, "\(result.rendered)")
    #expect(
      document.services.map { $0.placement.map(\.name) } == [
        ["north/a"], ["north/b"], ["north/b"], ["north/a", "north/b"], ["south/a"],
      ])
    #expect(document.services[3].placement.map(\.weight) == [1, 3])
    #expect(
      document.services.map(\.importance) == [1, 0, 7, 0, 0])
  }

  // MARK: What cannot be

  /// One error each, at the line of its service or rule.
  @Test(arguments: [
    ("clusters: {north/a: 0, north/b: 0}", "has no weight in any of its clusters"),
    ("clusters: [north/a, south/a]", "in the regions north and south, which share nothing"),
    ("clusters: [north/a, north/a]", "names `north/a` twice"),
    ("clusters: [north/a, north/c]", "there is no `north/c`"),
    ("clusters: {north/a: much, north/b: 1}", "the weight of `north/a` is no number"),
    ("clusters: {north/a: -1, north/b: 1}", "the weight of `north/a` is no number"),
    ("clusters: [north/a], cluster: north/b", "has both `cluster` and `clusters`"),
    ("region: north, cluster: north/b", "has both `cluster` and `region`"),
    ("region: west", "there is no region `west`"),
    ("region: south", "does not say in which cluster it is"),
    ("concurrency: 1", "does not say in which cluster it is"),
    ("clusters: [north/a, north/b], topic: {partitions: 4}", "consumes a topic, which one cluster"),
    ("cluster: north/a, importance: vital", "`vital` is no value"),
  ]) func oneErrorForOneMistake(_ fields: String, _ message: String) {
    let result = Self.read(Self.text(services: Self.service("s", fields)))
    #expect(result.errors.count == 1, "\(result.rendered)")
    #expect(result.errors.first?.message.contains(message) == true, "\(result.rendered)")
    // Its own line.
    #expect(result.errors.first?.line == 14, "\(result.rendered)")
  }

  @Test(arguments: [
    ("{to: a}, {tenant: default, to: b}", "`assign[1]` of `north` never matches: `assign[0]`"),
    (
      "{class: offline, to: a}, {class: offline, tenant: default, to: b}, {to: a}",
      "`assign[1]` of `north` never matches"
    ),
    ("{class: offline, to: a}", "service `s` matches no rule of region `north`"),
    ("{tenant: nobody, to: a}, {to: a}", "there is no tenant `nobody`"),
    ("{importance: vital, to: a}, {to: a}", "there is no importance `vital`"),
    ("{to: c}", "there is no `north/c`"),
    ("{to: south/a}", "`south/a` is not a cluster of region `north`"),
    ("{to: {a: 0, b: 0}}", "has no weight in any of its clusters"),
    ("{class: offline}, {to: a}", "`regions[0].assign[0].to` is missing"),
  ]) func oneErrorForOneBadRule(_ rules: String, _ message: String) {
    let result = Self.read(
      Self.text(services: Self.service("s", "region: north"), assign: rules))
    #expect(result.errors.count == 1, "\(result.rendered)")
    #expect(
      result.errors.first.map { "\($0.message) \($0.help ?? "")".contains(message) } == true,
      "\(result.rendered)")
  }

  @Test func withoutRegionsThereAreNoClusters() {
    let text = """
      headroom: 1
      name: one
      duration: 1m
      cluster: {zones: [{name: z, nodes: {count: 1, cpu: 16, memory: 64GiB}}]}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
        - {name: s, clusters: [north/a, north/b], \(Self.rest)}
        - {name: t, region: north, \(Self.rest)}
      """
    let result = Self.read(text)
    #expect(result.errors.count == 2, "\(result.rendered)")
    #expect(result.errors.allSatisfy { $0.message.contains("no `regions`") })
  }

  // MARK: Changes

  @Test(arguments: [
    ("{at: 1m, service: s, instances: {min: 5, max: 3}}", "wants 5 instances at least, 3 at most"),
    ("{at: 1m, service: q, instances: {max: 3}}", "there is no service `q`"),
    ("{at: 1m, drain: north/c}", "there is no zone or cluster `north/c`"),
    ("{at: 1m}", "`changes[0]` changes nothing"),
    ("{at: 1m, service: s}", "changes nothing of its service"),
    ("{at: 1m, drain: north/a, instances: {max: 3}}", "says nothing of `drain`"),
    ("{at: 1m, service: s, instances: {max: 3}, for: 1m}", "`for` says nothing of a service"),
    ("{at: 1m, service: s, drain: north/a, instances: {max: 3}}", "both `service` and `drain`"),
  ]) func oneErrorForOneBadChange(_ change: String, _ message: String) {
    let result = Self.read(
      Self.text(services: Self.service("s", "cluster: north/a"), changes: change))
    #expect(result.errors.count == 1, "\(result.rendered)")
    #expect(result.errors.first?.message.contains(message) == true, "\(result.rendered)")
  }

  @Test func anAPIBelongsToARegion() {
    let service = Self.service("s", "cluster: north/a")
    let change = "{at: 1m, service: s, instances: {max: 30}}"
    func errors(_ fault: String) -> [String] {
      Self.read(Self.text(services: service, changes: change, faults: fault)).errors.map(\.message)
    }
    #expect(errors("{at: 1m, stop: api, in: north, for: 1m}").isEmpty)
    #expect(errors("{at: 1m, stop: api, for: 1m}").first?.contains("in which region") == true)
    #expect(
      errors("{at: 1m, stop: api, in: north/a, for: 1m}").first?.contains("`north/a` is a cluster")
        == true)
    let warned = Self.read(
      Self.text(services: service, faults: "{at: 1m, stop: api, in: north, for: 1m}"))
    #expect(warned.warnings.contains { $0.message.contains("nobody asks the API") })
  }
}
