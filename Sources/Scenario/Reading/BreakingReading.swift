import Primitives

/// How callers break instances, and what the Coordinator does about it.
enum BreakingReading {
  private static let envoy = "Envoy: outlier detection"

  private static func published(_ text: String) -> Default { .published(text, source: envoy) }

  static func breaking(_ reader: inout FieldReader) -> BreakingSection? {
    guard reader.has("breaking") else {
      _ = reader.tree("breaking", .section)
      return nil
    }
    var section = BreakingSection()
    var breaking = reader.section("breaking")
    section.consecutiveErrors = inRow(&breaking, "consecutive_errors", published("5"))
    section.consecutiveGatewayErrors = inRow(
      &breaking, "consecutive_gateway_errors", published("off"))
    section.interval = breaking.duration("interval", published("10s"), atLeast: "100ms")
    section.baseEjection = breaking.duration("base_ejection", published("30s"), atLeast: "1ms")
    section.maxEjection = breaking.duration("max_ejection", published("300s"), atLeast: "1ms")
    section.maxEjectionPercent = breaking.count(
      "max_ejection_percent", published("10"), in: 0...100)
    section.alwaysEjectsOne =
      breaking.word("always_eject_one", of: ["true", "false"], published("false")) == "true"
    section.judgesSuccessRates =
      breaking.word("success_rate", of: ["on", "off"], published("on")) == "on"
    if !breaking.isWord("slowness", "off", .assumed("off")) {
      section.slowness = breaking.number("slowness", in: 1...1000)
    }
    check(section, breaking)
    breaking.finish()
    return section
  }

  private static func inRow(
    _ reader: inout FieldReader, _ key: String, _ fallback: Default
  ) -> Int? {
    reader.isWord(key, "off", fallback) ? nil : reader.count(key, fallback, in: 1...10_000)
  }

  private static func check(_ section: BreakingSection, _ reader: FieldReader) {
    let keys = ["base_ejection", "max_ejection"]
    if section.baseEjection > section.maxEjection,
      keys.allSatisfy({ reader.context.isSound(reader.child($0)) })
    {
      reader.context.fail(
        .inconsistent, at: reader.child("base_ejection"), else: reader.mark,
        "the first ejection is longer than the longest", help: "raise `max_ejection`")
    }
    if section.maxEjectionPercent == 0, !section.alwaysEjectsOne,
      reader.context.isSound(reader.child("max_ejection_percent"))
    {
      reader.context.fail(
        .inconsistent, at: reader.child("max_ejection_percent"), else: reader.mark,
        "no instance may ever be broken",
        help: "raise it, set `always_eject_one: true`, or remove `breaking`")
    }
  }

  static func coordinator(_ cluster: inout FieldReader) -> CoordinatorSection {
    var section = CoordinatorSection()
    var coordinator = cluster.section("coordinator")
    section.longBreakEjections = coordinator.count(
      "long_break_ejections", .assumed("3"), in: 1...1000)
    section.longBreak = coordinator.duration("long_break", .assumed("120s"), atLeast: "1s")
    section.longBreakCallers = coordinator.count("long_break_callers", .assumed("3"), in: 1...1000)
    section.mostMigrations = coordinator.count("most_migrations", .assumed("2"), in: 1...1000)
    section.budget = coordinator.share("budget", .assumed("10%"))
    section.repeatAfter = coordinator.duration("repeat_after", .assumed("10s"), atLeast: "100ms")
    coordinator.finish()
    return section
  }
}
