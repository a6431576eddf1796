import Primitives

/// Clients that leave and try again.
enum ClientReading {
  static func clients(_ reader: inout FieldReader) -> ClientSection? {
    guard reader.has("clients") else {
      _ = reader.tree("clients", .section)
      return nil
    }
    var section = ClientSection()
    var clients = reader.section("clients")
    section.timeout = clients.duration("timeout", orNever: "never", .assumed("never"))
    if section.timeout == .zero, clients.context.isSound(clients.child("timeout")) {
      clients.context.fail(
        .outOfRange, at: clients.child("timeout"), "clients that wait for no time get no answer",
        help: "give a time above 0, or `never`")
    }
    section.retries = clients.count("retries", .assumed("2"), in: 0...100)
    section.backoff = clients.duration("backoff", .assumed("100ms"), atLeast: "1ms")
    section.backoffMost = clients.duration("backoff_max", .assumed("10s"), atLeast: "1ms")
    if section.backoff > section.backoffMost, clients.context.isSound(clients.child("backoff")),
      clients.context.isSound(clients.child("backoff_max"))
    {
      clients.context.fail(
        .inconsistent, at: clients.child("backoff"), else: clients.mark,
        "the first wait is longer than the longest", help: "raise `backoff_max`")
    }
    let source = "Finagle, RetryBudget: 20 % of requests, and 10 a second"
    if !clients.isWord("budget", "none", .published("20%", source: source)) {
      section.budget = clients.share("budget", .published("20%", source: source))
    }
    section.budgetLeastPerSecond = clients.count(
      "budget_least", .published("10", source: source), in: 0...1_000_000)
    if section.budget == 0, section.budgetLeastPerSecond == 0,
      clients.context.isSound(clients.child("budget"))
    {
      clients.context.fail(
        .outOfRange, at: clients.child("budget"), "a budget of nothing",
        help: "use `retries: 0`, or a `budget_least`; `none` is a budget without bound")
    }
    clients.finish()
    return section
  }
}
