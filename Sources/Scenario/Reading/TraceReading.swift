import Primitives

/// The fields of arrivals that come from a trace.
enum TraceReading {
  static func trace(_ reader: inout FieldReader) -> TraceSection {
    var section = TraceSection()
    section.file = reader.string("file")
    let formats = ["auto"] + TraceSection.Format.allCases.map(\.rawValue)
    section.format = TraceSection.Format(
      rawValue: reader.word("format", of: formats, .assumed("auto")))
    let ways = TraceSection.Within.allCases.map(\.rawValue)
    section.within =
      TraceSection.Within(rawValue: reader.word("within", of: ways, .assumed("poisson")))
      ?? .poisson
    section.variationFile = optionalText("variation", &reader)
    if section.within == .batches, section.variationFile == nil {
      reader.missing(
        "variation", "a file of values and shares, or `within: poisson`", isAlways: false)
    }
    columns(&reader, &section)
    section.beginsAtFirst =
      reader.word("origin", of: ["zero", "first"], .assumed("zero")) == "first"
    section.block = reader.duration("block", .assumed("504m"))
    if section.block.count <= 0 || section.block.count % 1_000_000_000 != 0 {
      reader.context.fail(
        .outOfRange, at: reader.child("block"), "a block is no whole number of seconds",
        help: "for example `block: 504m`")
    }
    section.part = part(&reader)
    section.durationsFile = optionalText("durations", &reader)
    section.memoryFile = optionalText("memory", &reader)
    if reader.has("busiest") {
      section.busiest = reader.count("busiest", .none, in: 1...10_000_000)
    } else {
      _ = reader.tree("busiest")
    }
    section.only = reader.words("only") ?? []
    section.source = reader.string("source", .assumed(""))
    return section
  }

  private static func part(_ reader: inout FieldReader) -> Nanoseconds? {
    if reader.isWord("part", "all", .assumed("all")) { return nil }
    let part = reader.duration("part", .assumed("all"), atLeast: "1s")
    if part.count % 1_000_000_000 != 0 {
      reader.context.fail(
        .outOfRange, at: reader.child("part"), "a part is no whole number of seconds",
        help: "for example `part: 504m`")
    }
    return part
  }

  private static func columns(_ reader: inout FieldReader, _ section: inout TraceSection) {
    var columns = reader.section("columns")
    section.timeColumn = columns.string("time", .assumed("timestamp"))
    section.serviceColumn = columns.string("service", .assumed("service"))
    section.durationColumn = columns.string("duration", .assumed("duration"))
    section.valueColumn = columns.string("value", .assumed("value"))
    section.timeUnit = unit(&columns, "time_unit")
    section.durationUnit = unit(&columns, "duration_unit")
    columns.finish()
  }

  private static func unit(_ columns: inout FieldReader, _ key: String) -> Nanoseconds {
    switch columns.word(key, of: ["s", "ms", "us", "ns"], .assumed("s")) {
    case "ms": .milliseconds(1)
    case "us": .microseconds(1)
    case "ns": Nanoseconds(1)
    default: .seconds(1)
    }
  }

  private static func optionalText(_ key: String, _ reader: inout FieldReader) -> String? {
    guard reader.has(key) else {
      _ = reader.tree(key)
      return nil
    }
    return reader.string(key)
  }
}
