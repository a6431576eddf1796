import Primitives

/// What functions, native services and workers have each for themselves.
enum KindReading {
  // MARK: Functions

  static func trigger(_ reader: inout FieldReader) -> TriggerSection? {
    guard reader.has("trigger") else {
      _ = reader.tree("trigger", .section)
      return nil
    }
    var section = TriggerSection()
    var trigger = reader.section("trigger")
    let words = TriggerSection.Kind.allCases.map(\.rawValue)
    section.kind =
      TriggerSection.Kind(rawValue: trigger.word("kind", of: words, .assumed("none"))) ?? .none
    switch section.kind {
    case .apiGateway:
      section.hop = trigger.duration("hop", .assumed("500us"))
      section.handling = trigger.duration("handling_time", .assumed("5ms"))
    case .objectStorage:
      section.notification = trigger.distribution(
        "notification", .assumed("lognormal(median: 500ms, sigma: 0.8)"))
      section.duplicates = trigger.share("duplicates", .assumed("0.1%"))
      let source = "AWS Lambda Developer Guide: asynchronous invocation"
      section.retries = trigger.count("retries", .published("2", source: source), in: 0...100)
      section.backoff = trigger.duration(
        "backoff", .published("1m", source: source), atLeast: "1ms")
    case .none, .queue, .timer: break
    }
    trigger.finish()
    return section
  }

  static func timer(_ reader: inout FieldReader) -> TimerSection {
    var section = TimerSection()
    if reader.has("every") {
      section.every = reader.duration("every", atLeast: "1ms")
      if reader.has("schedule") {
        reader.context.fail(
          .inconsistent, at: reader.child("every"),
          "`\(reader.path)` has a `schedule` and an interval", help: "keep one of the two")
      }
      _ = reader.tree("schedule")
    } else {
      _ = reader.tree("every", .duration)
      section.schedule = schedule(&reader)
    }
    section.requests = reader.count("requests", .assumed("1"), in: 1...10_000_000)
    section.jitter = reader.duration("jitter", .assumed("0s"))
    section.spread = reader.duration("spread", .assumed("0s"))
    return section
  }

  private static func schedule(_ reader: inout FieldReader) -> CronSchedule? {
    guard let (text, mark) = reader.text("schedule", .none, .text) else {
      if !reader.has("schedule") {
        reader.missing(
          "schedule", "for example `schedule: \"*/5 * * * *\"`, or `every: 5m`", isAlways: false)
      }
      return nil
    }
    guard let schedule = try? CronSchedule(text) else {
      reader.context.fail(
        .badQuantity, at: reader.child("schedule"), else: mark, length: text.count,
        "`\(text)` is no schedule", help: "five fields as cron has them: `30 8 * * 1-5`")
      return nil
    }
    if schedule.next(after: TimerSection.origin - 1) == nil {
      reader.context.fail(
        .outOfRange, at: reader.child("schedule"), else: mark, length: text.count,
        "`\(text)` never comes", help: "no such day is in the next five years")
    }
    return schedule
  }

  // MARK: Native services

  /// Overheads of the protocols, whichever services use them.
  static func protocols(_ reader: inout FieldReader) -> [ProtocolSection] {
    var protocols = reader.section("protocols")
    defer { protocols.finish() }
    return ProtocolSection.names.map { name in
      var section = ProtocolSection(name: name)
      var fields = protocols.section(name)
      let (wire, processor) = overhead(of: name)
      section.wire = fields.duration("wire", wire)
      section.processor = fields.duration("cpu", processor)
      fields.finish()
      return section
    }
  }

  /// An Envoy proxy beside each end: 0.35 cores at 1,000 requests a second, and 2.65 ms at the 90th
  /// percentile, of which a mean is not given. Binary protocols are taken to cost less.
  private static func overhead(of name: String) -> (wire: Default, processor: Default) {
    switch name {
    case "thrift": (.assumed("400us"), .assumed("100us"))
    case "grpc": (.assumed("600us"), .assumed("200us"))
    default:
      (
        .assumed("1ms"),
        .published("350us", source: "Istio 1.12, Performance and Scalability: 0.35 vCPU per 1000/s")
      )
    }
  }

