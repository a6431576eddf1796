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
    section.size = size(&pools)
    section.rule = pools.word("rule", of: ["lost", "backorder"], .assumed("lost"))
    section.refill = pools.optionalDistribution("refill")
    section.refillParallelism = pools.limit("refill_parallelism", .assumed("20"))
    section.alarmBelow = pools.share("alarm_below", .assumed("25%"))
    _ = pools.word("fallback", of: ["kubernetes"], .assumed("kubernetes"))
    section.only = pools.words("only").flatMap { $0.isEmpty ? nil : $0 }
    pools.finish()
    return section
  }

  private static func size(_ pools: inout FieldReader) -> ScenarioDocument.Size {
    let talk = "ByteFaaS talk, slide 24: 2 % of the resources warm"
    if pools.isWord("size", "none", .none) { return .none }
    guard let (text, mark) = pools.text("size", .published("2%", source: talk), .share) else {
      return .none
    }
    pools.context.recorder?.ask(pools.child("size"), .count)
    if text.hasSuffix("%"), let share = try? Quantity.share(text) { return .percent(share) }
    if let count = try? Quantity.count(text) { return .count(count) }
    pools.context.fail(
      .badQuantity, mark, length: text.count, "`\(text)` is no pool size",
      help: "`2%` of the peak of ready pods, `30` pods, or `none`")
    return .none
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
    service.trafficClass = reader.word(
      "class", of: ServiceSection.trafficClasses, .assumed("online"))
    service.tenant = reader.string("tenant", .assumed("default"))
    service.runtime = reader.string("runtime")
    service.shapeFromMemory = reader.isWord("shape", "by_memory", .none)
    service.shape = service.shapeFromMemory ? "by_memory" : reader.string("shape")
    service.zones = zones(&reader)
    service.concurrency = reader.count("concurrency", .assumed("1"), in: 1...10_000_000)
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
    service.keepAlive = keepAlive(&reader)
    if reader.has("queue_limit") {
      service.queueLimit = .some(reader.limit("queue_limit", .none))
    } else {
      _ = reader.tree("queue_limit")
    }
    service.coldStart = reader.word(
      "cold_start", of: ["on_demand", "from_zero", "never"], .assumed("on_demand"))
    service.scaling = PolicyReading.scaling(&reader)
    service.usesPool = reader.word("pool", of: ["true", "false"], .assumed("true")) == "true"
    reader.finish()
    return service
  }

  private static func serviceTime(_ reader: inout FieldReader, _ service: inout ServiceSection) {
    if service.arrivals.trace != nil, reader.isWord("service_time", "trace", .none) {
      service.serviceTimeFromTrace = true
    } else {
      service.serviceTime = reader.distribution("service_time")
    }
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

  private static func keepAlive(_ reader: inout FieldReader) -> Nanoseconds? {
    if reader.isWord("keep_alive", "forever", .none) { return nil }
    if reader.isWord("keep_alive", "none", .none) { return .zero }
    let source = "Huawei cloud 2025: keep-alive of 60 s by default"
    guard
      let (text, mark) = reader.text(
        "keep_alive", .published("fixed(60s)", source: source), .policy)
    else {
      return .zero
    }
    if text.hasPrefix("fixed("), text.hasSuffix(")"),
      let value = try? Quantity.nanoseconds(String(text.dropFirst(6).dropLast()))
    {
      return Nanoseconds(value)
    }
    reader.context.fail(
      .badPolicy, mark, length: text.count, "`\(text)` is no keep-alive",
      help: "`fixed(10m)`, `none` or `forever`")
    return .zero
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
    if section.process == .exactPoisson { return }
    if !reader.isWord("dispersion", "poisson", .assumed("poisson")) {
      section.dispersionShape = reader.number("dispersion", in: 1e-6...1e9)
    }
  }
}
