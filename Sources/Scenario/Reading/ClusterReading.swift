import Primitives

/// The cluster's sections and their defaults. The talk on the platform gives none of these numbers,
/// so where no source is named they are assumptions.
enum ClusterReading {
  private static let huawei = "Huawei cloud traces 2025 (EuroSys): cold-start components"

  static func cluster(_ reader: inout FieldReader) -> ClusterSection {
    var cluster = reader.section("cluster")
    return read(&cluster)
  }

  static func read(_ cluster: inout FieldReader) -> ClusterSection {
    var section = ClusterSection()
    let context = cluster.context
    section.name = cluster.string("name", .assumed("main"))
    section.zones = cluster.list("zones", required: true).map { tree, path in
      zone(FieldReader(tree, path: path, mark: tree.mark, context: context))
    }
    gateways(&cluster, &section)
    consumers(&cluster, &section)
    brokers(&cluster, &section)
    dispatchers(&cluster, &section)
    managers(&cluster, &section)
    kubernetes(&cluster, &section)
    section.placement = cluster.word(
      "placement", of: ["least_allocated", "most_allocated"], .assumed("least_allocated"))
    section.evict = cluster.word("evict", of: ["none", "lru", "faascache-lru"], .assumed("none"))
    section.workerHosts = KindReading.workerHosts(&cluster)
    section.nodePools = ElasticReading.nodePools(&cluster)
    section.nodeScaling = ElasticReading.nodeScaling(&cluster)
    section.virtualNodes = ElasticReading.virtualNodes(&cluster)
    autoscale(&cluster, &section)
    section.api = ChangeReading.api(&cluster)
    cluster.finish()
    return section
  }

  private static func autoscale(_ cluster: inout FieldReader, _ section: inout ClusterSection) {
    if cluster.isWord("autoscale", "none", .none) { return }
    var autoscale = cluster.section("autoscale")
    section.autoscaleTick = autoscale.duration(
      "tick", .published("2s", source: "Knative serving: tick interval"), atLeast: "1ms")
    section.signalPeriod = signalPeriod(&autoscale)
    section.signalDelay = autoscale.duration("signal_delay", .assumed("0s"))
    autoscale.finish()
  }

  /// Nil: that of the policies. Lanes sample at whole seconds.
  private static func signalPeriod(_ autoscale: inout FieldReader) -> Nanoseconds? {
    let key = "signal_period"
    if autoscale.isWord(key, "by_policy", .assumed("by_policy")) { return nil }
    let period = autoscale.duration(key, atLeast: "1s")
    if period.count % 1_000_000_000 != 0 {
      autoscale.context.fail(
        .outOfRange, at: autoscale.child(key),
        "`\(autoscale.child(key))` is no whole number of seconds", help: "for example `15s`")
    }
    return period
  }

  private static func zone(_ reader: FieldReader) -> ZoneSection {
    var reader = reader
    let name = reader.string("name")
    var nodes = reader.section("nodes")
    let zone = ZoneSection(
      name: name, nodes: nodes.count("count", in: 0...1_000_000),
      cpuMilli: nodes.milliCores("cpu"), memoryBytes: nodes.bytes("memory"),
      pricePerHour: nodes.number("price_per_hour", .assumed("0")))
    nodes.finish()
    reader.finish()
    return zone
  }

  private static func gateways(_ cluster: inout FieldReader, _ section: inout ClusterSection) {
    var gateways = cluster.section("gateways")
    section.gatewaysPerZone = gateways.count("per_zone", .assumed("2"), in: 1...10_000)
    if !gateways.isWord("per_lane", "auto", .assumed("auto")) {
      section.gatewaysPerLane = gateways.count("per_lane", in: 1...200)
      checkPerLane(&gateways, section.gatewaysPerLane, section.gatewaysPerZone, "gateways")
    }
    if !gateways.isWord("capacity", "unlimited", .assumed("unlimited")) {
      section.gatewayCapacityPerSecond = gateways.rate("capacity")
    }
    section.gatewayHandling = constant(&gateways, "handling_time", "constant(100us)")
    section.routeTTL = gateways.duration("route_ttl", .assumed("30s"))
    section.routeStale = gateways.duration("route_stale", .assumed("5m"))
    section.negativeTTL = gateways.duration("negative_ttl", .assumed("1s"))
    section.requestTimeout = gateways.duration("request_timeout", orNever: "never", .assumed("60s"))
    section.callTimeout = gateways.duration(
      "call_timeout", orNever: "never",
      .published("900s", source: "AWS Lambda's quotas: a function runs for 15 minutes at most"))
    section.startTimeout = gateways.duration("start_timeout", .assumed("20s"), atLeast: "1ms")
    section.askTimeout = gateways.duration("ask_timeout", .assumed("1s"), atLeast: "1ms")
    section.startAttempts = gateways.count("start_attempts", .assumed("3"), in: 1...100)
    section.startBackoff = gateways.duration("start_backoff", .assumed("1s"))
    section.queueLimit = gateways.limit("queue_limit", .assumed("1000"))
    section.shedding = LimitReading.shedding(&gateways)
    gateways.finish()
  }

