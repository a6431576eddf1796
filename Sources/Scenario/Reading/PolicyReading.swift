import Primitives

/// Reads policies: `knative(target: 10, window: 60s)`, or a list of several.
enum PolicyReading {
  /// A service's scaling policies; none where instances start on demand only.
  static func scaling(_ reader: inout FieldReader) -> [ScalingSection] {
    if case .sequence(let items) = reader.given("scaling")?.content {
      if items.isEmpty {
        _ = reader.list("scaling")
        reader.context.fail(
          .missingKey, at: reader.child("scaling"), "`\(reader.child("scaling"))` names no policy",
          help: "write `scaling: none`, or name one")
      }
      return reader.list("scaling").enumerated().compactMap { index, entry in
        let (item, path) = entry
        guard case .scalar(let text) = item.content else {
          reader.context.fail(
            .wrongType, at: path, "`\(path)` is \(item.kind), not a single value")
          return nil
        }
        return policy(text, item.mark, reader, key: "scaling[\(index)]")
      }
    }
    if reader.isWord("scaling", "none", .assumed("none")) { return [] }
    guard let (text, mark) = reader.text("scaling", .none, .policy) else { return [] }
    return policy(text, mark, reader).map { [$0] } ?? []
  }

  /// A policy by its table.
  ///
  /// - Parameters:
  ///   - key: of the field, beside whose path defaults are noted.
  ///   - what: that the text is none of.
  ///   - others: words that the field allows too.
  static func policy(
    _ text: String, _ mark: Mark, _ reader: FieldReader,
    among tables: [PolicyTable] = PolicyTable.scaling, key: String = "scaling",
    what: String = "scaling policy", others: [String] = ["none"]
  ) -> ScalingSection? {
    let fail = { (message: String, help: String?) in
      reader.context.fail(
        .badPolicy, mark, length: text.count, "`\(text)`: \(message)", help: help)
    }
    let (name, arguments) = call(text)
    guard let table = tables.first(where: { $0.name == name }) else {
      fail("no \(what)", Nearest.hint(name, in: tables.map(\.name) + others))
      return nil
    }
    check(arguments, table, fail)
    var section = ScalingSection(policy: name)
    for parameter in table.parameters {
      guard let text = arguments.value(parameter.name) ?? arguments.leading(parameter, of: table)
      else {
        reader.noteDefault("\(key).\(parameter.name)", parameter.fallback)
        section[parameter.name] = parameter.fallback.text.flatMap { parameter.parse($0) }
        continue
      }
      section[parameter.name] = parameter.parse(text)
      if section[parameter.name] == nil {
        fail("`\(parameter.name)` is `\(text)`", "write \(parameter.range)")
      }
    }
    checkTogether(section, fail)
    return section
  }

  /// What parameters say together.
  private static func checkTogether(_ section: ScalingSection, _ fail: (String, String?) -> Void) {
    let metrics = ["cpu", "memory", "concurrency", "lag"]
    if section.policy == "hpa", !metrics.contains(where: { section[$0] != nil }) {
      fail("no metric", "for example `hpa(cpu: 60%)`")
    }
    for way in ["up", "down"]
    where section["\(way)_percent"] == 0 && section["\(way)_pods"] == 0
      && section["\(way)_select"] != 2
    {
      fail(
        "neither `\(way)_percent` nor `\(way)_pods` bounds anything",
        "give one of them, or `\(way)_select: disabled`")
    }
    guard section["lagging_partitions"] == 1 else { return }
    for other in ["idle_consumers", "even_partitions"] where section[other] == 1 {
      fail("`lagging_partitions` and `\(other)` contradict each other", "keep one of them")
    }
  }

