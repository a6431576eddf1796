import Primitives

/// Runtimes, shapes, pools and services.
enum ServiceReading {
  static func runtimes(_ reader: inout FieldReader) -> [RuntimeSection] {
    reader.named("runtimes").map { name, mark, tree in
      var runtime = FieldReader(
        tree, path: "runtimes.\(name)", mark: mark, context: reader.context)
      defer { runtime.finish() }
      return RuntimeSection(name: name, initialise: runtime.distribution("init"))
    }
  }

  static func shapes(_ reader: inout FieldReader) -> [ShapeSection] {
    reader.named("shapes").map { name, mark, tree in
      var shape = FieldReader(tree, path: "shapes.\(name)", mark: mark, context: reader.context)
      defer { shape.finish() }
      return ShapeSection(
        name: name, cpuMilli: shape.milliCores("cpu"), memoryBytes: shape.bytes("memory"))
    }
  }

  static func pools(_ reader: inout FieldReader) -> PoolsSection {
    var section = PoolsSection()
    var pools = reader.section("pools")
    section.size = PoolSizeReading.size(&pools)
    section.sizes = PoolSizeReading.sizes(&pools)
    section.sizingTick = pools.duration("sizing_tick", .assumed("10s"), atLeast: "100ms")
    section.rule = pools.word("rule", of: ["lost", "backorder"], .assumed("lost"))
    section.refill = pools.optionalDistribution("refill")
    section.refillParallelism = pools.limit("refill_parallelism", .assumed("20"))
    section.alarmBelow = pools.share("alarm_below", .assumed("25%"))
    _ = pools.word("fallback", of: ["kubernetes"], .assumed("kubernetes"))
    section.only = pools.words("only").flatMap { $0.isEmpty ? nil : $0 }
    pools.finish()
    return section
  }

  static func services(_ reader: inout FieldReader) -> [ServiceSection] {
    let items = reader.list("services", required: true)
    return items.map { tree, path in
      service(FieldReader(tree, path: path, mark: tree.mark, context: reader.context))
    }
  }

  private static func service(_ reader: FieldReader) -> ServiceSection {
    var reader = reader
    var service = ServiceSection(name: reader.string("name"), mark: reader.mark)
    service.count = reader.count("count", .assumed("1"), in: 1...1_000_000)
    service.kind = reader.word("kind", of: ["function", "native", "worker"], .assumed("function"))
    service.trafficClass = KindReading.trafficClass(&reader)
    service.tenant = reader.string("tenant", .assumed("default"))
    service.members = MembersReading.members(&reader)
    service.runtime = named(&reader, "runtime", service.members?.runtimes)
    service.shapeFromMemory = reader.isWord("shape", "by_memory", .none)
    service.shape =
      service.shapeFromMemory ? "by_memory" : named(&reader, "shape", service.members?.shapes)
    service.labels = labels(&reader)
    PlacementReading.service(&reader, &service)
    service.zones = zones(&reader)
    service.concurrency = KindReading.concurrency(&reader, kind: service.kind)
    service.arrivals = arrivals(reader.section("arrivals"))
    serviceTime(&reader, &service)
    service.coldServiceTime = reader.optionalDistribution("cold_service_time")
    service.cpuFraction = reader.share("cpu_fraction", .assumed("0"))
    service.cpuShare = reader.number("cpu_share", .assumed("1"))
    service.codeBytes = reader.bytes("code_size", .assumed("50MiB"))
    service.choice = reader.word(
      "choice",
      of: [
        "least_requests", "power_of_two", "newest_created", "most_recently_used",
        "least_recently_used", "round_robin", "random",
      ], .assumed("least_requests"))
    instances(&reader, &service)
    service.topic = TopicReading.topic(&reader)
    service.trigger = KindReading.trigger(&reader)
    service.clients = ClientReading.clients(&reader)
    service.breaking = BreakingReading.breaking(&reader)
    service.importance = reader.count("importance", .assumed("0"), in: 0...7)
    service.limits = LimitReading.limits(&reader)
    service.downstream = optionalText(&reader, "downstream")
    service.worker = KindReading.worker(&reader, kind: service.kind)
    service.protocolName = KindReading.protocolName(&reader, kind: service.kind)
    service.scaling = PolicyReading.scaling(&reader)
    service.scalingWindows = PolicyReading.windows(&reader)
    keepAlive(&reader, &service)
    memory(&reader, &service)
    if reader.has("queue_limit") {
      service.queueLimit = .some(reader.limit("queue_limit", .none))
    } else {
      _ = reader.tree("queue_limit")
    }
    service.coldStart = coldStart(&reader, service)
    service.usesPool = reader.word("pool", of: ["true", "false"], .assumed("true")) == "true"
    reader.finish()
    return service
  }

