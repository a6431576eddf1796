import Primitives

/// Node pools, virtual nodes and tenants.
enum ElasticReading {
  static func nodePools(_ cluster: inout FieldReader) -> [NodePoolSection] {
    cluster.list("node_pools").map { tree, path in
      var pool = FieldReader(tree, path: path, mark: tree.mark, context: cluster.context)
      defer { pool.finish() }
      var section = NodePoolSection()
      section.name = pool.string("name")
      section.zones = pool.words("zones") ?? []
      section.cpuMilli = pool.milliCores("cpu")
      section.memoryBytes = pool.bytes("memory")
      section.initial = pool.count("initial", .assumed("0"), in: 0...100_000)
      section.minimum = pool.count("min", .assumed("0"), in: 0...100_000)
      section.maximum = pool.count("max", in: 1...100_000)
      section.pricePerHour = pool.number("price_per_hour", .assumed("0"))
      section.provision = pool.distribution(
        "provision", .assumed("lognormal(median: 3m, sigma: 0.3)"))
      section.supply = pool.limit("supply", .assumed("unlimited"))
      section.tenants = tenants(of: &pool)
      return section
    }
  }

  static func nodeScaling(_ cluster: inout FieldReader) -> NodeScalingSection {
    let flag = { (text: String, name: String) -> Default in
      .published(text, source: "Cluster Autoscaler: `--\(name)`")
    }
    var reader = cluster.section("node_scaling")
    defer { reader.finish() }
    var section = NodeScalingSection()
    section.scanInterval = reader.duration(
      "scan_interval", flag("10s", "scan-interval"), atLeast: "1s")
    section.unneededTime = reader.duration(
      "unneeded_time", flag("10m", "scale-down-unneeded-time"))
    section.utilisationThreshold = reader.share(
      "utilisation_threshold", flag("50%", "scale-down-utilization-threshold"))
    section.delayAfterAdd = reader.duration(
      "delay_after_add", flag("10m", "scale-down-delay-after-add"))
    section.delayAfterFailure = reader.duration(
      "delay_after_failure", flag("3m", "scale-down-delay-after-failure"))
    section.provisionTime = reader.duration(
      "provision_time", flag("15m", "max-node-provision-time"), atLeast: "1s")
    section.expander = reader.word(
      "expander", of: ["least_waste", "least_nodes", "most_pods", "price", "random"],
      flag("least_waste", "expander"))
    section.balancesSimilar =
      reader.word("balance_similar", of: ["off", "on"], flag("off", "balance-similar-node-groups"))
      == "on"
    return section
  }

  /// None where all share a pool.
  private static func tenants(of pool: inout FieldReader) -> [String] {
    if pool.isWord("tenants", "shared", .assumed("shared")) { return [] }
    if case .sequence(let items) = pool.given("tenants")?.content, items.isEmpty {
      _ = pool.words("tenants")
      pool.context.fail(
        .missingKey, at: pool.child("tenants"), "`\(pool.child("tenants"))` names no tenant",
        help: "write `tenants: shared`, or name one")
      return []
    }
    return pool.words("tenants") ?? []
  }

  static func virtualNodes(_ cluster: inout FieldReader) -> VirtualNodesSection? {
    if cluster.isWord("virtual_nodes", "none", .assumed("none")) { return nil }
    var section = VirtualNodesSection()
    var nodes = cluster.section("virtual_nodes")
    section.zones = nodes.words("zones") ?? []
    section.prices = nodes.list("prices", required: true).map { tree, path in
      var price = FieldReader(tree, path: path, mark: tree.mark, context: cluster.context)
      defer { price.finish() }
      return VirtualNodesSection.Price(
        cpuMilli: price.milliCores("cpu"), memoryBytes: price.bytes("memory"),
        perHour: price.number("per_hour"))
    }
    section.start = nodes.distribution("start", .assumed("lognormal(median: 4s, sigma: 0.3)"))
    if !nodes.isWord("stock", "unlimited", .assumed("unlimited")) {
      section.stockCPUMilli = nodes.milliCores("stock")
    }
    section.prefer = nodes.word("prefer", of: ["machines", "virtual"], .assumed("machines"))
    nodes.finish()
    return section
  }

  static func tenants(_ reader: inout FieldReader) -> [TenantSection] {
    let talk = "ByteFaaS talk, slides 43 to 49: a standing reserve of 10 %"
    return reader.list("tenants").map { tree, path in
      var tenant = FieldReader(tree, path: path, mark: tree.mark, context: reader.context)
      defer { tenant.finish() }
      var section = TenantSection()
      section.name = tenant.string("name")
      if !tenant.isWord("quota_cores", "unlimited", .assumed("unlimited")) {
        section.quotaCPUMilli = tenant.milliCores("quota_cores")
      }
      section.reserve = tenant.share("reserve", .published("10%", source: talk))
      section.weight = tenant.number("weight", .assumed("1"), in: 1e-3...1e6)
      return section
    }
  }
}
