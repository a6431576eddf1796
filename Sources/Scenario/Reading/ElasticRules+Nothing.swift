import Primitives

// Settings of machines and tenants that come to nothing beside others.
extension ElasticRules {
  /// Machines for which nobody waits long enough.
  func comesLate(_ pool: NodePoolSection, at path: String) {
    let most = document.cluster.nodeScaling.provisionTime
    let limit = "cluster.node_scaling.provision_time"
    guard pool.provision.middle > most.seconds, context.isSound(path), context.isSound(limit)
    else { return }
    context.fail(
      .implausible, at: context.isPlaced(path) ? path : limit,
      "machines of pool `\(pool.name)` take longer than the Cluster Autoscaler waits for them: "
        + "after \(Quantity.plain(most.seconds)) s each order is given up",
      help: "raise `cluster.node_scaling.provision_time`, or shorten `provision`")
  }

  /// The cheapest machine is one without a price.
  func unpriced() {
    let path = "cluster.node_scaling.expander"
    let pools = document.cluster.nodePools
    guard document.cluster.nodeScaling.expander == "price", pools.count > 1,
      let free = pools.first(where: { $0.pricePerHour == 0 }), context.isSound(path)
    else { return }
    let isOfNone = pools.allSatisfy { $0.pricePerHour == 0 }
    context.fail(
      .implausible, at: path,
      isOfNone
        ? "pools are chosen by price, and none has one"
        : "pools are chosen by price, and pool `\(free.name)` has none: it is always the cheapest",
      help: "give each pool a `price_per_hour`")
  }

  /// Instances that services are to have in any case, beside the quota of their tenant.
  func leastInstances() {
    for (index, tenant) in document.tenants.enumerated() {
      let path = "tenants[\(index)].quota_cores"
      guard let quota = tenant.quotaCPUMilli, context.isSound(path), context.isSound("services")
      else { continue }
      var asked: Int64 = 0
      for service in document.services
      where service.tenant == tenant.name && service.members == nil {
        guard let shape = document.shapes.first(where: { $0.name == service.shape }) else {
          continue
        }
        let pods = Int64(service.minimumInstances)
          .multipliedReportingOverflow(by: Int64(service.count))
        let cores = pods.partialValue.multipliedReportingOverflow(by: shape.cpuMilli)
        guard !pods.overflow, !cores.overflow else { continue }
        asked = asked.addingReportingOverflow(cores.partialValue).partialValue
      }
      guard asked > quota else { continue }
      context.fail(
        .implausible, at: path,
        "the `instances.min` of the services of tenant `\(tenant.name)` ask for "
          + "\(Quantity.plain(Double(asked) / 1000)) cores, and its quota is "
          + "\(Quantity.plain(Double(quota) / 1000)): they never have them all",
        help: "raise `quota_cores` or lower `instances.min`")
    }
  }

  /// A reserve is a share of a quota.
  func reservesOfNothing() {
    for (index, tenant) in document.tenants.enumerated() {
      let path = "tenants[\(index)].reserve"
      guard tenant.quotaCPUMilli == nil, tenant.reserve > 0, context.isPlaced(path),
        context.isSound(path), context.isSound("tenants[\(index)].quota_cores")
      else { continue }
      context.fail(
        .implausible, at: path,
        "the reserve of tenant `\(tenant.name)` is a share of its quota, and it has none: nothing "
          + "is kept free for it",
        help: "give it `quota_cores`")
    }
  }
}