  /// Those that share a service in a zone are some of the zone's.
  private static func checkPerLane(
    _ reader: inout FieldReader, _ perLane: Int?, _ perZone: Int, _ what: String
  ) {
    let path = reader.child("per_lane")
    guard let perLane, perLane > perZone, reader.context.isSound(path),
      reader.context.isSound(reader.child("per_zone"))
    else { return }
    reader.context.fail(
      .inconsistent, at: path, "\(perLane) \(what) share a service in a zone that has \(perZone)",
      help: "lower `per_lane` or raise `per_zone`")
  }

  private static func consumers(_ cluster: inout FieldReader, _ section: inout ClusterSection) {
    var consumers = cluster.section("consumers")
    section.consumersPerZone = consumers.count("per_zone", .assumed("2"), in: 1...10_000)
    section.consumersPerLane = consumers.count("per_lane", .assumed("1"), in: 1...200)
    checkPerLane(&consumers, section.consumersPerLane, section.consumersPerZone, "consumers")
    if !consumers.isWord("capacity", "unlimited", .assumed("unlimited")) {
      section.consumerCapacityPerSecond = consumers.rate("capacity")
    }
    section.consumerHandling = constant(&consumers, "handling_time", "constant(20us)")
    consumers.finish()
  }

  private static func brokers(_ cluster: inout FieldReader, _ section: inout ClusterSection) {
    var brokers = cluster.section("brokers")
    section.brokersPerZone = brokers.count("per_zone", .assumed("3"), in: 1...10_000)
    section.brokerElection = brokers.duration(
      "election", .published("9s", source: "Kafka, KRaftConfigs: broker.session.timeout.ms"))
    brokers.finish()
  }

  private static func dispatchers(_ cluster: inout FieldReader, _ section: inout ClusterSection) {
    var dispatchers = cluster.section("dispatchers")
    section.dispatchers = dispatchers.count("count", .assumed("3"), in: 1...4096)
    section.dispatcherTimeout = dispatchers.duration("timeout", .assumed("500ms"), atLeast: "1ms")
    section.dispatcherRetries = dispatchers.count("retries", .assumed("2"), in: 0...10)
    section.dispatcherHandling = constant(&dispatchers, "handling_time", "constant(50us)")
    dispatchers.finish()
  }

  private static func managers(_ cluster: inout FieldReader, _ section: inout ClusterSection) {
    var managers = cluster.section("worker_managers")
    section.workerManagers = managers.count("count", .assumed("3"), in: 1...1000)
    section.shards = managers.count("shards", .assumed("12"), in: 1...60_000)
    section.leaseTTL = managers.duration("lease_ttl", .assumed("10s"), atLeast: "1ms")
    section.clockMargin = managers.duration("clock_margin", .assumed("500ms"))
    section.managerRetry = managers.duration("retry", .assumed("500ms"), atLeast: "1ms")
    section.campaignStep = managers.duration("campaign_step", .assumed("50ms"))
    section.workerManagerHandling = constant(&managers, "handling_time", "constant(50us)")
    managers.finish()
    var etcd = cluster.section("etcd")
    section.etcdHandling = constant(&etcd, "handling_time", "constant(2ms)")
    etcd.finish()
  }