  /// A name that is given once, or by member.
  private static func named(
    _ reader: inout FieldReader, _ key: String, _ shares: [MembersSection.Share]?
  ) -> String {
    guard let first = shares?.first, !reader.has(key) else { return reader.string(key) }
    _ = reader.tree(key, .text)
    return first.name
  }

  private static func serviceTime(_ reader: inout FieldReader, _ service: inout ServiceSection) {
    if service.arrivals.trace != nil, reader.isWord("service_time", "trace", .none) {
      service.serviceTimeFromTrace = true
    } else {
      service.serviceTime = reader.distribution("service_time")
    }
  }

  private static func labels(_ reader: inout FieldReader) -> [String: String] {
    var labels: [String: String] = [:]
    for (key, mark, tree) in reader.named("labels") {
      guard case .scalar(let value) = tree.content, !value.isEmpty, !value.contains(" ") else {
        reader.context.fail(
          .wrongType, mark, length: key.count,
          "`\(reader.child("labels")).\(key)` is no single word",
          help: "for example `labels: {tier: gold}`")
        continue
      }
      labels[key] = value
      reader.noteGiven("labels.\(key)", value)
    }
    return labels
  }

  /// A name that may be left out.
  static func optionalText(_ reader: inout FieldReader, _ key: String) -> String? {
    guard reader.has(key) else {
      _ = reader.tree(key, .text)
      return nil
    }
    return reader.string(key)
  }

  private static func zones(_ reader: inout FieldReader) -> [(name: String, weight: Double)] {
    (reader.words("zones") ?? []).map { ($0, 1) }
  }

  private static func instances(_ reader: inout FieldReader, _ service: inout ServiceSection) {
    var instances = reader.section("instances")
    service.minimumInstances = instances.count("min", .assumed("0"))
    service.maximumInstances = instances.count("max", .assumed("1000"))
    if instances.has("initial") {
      service.initialInstances = instances.count("initial")
    } else {
      _ = instances.tree("initial")
    }
    instances.finish()
  }

  private static func memory(_ reader: inout FieldReader, _ service: inout ServiceSection) {
    if !reader.isWord("memory_base", "half", .assumed("half")) {
      service.memoryBaseBytes = reader.bytes("memory_base")
    }
    service.memoryPerRequestBytes = reader.bytes("memory_per_request", .assumed("0B"))
  }

  /// A message waits in its topic, so that only the first instance is worth a cold start.
  /// Where KEDA waits for so much lag before it, nobody else makes it.
  private static func coldStart(_ reader: inout FieldReader, _ service: ServiceSection) -> String {
    let isHeld = service.scaling.contains { $0.policy == "keda" && $0["activation"] ?? 0 > 0 }
    if service.topic != nil, !reader.has("cold_start") {
      let usual = isHeld ? "never" : "from_zero"
      _ = reader.tree("cold_start")
      reader.noteDefault("cold_start", .assumed(usual))
      return usual
    }
    let word = reader.word(
      "cold_start", of: ["on_demand", "from_zero", "never"], .assumed("on_demand"))
    if isHeld, word != "never", reader.context.isSound(reader.child("cold_start")) {
      reader.context.fail(
        .implausible, at: reader.child("cold_start"), length: word.count,
        "service `\(service.name)`: the first message starts an instance whatever `activation` is",
        help: "write `cold_start: never`")
    }
    return word
  }

