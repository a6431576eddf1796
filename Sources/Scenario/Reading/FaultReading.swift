import Primitives

/// What goes wrong, and when.
enum FaultReading {
  static let verbs = [
    "crash", "lose", "stop", "slow", "cut", "drop", "surge", "spoil", "push", "clock",
    "limit",
  ]

  static func faults(_ reader: inout FieldReader) -> [FaultSection] {
    reader.list("faults").enumerated().map { index, item in
      var section = fault(
        FieldReader(item.tree, path: item.path, mark: item.tree.mark, context: reader.context))
      section.index = index
      section.line = max(0, item.tree.mark.line)
      return section
    }
  }

  private static func fault(_ reader: FieldReader) -> FaultSection {
    var reader = reader
    let name = reader.string("name", .assumed("fault"))
    let at = reader.duration("at")
    var section = FaultSection(name: name, at: at)
    let given = verbs.filter { reader.has($0) }
    if given.count > 1 {
      reader.context.fail(
        .inconsistent, at: reader.child(given[1]),
        else: reader.given(given[1])?.mark ?? reader.mark,
        "`\(reader.path)` has both `\(given[0])` and `\(given[1])`", help: "make two faults of it")
    }
    for verb in verbs where verb != given.first { _ = reader.tree(verb, .text) }
    switch given.first {
    case "lose":
      lose(&reader, &section)
      FaultEffectReading.finish(&reader, verb: "lose")
    case "crash":
      crash(&reader, &section)
      FaultEffectReading.finish(&reader, verb: "crash")
    case nil:
      reader.context.fail(
        .missingKey, at: reader.path, else: reader.mark,
        "`\(reader.path)` does not say what goes wrong",
        help: "one of \(verbs.map { "`\($0)`" }.joined(separator: ", ")), as in `lose: zone-a`")
    case let verb?: section.effect = FaultEffectReading.effect(&reader, verb: verb)
    }
    section.restartAfter = end(&reader, section, verb: given.first)
    ramp(&reader, &section, verb: given.first)
    repetition(&reader, &section)
    section.cluster = ServiceReading.optionalText(&reader, "in")
    reader.finish()
    return section
  }

  /// How long it lasts; nil: to the end of the run, or no longer than the instant itself.
  private static func end(
    _ reader: inout FieldReader, _ section: FaultSection, verb: String?
  ) -> Nanoseconds? {
    let given = ["restart_after", "for", "until"].first { reader.has($0) }
    if case .losePods? = section.effect {
      guard let given, length(&reader, at: section.at) != nil else { return nil }
      reader.context.fail(
        .inconsistent, at: reader.child(given), "pods that are lost do not come back",
        help: "remove `\(given)`: others are made in their place")
      return nil
    }
    // Bad instances get well, and clocks go right, only where the scenario says so.
    if verb == "spoil" || verb == "clock", given == nil { return nil }
    return length(&reader, at: section.at)
  }

  /// How often it comes.
  private static func repetition(_ reader: inout FieldReader, _ section: inout FaultSection) {
    guard reader.has("every") || reader.has("times") else {
      for (key, kind) in [("every", FieldKind.duration), ("times", .count)] {
        _ = reader.tree(key, kind)
      }
      return
    }
    section.times = reader.count("times", in: 2...FaultSection.mostTimes)
    section.every = reader.duration("every")
    let isSound = ["every", "times"].allSatisfy { reader.context.isSound(reader.child($0)) }
    var isOver = section.restartAfter.map { $0 < section.every } ?? false
    if case .losePods? = section.effect { isOver = section.every > .zero }
    guard isSound, !isOver else { return }
    reader.context.fail(
      .inconsistent, at: reader.child("every"), "it comes again before it is over",
      help: "let `every` be longer than it lasts")
  }

  /// How long it grows.
  private static func ramp(
    _ reader: inout FieldReader, _ section: inout FaultSection, verb: String?
  ) {
    guard ["slow", "drop", "spoil", "limit"].contains(verb ?? "") else { return }
    section.ramp = reader.duration("ramp", .assumed("0s"))
    guard let length = section.restartAfter, section.ramp > length,
      reader.context.isSound(reader.child("ramp"))
    else { return }
    reader.context.fail(
      .inconsistent, at: reader.child("ramp"), "it is over before it has grown",
      help: "let `ramp` be no longer than it lasts")
  }

