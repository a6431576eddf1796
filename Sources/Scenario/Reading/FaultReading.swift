import Primitives

/// What goes wrong, and when.
enum FaultReading {
  static let verbs = ["crash", "lose", "stop", "slow", "cut", "drop", "surge", "spoil", "limit"]

  static func faults(_ reader: inout FieldReader) -> [FaultSection] {
    reader.list("faults").map { tree, path in
      fault(FieldReader(tree, path: path, mark: tree.mark, context: reader.context))
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
    for verb in verbs where verb != given.first && (verb != "crash" || !given.isEmpty) {
      _ = reader.tree(verb, .text)
    }
    switch given.first {
    case "lose": lose(&reader, &section)
    case nil, "crash": crash(&reader, &section)
    case let verb?: section.effect = FaultEffectReading.effect(&reader, verb: verb)
    }
    // Bad instances get well only where the scenario says so.
    let isForGood =
      given.first == "spoil" && !["restart_after", "for", "until"].contains { reader.has($0) }
    section.restartAfter = isForGood ? nil : length(&reader, at: at)
    section.cluster = ServiceReading.optionalText(&reader, "in")
    reader.finish()
    return section
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

  /// A zone, cluster or region; or `node-3 of zone-a`, `25% of zone-a`.
  private static func lose(_ reader: inout FieldReader, _ section: inout FaultSection) {
    let target = reader.string("lose")
    let parts = target.split(separator: " ")
    guard parts.count == 3, parts[1] == "of" else {
      section.zone = target
      return
    }
    let zone = String(parts[2])
    if let index = number(parts[0], after: "node-") {
      section.nodes = (zone, .one(index))
    } else if let share = try? Quantity.share(String(parts[0])), share > 0 {
      section.nodes = (zone, .share(share))
    } else {
      reader.context.fail(
        .unknownName, at: reader.child("lose"), length: target.count,
        "`\(target)` cannot be lost", help: "`zone-a`, `node-3 of zone-a`, `25% of zone-a`")
    }
  }

  private static func crash(_ reader: inout FieldReader, _ section: inout FaultSection) {
    let target = reader.string("crash")
    section.workerManager = number(target, after: "worker-manager-")
    section.dispatcher = number(target, after: "dispatcher-")
    section.consumer = member(target, of: "consumer-")
    section.broker = member(target, of: "broker-")
    section.isOfCoordinator = target == "coordinator"
    if !section.isOfCoordinator, section.workerManager == nil, section.dispatcher == nil,
      section.consumer == nil,
      section.broker == nil,
      reader.context.isSound(reader.child("crash"))
    {
      reader.context.fail(
        .unknownName, at: reader.child("crash"), length: target.count,
        "`\(target)` cannot be crashed",
        help: "`worker-manager-0`, `dispatcher-0`, `consumer-0 of zone-a`, "
          + "`broker-0 of zone-a`, `coordinator`, …; a zone is lost: "
          + "`lose: zone-a`; what a cluster has once is stopped: `stop: etcd`")
    }
  }

  private static func number(_ text: some StringProtocol, after prefix: String) -> Int? {
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
