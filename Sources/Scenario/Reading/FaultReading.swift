import Primitives

/// What goes wrong, and when.
enum FaultReading {
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
    if reader.has("lose") {
      section.zone = reader.string("lose")
      if let other = reader.tree("crash") {
        reader.context.fail(
          .inconsistent, other.mark, "`\(reader.path)` has both `crash` and `lose`",
          help: "make two faults of it")
      }
    } else {
      target(&reader, &section)
    }
    section.restartAfter = reader.duration("restart_after", orNever: "never", .assumed("2m"))
    if let after = section.restartAfter, after <= .zero {
      reader.context.fail(
        .outOfRange, at: reader.child("restart_after"),
        "`\(reader.child("restart_after"))` is \(after.seconds) s: it would end as it begins",
        help: "give a time above 0, or `never`")
    }
    reader.finish()
    return section
  }

  private static func target(_ reader: inout FieldReader, _ section: inout FaultSection) {
    let target = reader.string("crash")
    section.workerManager = number(target, after: "worker-manager-")
    section.dispatcher = number(target, after: "dispatcher-")
    section.consumer = member(target, of: "consumer-")
    section.broker = member(target, of: "broker-")
    if section.workerManager == nil, section.dispatcher == nil, section.consumer == nil,
      section.broker == nil,
      reader.context.isSound(reader.child("crash"))
    {
      reader.context.fail(
        .unknownName, at: reader.child("crash"), length: target.count,
        "`\(target)` cannot be crashed",
        help: "`worker-manager-0`, `dispatcher-0`, `consumer-0 of zone-a`, "
          + "`broker-0 of zone-a`, …; a zone is lost: "
          + "`lose: zone-a`")
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