  static func protocolName(_ reader: inout FieldReader, kind: String) -> String? {
    guard kind == "native" || reader.has("protocol") else {
      _ = reader.tree("protocol", .word)
      return nil
    }
    return reader.word("protocol", of: ProtocolSection.names, .assumed("http"))
  }

  // MARK: Workers

  static func worker(_ reader: inout FieldReader, kind: String) -> WorkerSection? {
    guard kind == "worker" || reader.has("worker") else {
      _ = reader.tree("worker", .section)
      return nil
    }
    var section = WorkerSection()
    var worker = reader.section("worker")
    section.isolateBytes = worker.bytes("isolate_memory")
    if section.isolateBytes == 0, worker.has("isolate_memory"),
      worker.context.isSound(worker.child("isolate_memory"))
    {
      worker.context.fail(
        .outOfRange, at: worker.child("isolate_memory"), "an isolate has no memory",
        help: "for example `isolate_memory: 16MiB`")
    }
    let words = WorkerSection.Ingress.allCases.map(\.rawValue)
    section.ingress =
      WorkerSection.Ingress(rawValue: worker.word("ingress", of: words, .assumed("centre")))
      ?? .centre
    section.keyValue = keyValue(&worker)
    worker.finish()
    return section
  }

  private static func keyValue(_ worker: inout FieldReader) -> KeyValueSection? {
    guard worker.has("kv") else {
      _ = worker.tree("kv", .section)
      return nil
    }
    var section = KeyValueSection()
    var kv = worker.section("kv")
    section.reads = kv.count("reads", .assumed("1"), in: 1...1000)
    section.writesPerSecond = kv.rate("writes")
    section.keys = kv.count("keys", .assumed("1000"), in: 1...100_000)
    section.skew = kv.number("skew", .assumed("1"), in: 0...10)
    section.propagation = kv.distribution(
      "propagation", .assumed("lognormal(median: 5s, sigma: 1)"))
    section.timeToLive = kv.duration("cache_ttl", .assumed("60s"))
    section.storeRead = kv.distribution(
      "store_read", .assumed("lognormal(median: 2ms, sigma: 0.5)"))
    kv.finish()
    return section
  }

  /// The processes of workers, whichever services are there.
  static func workerHosts(_ cluster: inout FieldReader) -> WorkerHostsSection {
    var section = WorkerHostsSection()
    var hosts = cluster.section("worker_hosts")
    section.perZone = hosts.count("per_zone", .assumed("2"), in: 0...100_000)
    section.most = hosts.count("max", .assumed("20"), in: 1...100_000)
    section.reservedBytes = hosts.bytes("reserved", .assumed("64MiB"))
    section.moduleCacheBytes = hosts.bytes("module_cache", .assumed("256MiB"))
    section.start = hosts.distribution("start", .assumed("lognormal(median: 3ms, sigma: 0.5)"))
    section.mayGrow =
      hosts.word("when_full", of: ["kubernetes", "refuse"], .assumed("kubernetes"))
      == "kubernetes"
    var ingress = hosts.section("ingress")
    section.edge = ingress.duration("edge", .assumed("5ms"))
    section.centre = ingress.duration("centre", .assumed("25ms"))
    ingress.finish()
    hosts.finish()
    return section
  }

  // MARK: Defaults that depend on the kind

  /// Long-lived services and isolates serve many requests at a time.
  static func concurrency(_ reader: inout FieldReader, kind: String) -> Int {
    let usual = ["native": 100, "worker": 20]
    if let many = usual[kind], !reader.has("concurrency") {
      _ = reader.tree("concurrency")
      reader.noteDefault("concurrency", .assumed(String(many)))
      return many
    }
    return reader.count("concurrency", .assumed("1"), in: 1...10_000_000)
  }

  /// What the clock starts is of the class `timer` unless the scenario says otherwise.
  static func trafficClass(_ reader: inout FieldReader) -> String {
    if !reader.has("class"), isTimed(reader) {
      _ = reader.tree("class")
      reader.noteDefault("class", .assumed("timer"))
      return "timer"
    }
    return reader.word("class", of: ServiceSection.trafficClasses, .assumed("online"))
  }

  private static func isTimed(_ reader: FieldReader) -> Bool {
    guard case .mapping(let entries)? = reader.given("arrivals")?.content,
      case .scalar("timer")? = entries.last(where: { $0.key == "process" })?.value.content
    else { return false }
    return true
  }
}
