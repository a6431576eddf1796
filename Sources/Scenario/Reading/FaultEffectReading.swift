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
    case "drop": return .drop(FaultSide(target), share: share(&reader))
    case "spoil": return spoil(&reader, target)
    case "push": return push(&reader, target)
    case "clock": return clock(&reader, target)
    case "limit": return limit(&reader, target)
    default:
      let factor = factor(&reader)
      return .surge(
        target == "all" ? nil : target, factor: factor,
        ramp: reader.duration("ramp", .assumed("0s")))
    }
  }

  /// Asks for what belongs to other verbs, so that it is complained about as what it is.
  static func finish(_ reader: inout FieldReader, verb: String) {
    let fields = [
      "factor": ["slow", "spoil", "surge"], "ramp": ["surge", "slow", "drop", "spoil", "limit"],
      "from": ["cut"], "one_way": ["cut"], "share": ["drop", "limit", "spoil"],
      "errors": ["spoil", "push"], "concurrency": ["push"], "max_instances": ["push"],
      "call_timeout": ["push"], "ahead": ["clock"], "behind": ["clock"], "rate": ["clock"],
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
    let share = reader.has("share") ? share(&reader) : 0
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

  private static func push(_ reader: inout FieldReader, _ target: String) -> FaultEffect {
    var push = FaultPush()
    if reader.has("concurrency") { push.concurrency = reader.count("concurrency", in: 1...10_000) }
    if reader.has("max_instances") {
      push.maximumInstances = reader.count("max_instances", in: 1...10_000_000)
    }
    if reader.has("call_timeout") {
      push.callTimeout = reader.duration("call_timeout", atLeast: "1ms")
    }
    if reader.has("errors") { push.errors = reader.share("errors") }
    let isSound = ["concurrency", "max_instances", "call_timeout", "errors"]
      .allSatisfy { reader.context.isSound(reader.child($0)) }
    if push.isEmpty, isSound {
      reader.context.fail(
        .inconsistent, at: reader.child("push"), length: target.count,
        "a configuration without anything in it changes nothing",
        help: "give `max_instances`, `concurrency`, `call_timeout` or `errors`, as in `errors: 5%`")
    }
    return .push(target, push)
  }

  private static func clock(_ reader: inout FieldReader, _ target: String) -> FaultEffect? {
    let ahead = reader.has("ahead") ? reader.duration("ahead") : .zero
    let behind = reader.has("behind") ? reader.duration("behind") : .zero
    let rate = reader.has("rate") ? reader.number("rate", in: 0.01...100) : 1
    let isSound = ["ahead", "behind", "rate"].allSatisfy {
      reader.context.isSound(reader.child($0))
    }
    if reader.has("ahead"), reader.has("behind") {
      reader.context.fail(
        .inconsistent, at: reader.child("behind"), "a clock is ahead or behind, and not both",
        help: "keep one of them")
    } else if ahead == behind, rate == 1, isSound {
      reader.context.fail(
        .inconsistent, at: reader.child("clock"), length: target.count,
        "a clock that neither jumps nor drifts is right",
        help: "give `ahead: 30s`, `behind: 30s`, or `rate: 1.1`")
    }
    guard let index = FaultReading.number(target, after: "worker-manager-"), index >= 0 else {
      reader.context.fail(
        .unknownName, at: reader.child("clock"), length: target.count,
        "`\(target)` has no clock that matters", help: "for example `worker-manager-0`")
      return nil
    }
    return .clock(manager: index, jump: ahead - behind, rate: rate)
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
    if ServiceLabel(target) != nil { return .slowService(target, factor: factor) }
    if target.hasPrefix("downstream ") {
      return .slowDownstream(String(target.dropFirst("downstream ".count)), factor: factor)
    }
    if let part = FaultPart(target) { return .slow(part, factor: factor) }
    return .slowZone(target, factor: factor)
  }

  private static func factor(_ reader: inout FieldReader) -> Double {
    let factor = reader.number("factor", in: 1...1000)
    if factor == 1, reader.has("factor"), !reader.has("spoil"),
      reader.context.isSound(reader.child("factor"))
    {
      reader.context.fail(
        .inconsistent, at: reader.child("factor"), "a factor of 1 changes nothing",
        help: "give more than 1, or remove the fault")
    }
    return factor
  }

  private static func share(_ reader: inout FieldReader) -> Double {
    let share = reader.share("share")
    if share == 0, reader.has("share"), reader.context.isSound(reader.child("share")) {
      reader.context.fail(
        .inconsistent, at: reader.child("share"), "a share of nothing changes nothing",
        help: "give more than 0 %, or remove the fault")
    }
    return share
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
