import Testing

@testable import Scenario

/// A change of the sample, and the diagnostic that it must cause. `▲` in the new text is the place;
/// without one the diagnostic is about the document as a whole.
struct BadInput: Sendable, CustomTestStringConvertible {
  var old: String
  var new: String
  var kind: Diagnostic.Kind
  var message: String
  var help: String?
  /// What else follows from the change, by id.
  var also: [Diagnostic.Kind] = []

  init(
    _ old: String, _ new: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil,
    also: [Diagnostic.Kind] = []
  ) {
    self.old = old
    self.new = new
    self.kind = kind
    self.message = message
    self.help = help
    self.also = also
  }

  var testDescription: String { "\(kind.rawValue) \(new.prefix(60))" }
}

@Suite struct BadInputTests {
  @Test func theSampleItselfIsFine() {
    let result = Samples.read(Samples.valid)
    #expect(result.rendered == "")
    #expect(result.document?.services.count == 2)
  }

  @Test(arguments: keys + quantities + references + rules + implausible)
  func eachChangeHasItsError(_ bad: BadInput) throws {
    let (text, place) = try #require(Samples.changed(bad.old, to: bad.new))
    let result = Samples.read(text)
    #expect((result.document == nil) == !bad.kind.isWarning)
    let found = result.diagnostics.filter { $0.kind == bad.kind }
    #expect(found.count == 1, "\(result.rendered)")
    #expect(result.diagnostics.map(\.kind).filter { $0 != bad.kind } == bad.also)
    let diagnostic = try #require(found.first)
    if place.line > 0 {
      #expect(Mark(line: diagnostic.line, column: diagnostic.column) == place)
    }
    #expect(diagnostic.message == bad.message)
    #expect(diagnostic.help == bad.help)
    #expect(diagnostic.file == "sample.yaml")
  }

  /// The YAML itself: an id and a line are enough, since the words are the library's.
  @Test(arguments: [
    ("warmup: 1m", "warmup: [1m", Diagnostic.Kind.syntax),
    ("warmup: 1m", "\twarmup: 1m", .syntax),
    ("name: sample", "name: sample\n---\nname: other", .syntax),
    ("name: sample", "name: &a [*a]", .syntax),
    ("name: sample", "name: *nobody", .syntax),
    ("warmup: 1m", "warmup: 1m\nduration: 5m", .duplicateKey),
  ])
  func syntaxHasItsError(old: String, new: String, kind: Diagnostic.Kind) throws {
    let (text, _) = try #require(Samples.changed(old, to: new))
    let result = Samples.read(text)
    #expect(result.document == nil)
    #expect(result.diagnostics.first?.kind == kind, "\(result.rendered)")
    #expect((result.diagnostics.first?.line ?? 0) > 0)
  }

  @Test func errorsComeTogetherInTheOrderOfTheFile() throws {
    let text = Samples.valid.replacing("warmup: 1m", with: "warmpu: 1m")
      .replacing("{per_zone: 2}", with: "{per_zone: -2}")
      .replacing("runtime: go", with: "runtime: rust")
      .replacing("failed / requests < 0.1%", with: "faild / requests < 0.1%")
    let result = Samples.read(text)
    #expect(result.errors.map(\.kind) == [.unknownKey, .outOfRange, .unknownName, .badObjective])
    #expect(zip(result.errors, result.errors.dropFirst()).allSatisfy { $0.line <= $1.line })
    #expect(result.document == nil)
  }

