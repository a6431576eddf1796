import Primitives

/// What a rehearsal is judged over.
enum RehearsalReading {
  private static let path = "rehearsal"

  static func section(_ reader: inout FieldReader) -> RehearsalSection {
    guard reader.has(path) else {
      _ = reader.tree(path, .section)
      return RehearsalSection()
    }
    var fields = reader.section(path)
    var section = RehearsalSection()
    if fields.has("from") {
      section.from = fields.duration("from")
    } else {
      _ = fields.tree("from", .duration)
    }
    if fields.has("until") {
      section.until = fields.duration("until")
    } else {
      _ = fields.tree("until", .duration)
    }
    fields.finish()
    return section
  }

  /// What must hold between it and the rest of a scenario.
  static func check(_ document: ScenarioDocument, _ context: ReadingContext) {
    if let from = document.rehearsal.from, context.isSound("\(path).from") {
      check(from: from, document, context)
    }
    guard let until = document.rehearsal.until, context.isSound("\(path).until") else { return }
    func fail(_ message: String, _ help: String) {
      context.fail(.inconsistent, at: "\(path).until", message, help: help)
    }
    if until > document.duration, context.isSound("duration") {
      fail("the rehearsal is judged longer than the run", "lengthen `duration`")
    } else if until <= max(document.rehearsal.from ?? .zero, document.warmup) {
      fail("the judged time ends before it begins", "`until` is later than `from` and `warmup`")
    }
  }

  private static func check(
    from: Nanoseconds, _ document: ScenarioDocument, _ context: ReadingContext
  ) {
    func fail(_ message: String, _ help: String) {
      context.fail(.inconsistent, at: "\(path).from", message, help: help)
    }
    guard from != document.warmup else { return }
    let first = document.faults.map(\.at).min()
    if from < document.warmup, context.isSound("warmup") {
      fail("the warm-up is not judged", "let it begin at the end of `warmup` or later")
    } else if from.count % 1_000_000_000 != 0 {
      fail("a rehearsal is judged from a whole second on", "for example `from: 2399s`")
    } else if let first, from >= first {
      fail(
        "a fault strikes before the judged time begins",
        "let it begin a second before the first fault or earlier")
    }
  }
}
