import Primitives
import Testing

@testable import Scenario

/// Node pools, virtual nodes and tenants: what is read, and what is refused at its place.
@Suite struct ElasticRulesTests {
  private static let pool =
    "{name: general, cpu: 16, memory: 64GiB, max: 8, price_per_hour: 0.6, supply: 5}"
  private static let virtual =
    "{stock: 40, prices: [{cpu: 0.5, memory: 1GiB, per_hour: 0.03}]}"

  /// The sample with node pools, virtual nodes and tenants; `▲` marks the place of an error.
  private static func text(
    pools: String = "[\(pool)]", virtual: String = virtual,
    tenants: String = "[{name: default, quota_cores: 20}, {name: other}]"
  ) -> String {
    Samples.valid.replacing(
      "  gateways: {per_zone: 2}",
      with: """
          gateways: {per_zone: 2}
          node_pools: \(pools)
          virtual_nodes: \(virtual)
        tenants: \(tenants)
        """)
  }

  @Test func whatIsGivenIsRead() throws {
    let result = Samples.read(Self.text())
    let document = try #require(result.document, "\(result.rendered)")
    let pool = try #require(document.cluster.nodePools.first)
    #expect((pool.name, pool.cpuMilli, pool.maximum, pool.supply) == ("general", 16_000, 8, 5))
    #expect(pool.initial == 0 && pool.minimum == 0 && pool.tenants.isEmpty && pool.zones.isEmpty)
    let virtual = try #require(document.cluster.virtualNodes)
    #expect(virtual.stockCPUMilli == 40_000 && virtual.prefer == "machines")
    #expect(virtual.prices.map(\.cpuMilli) == [500])
    #expect(document.tenants.map(\.quotaCPUMilli) == [20_000, nil])
    #expect(document.tenants.map(\.reserve) == [0.1, 0.1])
  }

  @Test func nothingOfItIsNeeded() throws {
    let document = try #require(Samples.read(Samples.valid).document)
    #expect(document.cluster.nodePools.isEmpty && document.cluster.virtualNodes == nil)
    #expect(document.tenants.isEmpty)
  }

  static let bad: [(text: String, kind: Diagnostic.Kind, message: String)] = [
    (
      text(
        pools: "[{name: p, ▲cpu: 0, memory: 1GiB, max: 1}]".replacing("▲cpu: 0", with: "cpu: ▲0")),
      .outOfRange, "nodes of pool `p` have no cpu"
    ),
    (
      text(pools: "[{name: p, cpu: 1, memory: 1GiB, max: 2, initial: ▲3}]"), .inconsistent,
      "3 nodes of pool `p`, at most 2"
    ),
    (
      text(
        pools: "[{name: p, cpu: 1, memory: 1GiB, max: 2}, "
          + "{name: ▲p, cpu: 1, memory: 1GiB, max: 2, zones: [zone-b]}]"),
      .duplicateName, "node pool `p` is there twice"
    ),
    (
      text(pools: "[{name: ▲fixed, cpu: 1, memory: 1GiB, max: 2}]"), .duplicateName,
      "`fixed` is what the machines of `cluster.zones` are called"
    ),
    (
      text(pools: "[{name: p, tenants: ▲[], cpu: 1, memory: 1GiB, max: 2}]"), .missingKey,
      "`cluster.node_pools[0].tenants` names no tenant"
    ),
    (
      text(pools: "[{name: p, zones: [▲zone-q], cpu: 1, memory: 1GiB, max: 2}]"), .unknownName,
      "unknown zone `zone-q`"
    ),
    (
      text(pools: "[{name: p, tenants: [▲nobody], cpu: 1, memory: 1GiB, max: 2}]"), .unknownName,
      "unknown tenant `nobody`"
    ),
    (
      text(tenants: "[{name: default, quota_cores: ▲-5}]"), .outOfRange,
      "`tenants[0].quota_cores` is `-5`"
    ),
    (
      text(tenants: "[{name: default}, {name: ▲default}]"), .duplicateName,
      "tenant `default` is there twice"
    ),
    (
      text(virtual: "{prices: [{cpu: 0.25, memory: 1GiB, per_hour: 1}]}")
        .replacing("  small: {cpu: 0.5", with: "  ▲small: {cpu: 0.5"),
      .inconsistent, "virtual nodes have no price for shape `small`"
    ),
    (
      text(virtual: "{prices: ▲[]}"), .inconsistent, "virtual nodes have no price of any size"
    ),
    (
      text(tenants: "[{name: default, quota_cores: ▲0.25}]"), .inconsistent,
      "the quota of tenant `default` has no room for one pod of service `api`: "
        + "shape `small` asks for 0.5 of it"
    ),
    (
      text(pools: "[{name: tiny, cpu: ▲0.1, memory: 64MiB, max: 3}]"), .inconsistent,
      "a node of pool `tiny` is too small for a pod of any shape"
    ),
    (
      text(pools: "[{name: tiny, cpu: 1, memory: ▲64MiB, max: 3}]"), .inconsistent,
      "a node of pool `tiny` is too small for a pod of any shape"
    ),
    (
      text(
        pools: "[{name: p, cpu: 1, memory: 1GiB, max: 2, tenants: [other]}, "
          + "{name: q, cpu: 1, memory: 1GiB, max: 2, tenants: ▲[default, other]}]"),
      .inconsistent, "tenant `other` has another pool together with others"
    ),
    (
      text(pools: "[]", virtual: "none").replacing(
        "nodes: {count: 4, cpu: 16, memory: 64GiB}}\n    - {name: zone-b",
        with: "nodes: {count: ▲0, cpu: 16, memory: 64GiB}}\n    - {name: zone-b"),
      .inconsistent, "zone `zone-a` has no machines, and none can come"
    ),
  ]