  /// How long it lasts: `restart_after`, `for`, or up to `until`.
  private static func length(_ reader: inout FieldReader, at: Nanoseconds) -> Nanoseconds? {
    let keys = ["restart_after", "for", "until"]
    let given = keys.filter { reader.has($0) }
    if given.count > 1 {
      reader.context.fail(
        .inconsistent, at: reader.child(given[1]),
        else: reader.given(given[1])?.mark ?? reader.mark,
        "`\(reader.path)` has both `\(given[0])` and `\(given[1])`", help: "keep one of them")
    }
    let key = given.first ?? "restart_after"
    for other in keys where other != key { _ = reader.tree(other, .duration) }
    guard key != "until" else {
      let until = reader.duration("until")
      if until <= at, reader.context.isSound(reader.child("until")) {
        reader.context.fail(
          .outOfRange, at: reader.child("until"),
          "`\(reader.path)` ends at \(until.seconds) s and begins at \(at.seconds) s",
          help: "let it end after it begins")
      }
      return until - at
    }
    let after =
      key == "for"
      ? reader.duration("for") : reader.duration(key, orNever: "never", .assumed("2m"))
    if let after, after <= .zero, reader.context.isSound(reader.child(key)) {
      reader.context.fail(
        .outOfRange, at: reader.child(key),
        "`\(reader.child(key))` is \(after.seconds) s: it would end as it begins",
        help: key == "for" ? "give a time above 0" : "give a time above 0, or `never`")
    }
    return after
  }

  /// A zone, cluster or region; `node-3 of zone-a`, `25% of zone-a`; `10% of pods of SERVICE`, `3
  /// pods of SERVICE`.
  private static func lose(_ reader: inout FieldReader, _ section: inout FaultSection) {
    let target = reader.string("lose")
    if let pods = pods(target) {
      section.effect = pods
      return
    }
    let words = target.split(separator: " ")
    if words.count > 1, words.contains("pods") || words.contains("pod") {
      reader.context.fail(
        .outOfRange, at: reader.child("lose"), length: target.count,
        "`\(target)` says neither how many pods nor which share of them",
        help: "a number from 1 on or a share above 0%: `3 pods of SERVICE`, "
          + "`10% of pods of SERVICE`")
      return
    }
    let parts = target.split(separator: " ")
    guard parts.count == 3, parts[1] == "of" else {
      section.zone = target
      return
    }
    if let which = machines(parts[0]) {
      section.nodes = (String(parts[2]), which)
    } else {
      reader.context.fail(
        .unknownName, at: reader.child("lose"), length: target.count,
        "`\(target)` cannot be lost",
        help:
          "for example `zone-a`, `node-3 of zone-a`, `25% of zone-a`, `10% of pods of SERVICE`, "
          + "`3 pods of SERVICE`")
    }
  }

  /// `node-3` or `25%`.
  private static func machines(_ text: some StringProtocol) -> FaultNodes? {
    if let index = number(text, after: "node-"), index >= 0 { return .one(index) }
    if let share = try? Quantity.share(String(text)), share > 0 { return .share(share) }
    return nil
  }

  /// Instances of a service, of which a share or a number is given.
  private static func pods(_ target: String) -> FaultEffect? {
    let parts = target.split(separator: " ").map(String.init)
    guard let word = parts.firstIndex(where: { $0 == "pods" || $0 == "pod" }),
      parts.count > word + 2, parts[word + 1] == "of"
    else { return nil }
    let service = parts[(word + 2)...].joined(separator: " ")
    if word == 2, parts[1] == "of", let share = try? Quantity.share(parts[0]), share > 0 {
      return .losePods(service, .share(share))
    }
    guard word == 1, let count = Int(parts[0]), count > 0 else { return nil }
    return .losePods(service, .count(count))
  }

  private static func crash(_ reader: inout FieldReader, _ section: inout FaultSection) {
    let target = reader.string("crash")
    section.workerManager = number(target, after: "worker-manager-")
    section.dispatcher = number(target, after: "dispatcher-")
    section.consumer = member(target, of: "consumer-")
    section.broker = member(target, of: "broker-")
    section.isOfCoordinator = target == "coordinator"
    section.gateway = member(target, of: "gateway-")
    section.agents = agents(target)
    guard section.target == nil, reader.context.isSound(reader.child("crash")) else { return }
    reader.context.fail(
      .unknownName, at: reader.child("crash"), length: target.count,
      "`\(target)` cannot be crashed",
      help: "`worker-manager-0`, `dispatcher-0`, `consumer-0 of zone-a`, "
        + "`broker-0 of zone-a`, `coordinator`, `gateway-0 of zone-a`, "
        + "`host-agent of node-3 of zone-a`, `host-agent of 25% of zone-a`, …; a zone is lost: "
        + "`lose: zone-a`; what a cluster has once is stopped: `stop: etcd`")
  }

  /// `host-agent of node-3 of zone-a`, `host-agent of 25% of zone-a`.
  private static func agents(_ target: String) -> (zone: String, which: FaultNodes)? {
    let parts = target.split(separator: " ")
    guard parts.count == 5, parts[0] == "host-agent", parts[1] == "of", parts[3] == "of",
      let which = machines(parts[2])
    else { return nil }
    return (String(parts[4]), which)
  }

  static func number(_ text: some StringProtocol, after prefix: String) -> Int? {
    text.hasPrefix(prefix) ? Int(text.dropFirst(prefix.count)) : nil
  }

  /// `consumer-0 of zone-a`.
  private static func member(
    _ target: String, of prefix: String
  ) -> (zone: String, index: Int)? {
    let parts = target.split(separator: " ")
    guard parts.count == 3, parts[1] == "of", let index = number(parts[0], after: prefix)
    else { return nil }
    return (String(parts[2]), index)
  }
}
