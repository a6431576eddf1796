/// What must hold between node pools, virtual nodes, tenants and the rest of a scenario.
struct ElasticRules {
  let document: ScenarioDocument
  let context: ReadingContext

  func check() {
    for (index, pool) in document.cluster.nodePools.enumerated() {
      check(pool, at: "cluster.node_pools[\(index)]")
      comesLate(pool, at: "cluster.node_pools[\(index)].provision")
    }
    unpriced()
    poolNames()
    virtualNodes()
    tenants()
    quotas()
    reserves()
    reservesOfNothing()
    leastInstances()
    emptyZones()
  }

  private var zones: [String] { document.cluster.zones.map(\.name) }

  private func known(_ names: [String], in all: [String], _ what: String, at path: String) {
    for (index, name) in names.enumerated() where !all.contains(name) {
      context.fail(
        .unknownName, at: "\(path)[\(index)]", length: name.count, "unknown \(what) `\(name)`",
        help: Nearest.hint(name, in: all))
    }
  }

  /// Capacity is told by the names of pools, and that of the zones' own machines by `fixed`.
  private func poolNames() {
    let names = document.cluster.nodePools.map(\.name)
    for (index, name) in names.enumerated() where !name.isEmpty {
      let path = "cluster.node_pools[\(index)].name"
      if name == Self.fixedMachines {
        context.fail(
          .duplicateName, at: path, length: name.count,
          "`\(name)` is what the machines of `cluster.zones` are called",
          help: "give the pool another name")
      } else if names.firstIndex(of: name) != index {
        context.fail(
          .duplicateName, at: path, length: name.count, "node pool `\(name)` is there twice",
          help: "give each a name of its own")
      }
    }
  }

  private static let fixedMachines = "fixed"

  private func check(_ pool: NodePoolSection, at path: String) {
    known(pool.zones, in: zones, "zone", at: "\(path).zones")
    known(pool.tenants, in: document.tenants.map(\.name), "tenant", at: "\(path).tenants")
    for (key, isNone) in [("cpu", pool.cpuMilli == 0), ("memory", pool.memoryBytes >> 20 == 0)]
    where isNone && context.isSound("\(path).\(key)") && context.isPlaced("\(path).\(key)") {
      context.fail(
        .outOfRange, at: "\(path).\(key)", "nodes of pool `\(pool.name)` have no \(key)",
        help: key == "cpu" ? "for example `cpu: 64`" : "for example `memory: 256GiB`")
    }
    holdsNothing(pool, at: path)
    beginsTooSmall(pool, at: path)
    guard context.isSound("\(path).max") else { return }
    for (key, value) in [("initial", pool.initial), ("min", pool.minimum)]
    where value > pool.maximum && context.isSound("\(path).\(key)") {
      context.fail(
        .inconsistent, at: "\(path).\(key)",
        "\(value) nodes of pool `\(pool.name)`, at most \(pool.maximum)",
        help: "lower `\(key)` or raise `max`")
    }
  }

  /// As Kubernetes' Cluster Autoscaler, which raises no pool to its least size by itself
  /// (`enforce-node-group-min-size` is off).
  private func beginsTooSmall(_ pool: NodePoolSection, at path: String) {
    guard pool.minimum > pool.initial, pool.minimum <= pool.maximum,
      context.isSound("\(path).min"), context.isSound("\(path).initial")
    else { return }
    context.fail(
      .implausible, at: "\(path).min",
      "pool `\(pool.name)` begins with \(pool.initial) nodes in a zone: `min` keeps "
        + "\(pool.minimum), and orders none that pods do not ask for",
      help: "raise `initial` to \(pool.minimum)")
  }

  /// Of the shapes that there are one at least fits on a machine.
  private func holdsNothing(_ pool: NodePoolSection, at path: String) {
    guard !document.shapes.isEmpty, pool.cpuMilli > 0, pool.memoryBytes >> 20 > 0,
      !document.services.contains(where: \.shapeFromMemory), areShapesSound
    else { return }
    let tooSmall = [
      ("cpu", document.shapes.allSatisfy { $0.cpuMilli > pool.cpuMilli }),
      ("memory", document.shapes.allSatisfy { $0.memoryBytes > pool.memoryBytes }),
    ].first { $0.1 }?.0
    let fits = document.shapes.contains {
      $0.cpuMilli <= pool.cpuMilli && $0.memoryBytes <= pool.memoryBytes
    }
    guard !fits, context.isSound("\(path).cpu"), context.isSound("\(path).memory") else { return }
    context.fail(
      .inconsistent, at: "\(path).\(tooSmall ?? "cpu")",
      "a node of pool `\(pool.name)` is too small for a pod of any shape",
      help: "use larger nodes, or remove the pool")
  }

  private var areShapesSound: Bool {
    document.shapes.allSatisfy { shape in
      ["cpu", "memory"].allSatisfy { context.isSound("shapes.\(shape.name).\($0)") }
    }
  }

  /// A zone has machines, or may come to have some.
  private func emptyZones() {
    for (index, zone) in document.cluster.zones.enumerated()
    where zone.nodes == 0 && context.isSound("cluster.zones[\(index)].nodes.count") {
      let pools = document.cluster.nodePools.contains {
        $0.zones.isEmpty || $0.zones.contains(zone.name)
      }
      let virtual = document.cluster.virtualNodes.map {
        $0.zones.isEmpty || $0.zones.contains(zone.name)
      }
      guard !pools, virtual != true,
        context.isPlaced("cluster.zones[\(index)].nodes.count")
      else { continue }
      context.fail(
        .inconsistent, at: "cluster.zones[\(index)].nodes.count",
        "zone `\(zone.name)` has no machines, and none can come",
        help: "raise `count`, or add `node_pools` or `virtual_nodes`")
    }
  }