  @Test func idsAreUniqueAndStable() {
    let ids = Diagnostic.Kind.allCases.map(\.rawValue)
    #expect(Set(ids).count == ids.count)
    for id in ids { #expect(id.hasPrefix("HR01") && id.count == 6) }
  }

  static let keys = [
    BadInput(
      "warmup: 1m", "▲warmpu: 1m", .unknownKey, "unknown key `warmpu`",
      help: "did you mean `warmup`?"),
    BadInput(
      "{per_zone: 2}", "{▲per_zones: 2}", .unknownKey,
      "unknown key `per_zones` in `cluster.gateways`", help: "did you mean `per_zone`?"),
    BadInput(
      "headroom: 1\n", "", .missingKey, "`headroom` is missing", help: "for example `headroom: 1`"),
    BadInput(
      "headroom: 1\n", "headroom: ▲one\n", .badQuantity, "`one` is no value for `headroom`",
      help: "for example `1`"),
    BadInput(
      "duration: 10m\n", "", .missingKey, "`duration` is missing",
      help: "for example `duration: 10s`"),
    BadInput(
      "gateways: {per_zone: 2}", "gateways: ▲2", .wrongType,
      "`cluster.gateways` is a value, not a mapping",
      help: "write it as `key: value` lines or `{key: value}`"),
    BadInput("name: sample", "name: ▲[sample]", .wrongType, "`name` is a list, not a single value"),
  ]

  private static let count = "between 1 and 10000"
  private static let time = "for example `10s`"

  static let quantities = [
    BadInput(
      "10m\nw", "▲10 minutes\nw", .unknownUnit, "unknown unit `minutes` in `10 minutes`",
      help: "one of `ns`, `us`, `µs`, `ms`, `s`, `m`, `min`, `h`, `d`"),
    BadInput("10m\nw", "▲600\nw", .unknownUnit, "`600` has no unit", help: time),
    BadInput("10m\nw", "▲nan\nw", .badQuantity, "`nan` is no value for `duration`", help: time),
    BadInput("10m\nw", "▲inf\nw", .badQuantity, "`inf` is no value for `duration`", help: time),
    BadInput(
      "10m\nw", "▲-10m\nw", .outOfRange, "`duration` is `-10m`",
      help: "a duration is not negative"),
    BadInput(
      "per_zone: 2", "per_zone: ▲-2", .outOfRange, "`cluster.gateways.per_zone` is `-2`",
      help: count),
    BadInput(
      "per_zone: 2", "per_zone: ▲2.5", .outOfRange, "`cluster.gateways.per_zone` is `2.5`",
      help: "a count is a whole number"),
    BadInput(
      "per_zone: 2", "per_zone: ▲1e15", .outOfRange, "`cluster.gateways.per_zone` is `1e15`",
      help: count),
    BadInput(
      "per_zone: 2", "per_zone: ▲0", .outOfRange, "`cluster.gateways.per_zone` is `0`",
      help: count),
    BadInput("120/s", "▲120", .unknownUnit, "`120` has no unit", help: "for example `120/s`"),
    BadInput(
      "256MiB", "▲256mib", .unknownUnit, "unknown unit `mib` in `256mib`",
      help: "did you mean `MiB`?"),
    BadInput("0.5, m", "▲0.5x, m", .unknownUnit, "unknown unit `x` in `0.5x`", help: "one of `m`"),
    BadInput(
      "2%, ", "▲200%, ", .badQuantity, "`200%` is no pool size",
      help: "`2%` of the peak of ready pods, `30` pods, `none`, `following(2%)`, "
        + "`base_stock(miss: 0.1%)` or `hourly(0: 1%, 8: 5%)`"),
  ]

  static let references = [
    BadInput(
      "runtime: python", "runtime: ▲pyton", .unknownName, "service `api`: unknown runtime `pyton`",
      help: "did you mean `python`?", also: [.unusedName]),
    BadInput(
      "[zone-a]", "[▲zone-q]", .unknownName, "service `api`: unknown zone `zone-q`",
      help: "did you mean `zone-a`?"),
    BadInput(
      "[python]", "[▲pythno]", .unknownName, "unknown runtime `pythno`",
      help: "did you mean `python`?"),
    BadInput(
      "service=api", "service=apo", .unknownName,
      "`p99(latency, service=apo) < 400ms`: unknown service `apo`", help: "did you mean `api`?"),
  ]

  static let rules = [
    BadInput(
      "warmup: 1m", "warmup: ▲10m", .inconsistent, "the warm-up is as long as the run",
      help: "shorten `warmup` or lengthen `duration`"),
    BadInput(
      "\"p99(latency, service=api) < 400ms\"", "▲\"max(ready_pods) < 9 for 2m\"", .badObjective,
      "`max(ready_pods) < 9 for 2m`: `ready_pods` has no `max` interval by interval",
      help: "with `for` write `ready_pods`"),
  ]
}

extension BadInputTests {
  /// Values that no platform has: errors where nothing could happen, else warnings.
  static let implausible = [
    BadInput(
      "zone-b, nodes: {count: 4, cpu: 16, memory: 64GiB}",
      "zone-b, nodes: {count: 4, cpu: 16, memory: ▲0B}", .outOfRange,
      "nodes of zone `zone-b` have no memory", help: "for example `memory: 256GiB`"),
    BadInput(
      "zone-b, nodes: {count: 4, cpu: 16,", "zone-b, nodes: {count: 4, cpu: ▲0,", .outOfRange,
      "nodes of zone `zone-b` have no cpu", help: "for example `cpu: 64`"),
    BadInput(
      "runtimes:", "network: {loss: ▲100%}\nruntimes:", .implausible,
      "every message between two components is lost: nothing is ever answered",
      help: "real networks lose far less than 1 %"),
    BadInput(
      "runtimes:", "network: {loss: ▲0.5}\nruntimes:", .implausible,
      "50 % of all messages between two components are lost",
      help: "real networks lose far less than 1 %"),
    BadInput(
      "gateways: {per_zone: 2}",
      "gateways: {per_zone: 2}\n  worker_managers: {lease_ttl: 4s, clock_margin: ▲4s}",
      .inconsistent, "a Worker Manager never trusts its lease: the margin is as long",
      help: "lower `clock_margin` far below `lease_ttl`"),
    BadInput(
      "gateways: {per_zone: 2}",
      "gateways: {per_zone: 2}\n  worker_managers: {lease_ttl: 9s, clock_margin: ▲7s}",
      .implausible, "a Worker Manager ceases to trust its lease before it has renewed it",
      help: "a lease is renewed after a third of `lease_ttl`: lower `clock_margin`"),
    BadInput(
      "rate: 120/s", "rate: ▲1e12/s", .outOfRange,
      "service `api`: 1000000000000 requests a second are more than can be told apart",
      help: "at most 4000000000 a second"),
    BadInput(
      "    arrivals: {process: poisson, rate: 120/s}",
      "    count: 1M\n    arrivals: {process: poisson, rate: 500/s}", .implausible,
      "all services together have 500000033 requests a second",
      help: "the whole of ByteFaaS has 120 million at its peak; look at rates and at `count`"),
    BadInput(
      "arrivals: {process: poisson, rate: 120/s}",
      "arrivals: {process: trace, file: a.csv, part: ▲5m}", .inconsistent,
      "service `api`: the part ends before the run",
      help: "let `duration` be `warmup` and `part` together, or less"),
    BadInput(
      "arrivals: {process: poisson, rate: 120/s}",
      "arrivals: {process: trace, file: a.csv, part: ▲1500ms}", .outOfRange,
      "a part is no whole number of seconds", help: "for example `part: 504m`"),
  ]
}

/// Any text gives a document or errors, and nothing else.
@Suite struct ScenarioFuzzTests {
  @Test func mutationsNeverStopTheReader() {
    var state: UInt64 = 11
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let lines = Samples.valid.split(separator: "\n", omittingEmptySubsequences: false)
    var refused = 0
    for round in 0..<3000 {
      var changed = lines.map(String.init)
      for _ in 0...random(3) {
        let line = random(changed.count)
        switch random(5) {
        case 0: changed.swapAt(line, random(changed.count))
        case 1: changed[line] = ""
        case 2: changed.insert(changed[random(changed.count)], at: line)
        default:
          var bytes = Array(changed[line].utf8)
          if !bytes.isEmpty { bytes[random(bytes.count)] = UInt8(32 + random(95)) }
          changed[line] = String(decoding: bytes, as: UTF8.self)
        }
      }
      let result = Samples.read(changed.joined(separator: "\n"))
      if result.document == nil {
        refused += 1
        #expect(!result.errors.isEmpty, "round \(round) says nothing")
      }
    }
    #expect(refused > 1000)
  }
}
