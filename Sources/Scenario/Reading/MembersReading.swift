import Primitives

/// Groups whose members differ, and arrivals by the model of a large platform.
enum MembersReading {
  /// Patterns of traffic, in the order of their description.
  static let patterns = [
    "flat", "steady", "moderate", "spiky", "session", "clumped", "renewal", "chained", "timer",
    "dormant",
  ]

  static func members(_ reader: inout FieldReader) -> MembersSection? {
    guard reader.has("members") else {
      _ = reader.tree("members", .section)
      return nil
    }
    var section = MembersSection()
    var members = reader.section("members")
    section.runtimes = shares(&members, "runtimes")
    section.shapes = shares(&members, "shapes")
    section.tenants = tenants(&members)
    section.clusters = shares(&members, "clusters")
    section.serviceTimeSigma = members.number("service_time_sigma", .assumed("0"), in: 0...10)
    section.oneZoneBelow = members.rate("one_zone_below", .assumed("0/s"))
    if members.has("partition_rate") {
      section.partitionRate = members.rate("partition_rate")
    } else {
      _ = members.tree("partition_rate", .rate)
    }
    if members.has("initial_concurrency") {
      section.initialConcurrency = members.number("initial_concurrency", in: 1e-3...1e6)
    } else {
      _ = members.tree("initial_concurrency", .number)
    }
    members.finish()
    return section
  }

  /// Tenants by name, or so many by a law.
  private static func tenants(_ members: inout FieldReader) -> [MembersSection.Share] {
    let named = shares(&members, "tenants")
    guard members.has("tenant_count") else {
      _ = members.tree("tenant_count", .number)
      return named
    }
    let count = members.count("tenant_count", in: 1...10_000)
    guard named.isEmpty else {
      members.context.fail(
        .inconsistent, at: members.child("tenant_count"),
        "`tenants` and `tenant_count` both say whose the members are", help: "leave one out")
      return named
    }
    return MembersSection.tenants(count)
  }

  /// The fields of the process `bytefaas` beside rate and curve.
  static func synthetic(_ reader: inout FieldReader) -> SyntheticSection {
    var section = SyntheticSection()
    section.popularityCap = reader.share("popularity_cap", .assumed("100%"))
    section.patterns = shares(&reader, "patterns")
    section.busiestPatterns = shares(&reader, "busiest_patterns")
    check(section.patterns, "patterns", reader)
    check(section.busiestPatterns, "busiest_patterns", reader)
    if section.patterns.isEmpty {
      reader.noteDefault("patterns", .assumed("steady: 100%"))
      section.patterns = [MembersSection.Share(name: "steady", share: 1)]
    }
    if section.busiestPatterns.isEmpty {
      reader.noteDefault("busiest_patterns", .assumed("steady: 100%"))
      section.busiestPatterns = [MembersSection.Share(name: "steady", share: 1)]
    }
    section.busiest = reader.share("busiest", .assumed("0%"))
    section.pointsBelow = reader.rate("points_below", .assumed("1/s"))
    section.calledShare = reader.share("called", .assumed("25%"))
    section.days = reader.list("days").compactMap { item in
      guard case .scalar(let text) = item.tree.content, let factor = try? Quantity.number(text),
        factor >= 0, factor <= 1000
      else {
        reader.context.fail(
          .badQuantity, item.tree.mark, "`\(item.path)` is no factor",
          help: "one for each day from second 0 on, as in `[1, 1, 1, 1, 1, 1.12, 1.12]`")
        return nil
      }
      return factor
    }
    if reader.has("chained_to") {
      section.chainedTo = reader.string("chained_to")
    } else {
      _ = reader.tree("chained_to", .text)
    }
    return section
  }

  private static func check(
    _ shares: [MembersSection.Share], _ key: String, _ reader: FieldReader
  ) {
    for entry in shares where !patterns.contains(entry.name) {
      reader.context.fail(
        .unknownName, at: "\(reader.child(key)).\(entry.name)", length: entry.name.count,
        "there is no pattern `\(entry.name)`", help: Nearest.hint(entry.name, in: patterns))
    }
  }

  /// A mapping of names to shares, which need not add up to 100 %.
  private static func shares(_ reader: inout FieldReader, _ key: String) -> [MembersSection.Share] {
    let path = reader.child(key)
    let found = reader.named(key).compactMap { name, mark, tree -> MembersSection.Share? in
      guard case .scalar(let text) = tree.content, let share = try? Quantity.share(text) else {
        reader.context.fail(
          .badQuantity, at: "\(path).\(name)", else: mark, "`\(path).\(name)` is no share",
          help: "for example `\(name): 25%`")
        return nil
      }
      return MembersSection.Share(name: name, share: share)
    }
    if !found.isEmpty { reader.noteGiven(key, text(found)) }
    if !found.isEmpty, found.allSatisfy({ $0.share <= 0 }) {
      reader.context.fail(
        .outOfRange, at: path, "all shares of `\(path)` are 0", help: "give one a share")
    }
    return found
  }

  private static func text(_ shares: [MembersSection.Share]) -> String {
    shares.map { "\($0.name): \($0.share * 100)%" }.joined(separator: ", ")
  }
}
