import Primitives

/// What a fault does that neither crashes nor loses anything.
enum FaultEffectReading {
  private static let parts = FaultPart.Kind.allCases.map {
    $0 == .remoteCache ? "remote-cache of zone-a" : $0.rawValue
  }

  static func effect(_ reader: inout FieldReader, verb: String) -> FaultEffect? {
    let target = reader.string(verb)
    defer { finish(&reader, verb: verb) }
    guard reader.context.isSound(reader.child(verb)) else { return nil }
    switch verb {
    case "stop":
      guard let part = FaultPart(target) else { return unknown(target, verb, reader) }
      return .stop(part)
    case "slow": return slow(&reader, target)
    case "cut":
      let from = reader.string("from", .assumed("everything"))
      return .cut(
        FaultSide(target), from: FaultSide(from),
        isOneWay: reader.word("one_way", of: ["true", "false"], .assumed("false")) == "true")
    case "drop": return .drop(FaultSide(target), share: reader.share("share"))
    case "spoil": return spoil(&reader, target)
    case "limit": return limit(&reader, target)
    default:
      let factor = factor(&reader)
      return .surge(
        target == "all" ? nil : target, factor: factor,
        ramp: reader.duration("ramp", .assumed("0s")))
    }
  }

  /// Asks for what belongs to other verbs, so that it is complained about as what it is.
  private static func finish(_ reader: inout FieldReader, verb: String) {
    let fields = [
      "factor": ["slow", "spoil", "surge"], "ramp": ["surge"], "from": ["cut"],
      "one_way": ["cut"], "share": ["drop", "limit", "spoil"], "errors": ["spoil"],
    ]
    for key in fields.keys.sorted() where !(fields[key] ?? []).contains(verb) {
      guard let tree = reader.tree(key, .text) else { continue }
      reader.context.fail(
        .inconsistent, at: reader.child(key), else: tree.mark, length: key.count,
        "`\(key)` says nothing of `\(verb)`",
        help: "it belongs to `\((fields[key] ?? []).joined(separator: "` and `"))`")
    }
  }

  private static func spoil(_ reader: inout FieldReader, _ target: String) -> FaultEffect {
    // Absent: an instance of each lane; and none that errs, or is slow.
    let share = reader.has("share") ? reader.share("share") : 0
    let errors = reader.has("errors") ? reader.share("errors") : 0
    let factor = reader.has("factor") ? factor(&reader) : 1
    let isSound = ["errors", "factor"].allSatisfy { reader.context.isSound(reader.child($0)) }
    if errors == 0, factor == 1, isSound {
      reader.context.fail(
        .inconsistent, at: reader.child("spoil"), length: target.count,
        "instances that neither err nor are slow are not bad",
        help: "give `errors`, as in `errors: 80%`, or `factor`, as in `factor: 5`")
    }
    return .spoil(target, share: share, errors: errors, factor: factor)
  }

  private static func limit(_ reader: inout FieldReader, _ target: String) -> FaultEffect {
    let share = reader.share("share")
    if share >= 1, reader.context.isSound(reader.child("share")) {
      reader.context.fail(
        .outOfRange, at: reader.child("share"), "a downstream that bears all it did is not limited",
        help: "give a share below 100%")
    }
    return .limit(target, share: share)
  }

  private static func slow(_ reader: inout FieldReader, _ target: String) -> FaultEffect {
    let factor = factor(&reader)
    if target.hasPrefix("service ") {
      return .slowService(String(target.dropFirst("service ".count)), factor: factor)
    }
    if target.hasPrefix("downstream ") {
      return .slowDownstream(String(target.dropFirst("downstream ".count)), factor: factor)
    }
    if let part = FaultPart(target) { return .slow(part, factor: factor) }
    return .slowZone(target, factor: factor)
  }

  private static func factor(_ reader: inout FieldReader) -> Double {
    reader.number("factor", in: 1...1000)
  }

  private static func unknown(
    _ target: String, _ verb: String, _ reader: FieldReader
  ) -> FaultEffect? {
    reader.context.fail(
      .unknownName, at: reader.child(verb), length: target.count,
      "`\(target)` cannot be stopped",
      help: "one of `\(parts.joined(separator: "`, `"))`; a zone is cut off: `cut: zone-a`")
    return nil
  }
}