  @Test(arguments: bad.indices)
  func whatCannotBeIsRefusedAtItsPlace(index: Int) throws {
    let (marked, kind, message) = Self.bad[index]
    let (text, place) = Samples.placed(marked)
    let result = Samples.read(text)
    #expect(result.document == nil)
    let found = try #require(result.errors.first, "\(message)")
    #expect(found.kind == kind, "\(result.rendered)")
    #expect(found.message == message, "\(result.rendered)")
    #expect((found.line, found.column) == (place.line, place.column), "\(result.rendered)")
  }

  /// Of 64 cores in a zone at most 64 can be reserved; machines of one's own need no reserve, and
  /// those that may come count.
  @Test func reservesBeyondAllMachinesAreTold() throws {
    func warned(_ pools: String, _ tenants: String) -> [Diagnostic] {
      Samples.read(Self.text(pools: pools, tenants: tenants)).diagnostics
    }
    let two = "[{name: default, quota_cores: 1000}, {name: other, quota_cores: 400}]"
    let found = warned("[]", two)
    #expect(found.map(\.kind) == [.implausible])
    let first = try #require(found.first)
    #expect(
      first.message == "the reserves of all tenants are 70 cores in each zone, and zone `zone-a` "
        + "has 64 of shared machines at most: each gets its share of these, and tenants without a "
        + "reserve nothing")
    #expect(first.line > 0)
    #expect(warned("[{name: p, cpu: 16, memory: 64GiB, max: 1}]", two).isEmpty)
    #expect(
      warned("[{name: p, cpu: 16, memory: 64GiB, max: 1, zones: [zone-a]}]", two).map(\.kind)
        == [.implausible])
    #expect(
      warned("[{name: p, cpu: 16, memory: 64GiB, max: 1, tenants: [other]}]", two).isEmpty)
    #expect(
      warned("[]", "[{name: default, quota_cores: 1000, reserve: 9%}, {name: other}]").isEmpty)
  }

  /// Nobody orders what is missing to the least size of a pool.
  @Test func aPoolThatBeginsBelowItsLeastSize() throws {
    func read(_ numbers: String) -> (result: ScenarioReader.Result, place: Mark) {
      let (text, place) = Samples.placed(
        Self.text(pools: "[{name: p, cpu: 16, memory: 64GiB, \(numbers)}]"))
      return (Samples.read(text), place)
    }
    let (result, place) = read("max: 8, initial: 1, min: ▲3")
    let found = try #require(result.diagnostics.first)
    #expect(result.diagnostics.map(\.kind) == [.implausible] && result.document != nil)
    #expect((found.line, found.column) == (place.line, place.column))
    #expect(
      found.message == "pool `p` begins with 1 nodes in a zone: `min` keeps 3, and orders none "
        + "that pods do not ask for")
    #expect(read("max: 8, initial: 3, min: 3").result.rendered == "")
    #expect(read("max: 2, initial: 1, min: ▲3").result.errors.map(\.kind) == [.inconsistent])
  }

  static let nothing: [(text: String, message: String)] = [
    (
      text(pools: "[{name: p, cpu: 16, memory: 64GiB, max: 8, provision: ▲constant(20m)}]"),
      "machines of pool `p` take longer than the Cluster Autoscaler waits for them: after 900 s "
        + "each order is given up"
    ),
    (
      text(pools: "[{name: p, cpu: 16, memory: 64GiB, max: 8}]").replacing(
        "  gateways:", with: "  node_scaling: {provision_time: ▲60s}\n  gateways:"),
      "machines of pool `p` take longer than the Cluster Autoscaler waits for them: after 60 s "
        + "each order is given up"
    ),
    (
      text(
        pools: "[{name: p, cpu: 16, memory: 64GiB, max: 8, price_per_hour: 1}, "
          + "{name: q, cpu: 16, memory: 64GiB, max: 8}]"
      ).replacing("  gateways:", with: "  node_scaling: {expander: ▲price}\n  gateways:"),
      "pools are chosen by price, and pool `q` has none: it is always the cheapest"
    ),
    (
      text(tenants: "[{name: default}, {name: other, reserve: ▲20%}]"),
      "the reserve of tenant `other` is a share of its quota, and it has none: nothing is kept "
        + "free for it"
    ),
    (
      text(tenants: "[{name: default, quota_cores: ▲2}, {name: other}]").replacing(
        "    service_time: constant(50ms)",
        with: "    service_time: constant(50ms)\n    instances: {min: 5}"),
      "the `instances.min` of the services of tenant `default` ask for 2.5 cores, and its quota is "
        + "2: they never have them all"
    ),
  ]

  /// Settings that come to nothing are told, at their place, and stop nothing.
  @Test(arguments: nothing.indices) func whatComesToNothingIsTold(index: Int) throws {
    let (marked, message) = Self.nothing[index]
    let (text, place) = Samples.placed(marked)
    let result = Samples.read(text)
    #expect(result.document != nil)
    #expect(result.diagnostics.map(\.kind) == [.implausible], "\(result.rendered)")
    let found = try #require(result.diagnostics.first)
    #expect(found.message == message)
    #expect((found.line, found.column) == (place.line, place.column), "\(result.rendered)")
  }

  @Test func aServiceOfNobodyIsRefused() {
    let result = Samples.read(Self.text(tenants: "[{name: other}]"))
    #expect(result.errors.count { $0.kind == .unknownName } == 2, "\(result.rendered)")
  }
}