  private static func kubernetes(_ cluster: inout FieldReader, _ section: inout ClusterSection) {
    var kubernetes = cluster.section("kubernetes")
    if !kubernetes.isWord("pods_per_second", "unlimited", .assumed("20")) {
      section.podsPerSecond = kubernetes.number(
        "pods_per_second", .assumed("20"), in: 1e-6...1e9)
    }
    section.podBurst = kubernetes.count("burst", .assumed("40"), in: 1...1_000_000)
    section.podCreate = kubernetes.distribution(
      "create", .assumed("lognormal(median: 3.5s, sigma: 0.3)"))
    section.startDeadline = kubernetes.duration(
      "start_deadline",
      .published("600s", source: "Knative serving: progress-deadline"), atLeast: "1s")
    section.nodeGrace = kubernetes.duration(
      "node_grace",
      .published("40s", source: "Kubernetes: node-monitor-grace-period, up to 1.31"),
      atLeast: "1s")
    kubernetes.finish()
    section.balancer = balancer(&cluster)
    section.coordinator = BreakingReading.coordinator(&cluster)
  }

  private static func balancer(_ cluster: inout FieldReader) -> BalancerSection? {
    let probes = "Kubernetes: defaults of probes"
    if cluster.isWord("balancer", "none", .none) { return nil }
    var section = BalancerSection()
    var balancer = cluster.section("balancer")
    section.interval = balancer.duration(
      "interval", .published("10s", source: probes), atLeast: "100ms")
    section.phase = balancer.duration("phase", orNever: "drawn", .assumed("drawn"))
    section.timeout = balancer.duration(
      "timeout", .published("1s", source: probes), atLeast: "1ms")
    section.unhealthyAfter = balancer.count(
      "unhealthy_after", .published("3", source: probes), in: 1...1000)
    section.healthyAfter = balancer.count(
      "healthy_after", .published("1", source: probes), in: 1...1000)
    section.window = balancer.duration("window", .assumed("1s"), atLeast: "100ms")
    if section.timeout > section.interval, cluster.context.isSound(balancer.child("timeout")) {
      cluster.context.fail(
        .inconsistent, at: balancer.child("timeout"), else: balancer.mark,
        "a time-out of \(section.timeout.seconds) s is longer than the interval of "
          + "\(section.interval.seconds) s",
        help: "ask less often, or wait less long")
    }
    if let phase = section.phase, phase >= section.interval,
      balancer.context.isSound(balancer.child("phase"))
    {
      cluster.context.fail(
        .inconsistent, at: balancer.child("phase"), else: balancer.mark,
        "a phase of \(phase.seconds) s is not within the interval of "
          + "\(section.interval.seconds) s",
        help: "the first question comes before an interval has passed")
    }
    balancer.finish()
    return section
  }

  /// A handling time; only constant ones keep a server's output in order.
  private static func constant(
    _ reader: inout FieldReader, _ key: String, _ fallback: String
  ) -> Nanoseconds {
    let spec = reader.distribution(key, .assumed(fallback))
    guard case .constant(let seconds) = spec else {
      reader.context.fail(
        .badDistribution, at: reader.child(key), "`\(reader.child(key))` must be constant",
        help: "for example `\(fallback)`")
      return .zero
    }
    return Nanoseconds(seconds: seconds)
  }

  static func network(_ reader: inout FieldReader) -> NetworkSection {
    var network = reader.section("network")
    defer { network.finish() }
    return NetworkSection(
      sameNode: network.duration("same_node", .assumed("50us")),
      sameZone: network.duration("same_zone", .assumed("250us")),
      crossZone: network.duration("cross_zone", .assumed("1ms")),
      controlPlane: network.duration("control_plane", .assumed("500us")),
      loss: network.share("loss", .assumed("0")))
  }

  static func code(_ reader: inout FieldReader) -> CodeSection {
    var code = reader.section("code")
    defer { code.finish() }
    return CodeSection(
      nodeCacheBytes: code.bytes("node_cache", .assumed("20GiB")),
      zoneCacheBytes: code.bytes("zone_cache", .assumed("1TiB")),
      nodeHit: code.distribution("node_hit", .assumed("lognormal(median: 20ms, sigma: 0.6)")),
      zoneHit: code.distribution("zone_hit", .assumed("lognormal(median: 80ms, sigma: 0.7)")),
      origin: code.distribution("origin", .assumed("lognormal(median: 600ms, sigma: 0.8)")))
  }

  static func startComponents(_ reader: inout FieldReader) -> StartSection {
    var start = reader.section("start_components")
    defer { start.finish() }
    return StartSection(
      poolTake: start.distribution(
        "pool_take", .published("lognormal(median: 0.5ms, sigma: 1)", source: huawei)),
      agent: start.distribution("agent", .assumed("lognormal(median: 50ms, sigma: 0.5)")),
      publish: start.distribution("publish", .assumed("lognormal(median: 50ms, sigma: 0.5)")))
  }
}