  /// Refuses what is no parameter of the policy.
  private static func check(
    _ arguments: DistributionParser.Arguments, _ table: PolicyTable,
    _ fail: (String, String?) -> Void
  ) {
    let (names, unnamed) = arguments.given
    let known = table.parameters.map(\.name)
    let isLeading = unnamed.count == 1 && arguments.leading(table.parameters[0], of: table) != nil
    if let value = unnamed.first, !isLeading {
      fail("`\(value)` has no name", "for example `\(table.name)(\(known[0]): \(value))`")
    }
    if let twice = arguments.repeated { fail("`\(twice)` is given twice", "keep one of them") }
    for name in names where !known.contains(name) {
      fail("unknown parameter `\(name)`", Nearest.hint(name, in: known))
    }
  }

  /// The name before the brackets and what is inside them.
  static func call(
    _ text: String
  ) -> (name: String, arguments: DistributionParser.Arguments) {
    guard let open = text.firstIndex(of: "("), text.last == ")" else {
      return (text, DistributionParser.Arguments([]))
    }
    let inside = text[text.index(after: open)...].dropLast()
    let name = String(Quantity.trim(text[..<open]))
    return (name, DistributionParser.Arguments(DistributionParser.split(inside)))
  }

  // MARK: Windows

  private static let schedule = "five fields as cron has them: `30 8 * * 1-5`"

  static func windows(_ reader: inout FieldReader) -> [ScalingWindowSection] {
    reader.list("scaling_windows").map { tree, path in
      var window = FieldReader(tree, path: path, mark: tree.mark, context: reader.context)
      defer { window.finish() }
      var section = ScalingWindowSection(
        from: window.string("from", help: "when it opens: \(schedule)"),
        to: window.string("to", help: "when it closes: \(schedule)"))
      section.clock = clock(&window)
      if window.has("replicas") {
        section.replicas = window.count("replicas")
        if window.tree("floor") != nil {
          window.context.fail(
            .inconsistent, at: window.child("floor"), "a window with `replicas` has no `floor`",
            help: "keep one of them")
        }
      } else {
        section.floor = window.count("floor")
      }
      for (key, text) in [("from", section.from), ("to", section.to)]
      where window.has(key) && (try? CronSchedule(text)) == nil {
        reader.context.fail(
          .badQuantity, at: window.child(key), "`\(text)` is no schedule",
          help: schedule)
      }
      return section
    }
  }

  /// Of a window: `+08:00`, a place, or `UTC` and `Z`, which are the scenario's own.
  private static func clock(_ window: inout FieldReader) -> CivilClock {
    let own = ScalingWindowSection.clock()
    guard let (text, mark) = window.text("time_zone", .assumed("+00:00"), .text) else { return own }
    if text == "UTC" || text == "Z" { return own }
    if let seconds = difference(text) {
      return ScalingWindowSection.clock([CivilClock.Offset(from: 0, seconds: seconds)])
    }
    // From the year of second 0 on, for longer than any run.
    if let rule = TimeZoneTable.rule(of: text) {
      return ScalingWindowSection.clock(rule.offsets(in: 1970...1990))
    }
    window.context.fail(
      .badQuantity, mark, length: text.count, "`\(text)` is no time zone",
      help: Nearest.hint(text, in: TimeZoneTable.places)
        ?? "for example `Europe/Berlin`, `+08:00` or `UTC`")
    return own
  }

  /// `+08:00`, in seconds.
  private static func difference(_ text: String) -> Int64? {
    let parts = text.dropFirst().split(separator: ":")
    guard let sign: Int64 = ["+": 1, "-": -1][text.prefix(1)], parts.count == 2,
      let hours = Int64(parts[0]), let minutes = Int64(parts[1]), (0...14).contains(hours),
      (0..<60).contains(minutes)
    else { return nil }
    return sign * (3600 * hours + 60 * minutes)
  }
}

extension DistributionParser.Arguments {
  /// The value of a table's first parameter where it stands without its name.
  fileprivate func leading(_ parameter: PolicyParameter, of table: PolicyTable) -> String? {
    guard table.mayOmitFirstName, parameter.name == table.parameters[0].name,
      !has(parameter.name)
    else { return nil }
    return given.unnamed.first.map(String.init)
  }
}