  /// AutoScale gives instances up, so that they stay by default where there is one.
  private static func keepAlive(_ reader: inout FieldReader, _ service: inout ServiceSection) {
    if !service.scaling.isEmpty, !reader.has("keep_alive") {
      _ = reader.tree("keep_alive")
      reader.noteDefault("keep_alive", .assumed("forever"))
      service.keepAlive = nil
      return
    }
    service.keepAlive = nil
    if reader.isWord("keep_alive", "forever", .none) { return }
    service.keepAlive = .zero
    if reader.isWord("keep_alive", "none", .none) { return }
    let source = "Huawei cloud 2025: keep-alive of 60 s by default"
    guard
      let (text, mark) = reader.text(
        "keep_alive", .published("fixed(60s)", source: source), .policy)
    else { return }
    if text.hasPrefix("fixed("), text.hasSuffix(")"),
      let value = try? Quantity.nanoseconds(String(text.dropFirst(6).dropLast()))
    {
      service.keepAlive = Nanoseconds(value)
      return
    }
    guard PolicyTable.keepAlive.contains(where: { text.hasPrefix($0.name) }) else {
      return reader.context.fail(
        .badPolicy, mark, length: text.count, "`\(text)` is no keep-alive",
        help: "`fixed(10m)`, `hybrid`, `none` or `forever`")
    }
    service.keepAlivePolicy = PolicyReading.policy(
      text, mark, reader, among: PolicyTable.keepAlive, key: "keep_alive", what: "keep-alive",
      others: ["fixed", "none", "forever"])
    if let policy = service.keepAlivePolicy, let bin = policy.duration("bin"),
      let bins = policy["bins"]
    {
      service.keepAlive = bin * Int64(bins)
    }
  }

  private static func arrivals(_ reader: FieldReader) -> ArrivalsSection {
    var reader = reader
    var section = ArrivalsSection()
    let words = ArrivalsSection.Process.allCases.map(\.rawValue)
    section.process =
      ArrivalsSection.Process(rawValue: reader.word("process", of: words)) ?? .poisson
    switch section.process {
    case .poisson, .exactPoisson: rates(&reader, &section, key: "rate", total: "total_rate")
    case .diurnal:
      rates(&reader, &section, key: "peak", total: "total_peak")
      section.curve = reader.word("curve", of: ["online", "offline"], .assumed("online"))
    case .trace: section.trace = TraceReading.trace(&reader)
    case .timer: section.timer = KindReading.timer(&reader)
    case .bytefaas:
      rates(&reader, &section, key: "peak", total: "total_peak")
      section.curve = reader.word("curve", of: ["online", "offline"], .assumed("online"))
      section.synthetic = MembersReading.synthetic(&reader)
    case .profile:
      section.points = points(&reader)
      dispersion(&reader, &section)
    case .list:
      section.times = reader.list("times", required: true).compactMap { item in
        guard case .scalar(let text) = item.tree.content,
          let value = try? Quantity.nanoseconds(text)
        else {
          reader.context.fail(.badQuantity, item.tree.mark, "`\(item.path)` is no time")
          return nil
        }
        return Nanoseconds(value)
      }
    }
    reader.finish()
    return section
  }

  private static func points(
    _ reader: inout FieldReader
  ) -> [(at: Nanoseconds, perSecond: Double)] {
    let items = reader.list("points", required: true)
    var points: [(at: Nanoseconds, perSecond: Double)] = []
    for (tree, path) in items {
      var point = FieldReader(tree, path: path, mark: tree.mark, context: reader.context)
      let (at, rate) = (point.duration("at"), point.rate("rate"))
      point.finish()
      if let last = points.last, at < last.at {
        reader.context.fail(
          .badQuantity, tree.mark, "`\(path)` comes before the point above it",
          help: "write points in the order of time")
      }
      points.append((at, rate))
    }
    return points
  }

  private static func rates(
    _ reader: inout FieldReader, _ section: inout ArrivalsSection, key: String, total: String
  ) {
    if reader.has(total) {
      section.totalRatePerSecond = reader.rate(total)
      section.popularitySigma = reader.number("popularity_sigma", .assumed("0"))
    } else {
      section.ratePerSecond = reader.rate(key)
    }
    // Exact gaps have no seconds whose rate could vary.
    if section.process != .exactPoisson { dispersion(&reader, &section) }
  }

  private static func dispersion(_ reader: inout FieldReader, _ section: inout ArrivalsSection) {
    if !reader.isWord("dispersion", "poisson", .assumed("poisson")) {
      section.dispersionShape = reader.number("dispersion", in: 1e-6...1e9)
    }
  }
}