  /// Every shape that may come to a virtual node has a price.
  private func virtualNodes() {
    guard let nodes = document.cluster.virtualNodes else { return }
    known(nodes.zones, in: zones, "zone", at: "cluster.virtual_nodes.zones")
    guard context.isSound("cluster.virtual_nodes.prices") else { return }
    guard !nodes.prices.isEmpty else {
      return context.fail(
        .inconsistent, at: "cluster.virtual_nodes.prices",
        "virtual nodes have no price of any size",
        help: "for example `prices: [{cpu: 1, memory: 2GiB, per_hour: 0.05}]`")
    }
    for shape in document.shapes {
      let hasPrice = nodes.prices.contains {
        $0.cpuMilli >= shape.cpuMilli && $0.memoryBytes >= shape.memoryBytes
      }
      guard !hasPrice else { continue }
      context.fail(
        .inconsistent, at: "shapes.\(shape.name)", length: shape.name.count,
        "virtual nodes have no price for shape `\(shape.name)`",
        help: "add a size that holds it to `cluster.virtual_nodes.prices`")
    }
  }

  /// A quota holds one pod at least of each service of its tenant.
  private func quotas() {
    for (index, tenant) in document.tenants.enumerated() {
      let path = "tenants[\(index)].quota_cores"
      guard let quota = tenant.quotaCPUMilli, context.isSound(path), areShapesSound else {
        continue
      }
      let larger = document.services.lazy.filter { $0.tenant == tenant.name && $0.members == nil }
        .compactMap { service in
          document.shapes.first { $0.name == service.shape && $0.cpuMilli > quota }
            .map { (service: service.name, shape: $0) }
        }
      guard let first = larger.first else { continue }
      context.fail(
        .inconsistent, at: path,
        "the quota of tenant `\(tenant.name)` has no room for one pod of service "
          + "`\(first.service)`: shape `\(first.shape.name)` asks for "
          + "\(Quantity.plain(Double(first.shape.cpuMilli) / 1000)) of it",
        help: "raise `quota_cores`")
    }
  }

  /// Reserves on shared machines that these can never have together; each is smaller then.
  private func reserves() {
    let own = Set(document.cluster.nodePools.flatMap(\.tenants))
    let each = document.tenants.filter { !own.contains($0.name) }.map {
      Double($0.quotaCPUMilli ?? 0) / 1000 * $0.reserve / Double(max(1, zones.count))
    }
    let all = each.reduce(0, +)
    let isSound = document.tenants.indices.allSatisfy {
      context.isSound("tenants[\($0)].quota_cores") && context.isSound("tenants[\($0)].reserve")
    }
    guard all > 0, isSound else { return }
    let most = document.cluster.zones.map { zone in
      let pools = document.cluster.nodePools.filter {
        $0.tenants.isEmpty && ($0.zones.isEmpty || $0.zones.contains(zone.name))
      }
      let milli = pools.reduce(Int64(zone.nodes) * zone.cpuMilli) {
        $0 + Int64($1.maximum) * $1.cpuMilli
      }
      return (zone: zone.name, cores: Double(milli) / 1000)
    }
    guard let least = most.min(by: { $0.cores < $1.cores }), all > least.cores else { return }
    context.fail(
      .implausible, at: "tenants",
      "the reserves of all tenants are \(Quantity.plain(all)) cores in each zone, and zone "
        + "`\(least.zone)` has \(Quantity.plain(least.cores)) of shared machines at most: each "
        + "gets its share of these, and tenants without a reserve nothing",
      help: "lower `reserve` or `quota_cores`, or add machines")
  }

  private func tenants() {
    let names = document.tenants.map(\.name)
    for (index, name) in names.enumerated() where names.firstIndex(of: name) != index {
      context.fail(
        .duplicateName, at: "tenants[\(index)].name", length: name.count,
        "tenant `\(name)` is there twice", help: "give each a name of its own")
    }
    guard !names.isEmpty, !names.contains("") else { return }
    for (index, service) in document.services.enumerated() {
      let dealt = service.members?.tenants ?? []
      if let other = dealt.first(where: { !names.contains($0.name) }) {
        context.fail(
          .unknownName, at: "services[\(index)].members.tenants.\(other.name)", else: service.mark,
          length: other.name.count,
          "service `\(service.name)`: unknown tenant `\(other.name)` of `members`",
          help: Nearest.hint(other.name, in: names))
      }
      guard dealt.isEmpty, !names.contains(service.tenant) else { continue }
      context.fail(
        .unknownName, at: "services[\(index)].tenant", else: service.mark,
        length: service.tenant.count,
        "service `\(service.name)`: unknown tenant `\(service.tenant)`",
        help: Nearest.hint(service.tenant, in: names))
    }
    ownMachines()
  }

  /// The machines of a tenant are of one kind of owner, so that its pods are on those and no
  /// others.
  private func ownMachines() {
    var owners: [String: Set<String>] = [:]
    for (index, pool) in document.cluster.nodePools.enumerated() where !pool.tenants.isEmpty {
      for tenant in pool.tenants {
        if let before = owners[tenant], before != Set(pool.tenants) {
          context.fail(
            .inconsistent, at: "cluster.node_pools[\(index)].tenants",
            "tenant `\(tenant)` has another pool together with others",
            help: "name the same `tenants` in all pools of one tenant")
        }
        owners[tenant] = Set(pool.tenants)
      }
    }
  }
}
