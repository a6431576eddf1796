import Primitives

/// Limits of services, downstreams, and shedding.
enum LimitReading {
  static func limits(_ reader: inout FieldReader) -> LimitSection? {
    guard reader.has("limits") else {
      _ = reader.tree("limits", .section)
      return nil
    }
    var section = LimitSection()
    var limits = reader.section("limits")
    if !limits.isWord("qps", "unlimited", .assumed("unlimited")) {
      section.ratePerSecond = rate(&limits, "qps", "a limit that lets nothing through")
    }
    if !limits.isWord("burst", "second", .assumed("second")) {
      section.burst = limits.count("burst", in: 0...1_000_000_000)
    }
    section.concurrency = concurrency(&limits)
    section.followsTraffic =
      limits.word("division", of: ["even", "traffic"], .assumed("even")) == "traffic"
    section.hasBackpressure =
      limits.word("backpressure", of: ["on", "off"], .assumed("off")) == "on"
    section.latencyTarget = limits.duration("latency_target", orNever: "none", .assumed("none"))
    check(section, limits)
    limits.finish()
    return section
  }

  private static func concurrency(_ limits: inout FieldReader) -> LimitSection.Concurrency {
    if limits.isWord("concurrency", "unlimited", .assumed("unlimited")) { return .unlimited }
    for rule in ["gradient", "gradient2", "aimd"]
    where limits.isWord("concurrency", rule, .assumed("unlimited")) {
      return .adaptive(rule)
    }
    return .fixed(limits.count("concurrency", in: 1...1_000_000_000))
  }

  private static func check(_ section: LimitSection, _ limits: FieldReader) {
    func fail(_ key: String, _ message: String, _ help: String) {
      guard limits.context.isSound(limits.child(key)) else { return }
      limits.context.fail(
        .inconsistent, at: limits.child(key), else: limits.mark, message, help: help)
    }
    if section.burst != nil, section.ratePerSecond == nil,
      limits.context.isSound(limits.child("qps"))
    {
      fail("burst", "a burst without a rate", "give `qps`, or remove `burst`")
    }
    if section.latencyTarget != nil, !section.hasBackpressure {
      fail(
        "latency_target", "nobody looks at the latency", "set `backpressure: on`, or remove it")
    }
    if section.latencyTarget == .zero {
      fail("latency_target", "no answer takes no time", "give a time above 0, or `none`")
    }
    if section.ratePerSecond == nil, section.concurrency == .unlimited, !section.hasBackpressure,
      ["qps", "concurrency", "backpressure"].allSatisfy({
        limits.context.isSound(limits.child($0))
      })
    {
      limits.context.fail(
        .inconsistent, at: limits.path, else: limits.mark, "limits that limit nothing",
        help: "give `qps`, `concurrency` or `backpressure: on`, or remove `limits`")
    }
  }

  /// A rate above nothing.
  private static func rate(
    _ reader: inout FieldReader, _ key: String, _ message: String
  ) -> Double {
    let rate = reader.rate(key)
    if rate <= 0, reader.has(key), reader.context.isSound(reader.child(key)) {
      reader.context.fail(
        .outOfRange, at: reader.child(key), message, help: "give a rate above 0, as in `100/s`")
    }
    return rate
  }

  // MARK: Downstreams

  static func downstreams(_ reader: inout FieldReader) -> [DownstreamSection] {
    reader.list("downstreams").map { tree, path in
      downstream(FieldReader(tree, path: path, mark: tree.mark, context: reader.context))
    }
  }

  private static func downstream(_ reader: FieldReader) -> DownstreamSection {
    var reader = reader
    let doorman = "Doorman: default template of the server"
    var section = DownstreamSection(name: reader.string("name"), mark: reader.mark)
    section.capacityPerSecond = rate(&reader, "capacity", "a downstream that bears nothing")
    if !reader.isWord("central_limit", "none", .assumed("none")) {
      section.centralPerSecond = rate(
        &reader, "central_limit", "a central limit that lets nothing through")
    }
    section.sharing = reader.word(
      "sharing", of: ["water_filling", "fair_share", "proportional_share"],
      .assumed("water_filling"))
    section.lease = reader.duration(
      "lease", .published("20s", source: doorman), atLeast: "1s")
    section.refresh = reader.duration("refresh", .assumed("5s"), atLeast: "100ms")
    if !reader.isWord("learning", "lease", .published("lease", source: doorman)) {
      section.learning = reader.duration("learning")
    }
    if !reader.isWord("safe", "equal", .published("equal", source: doorman)) {
      section.safePerSecond = reader.rate("safe")
    }
    section.reports = reader.duration("reports", orNever: "never", .assumed("never"))
    check(section, reader)
    reader.finish()
    return section
  }

  private static func check(_ section: DownstreamSection, _ reader: FieldReader) {
    func isSound(_ keys: String...) -> Bool {
      keys.allSatisfy { reader.context.isSound(reader.child($0)) }
    }
    if section.refresh >= section.lease, isSound("refresh", "lease") {
      reader.context.fail(
        .inconsistent, at: reader.child("refresh"), else: reader.mark,
        "a lease runs out before it is asked for again", help: "lower `refresh` or raise `lease`")
    }
    if let reports = section.reports, reports < .seconds(1), isSound("reports") {
      reader.context.fail(
        .outOfRange, at: reader.child("reports"), "reports come once a second at most",
        help: "give `1s` or more, or `never`")
    }
    if let central = section.centralPerSecond, central > section.capacityPerSecond,
      isSound("central_limit", "capacity")
    {
      reader.context.fail(
        .implausible, at: reader.child("central_limit"),
        "the central limit is above what the downstream bears",
        help: "lower it, or raise "
          + "`capacity`")
    }
  }

  // MARK: Shedding

  static func shedding(_ gateways: inout FieldReader) -> SheddingSection? {
    guard gateways.has("shedding") else {
      _ = gateways.tree("shedding", .section)
      return nil
    }
    var section = SheddingSection()
    var shedding = gateways.section("shedding")
    section.mark = shedding.number("mark", .assumed("1"), in: 0.01...100)
    section.shares = shares(&shedding)
    shedding.finish()
    return section
  }

  private static func shares(_ reader: inout FieldReader) -> [Int] {
    guard let words = reader.words("shares") else {
      reader.noteDefault("shares", .assumed("100%, 95%, 90%, 80%"))
      return [100, 95, 90, 80]
    }
    var shares: [Int] = []
    for (index, word) in words.enumerated() {
      let path = "\(reader.child("shares"))[\(index)]"
      guard let share = try? Quantity.share(word), (0...1).contains(share) else {
        reader.context.fail(
          .badQuantity, at: path, length: word.count, "`\(word)` is no share",
          help: "for example `90%`")
        continue
      }
      let percent = Int((share * 100).rounded())
      if let before = shares.last, percent > before {
        reader.context.fail(
          .inconsistent, at: path, length: word.count,
          "the less important would have more room than the more important",
          help: "let shares fall")
      }
      shares.append(min(percent, shares.last ?? 100))
    }
    if words.isEmpty || words.count > 8 {
      reader.context.fail(
        .outOfRange, at: reader.child("shares"), "`\(reader.child("shares"))` has \(words.count)",
        help: "give 1 to 8, the most important first")
    }
    return shares.isEmpty ? [100] : Array(shares.prefix(8))
  }
}
