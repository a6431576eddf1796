import Primitives

/// Reads scenarios: text in, a document or every error at once out.
public struct ScenarioReader: Sendable {
  public struct Result: Sendable {
    /// Nil when there are errors.
    public var document: ScenarioDocument?
    /// Errors and warnings, in the order of the file.
    public var diagnostics: [Diagnostic]
    /// Every value that the model uses, in the order of reading, with its origin.
    public var values: [ResolvedValue]
    public var source: [Substring]

    public var errors: [Diagnostic] { diagnostics.filter { !$0.kind.isWarning } }
    public var warnings: [Diagnostic] { diagnostics.filter(\.kind.isWarning) }

    /// All diagnostics as text, each with its line.
    public var rendered: String {
      diagnostics.map { $0.render(source: source) }.joined(separator: "\n")
    }
  }

  public init() {}

  /// - Parameters:
  ///   - file: its name, for messages.
  ///   - overrides: `path=value`, applied before decoding.
  public func read(_ text: String, file: String, overrides: [String] = []) -> Result {
    read(text, overrides: overrides, ReadingContext(file: file))
  }

  /// As above, from bytes, which may turn out not to be text.
  public func read(_ bytes: [UInt8], file: String, overrides: [String] = []) -> Result {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let source = String(decoding: bytes, as: UTF8.self).split(
        omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      let diagnostic = TextRules.notUTF8(bytes, file: file)
      return Result(document: nil, diagnostics: [diagnostic], values: [], source: source)
    }
    return read(text, file: file, overrides: overrides)
  }

  func read(_ text: String, overrides: [String], _ context: ReadingContext) -> Result {
    let source = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    var parser = TreeParser(file: context.file)
    guard var tree = parser.parse(text) else {
      return Result(document: nil, diagnostics: parser.diagnostics, values: [], source: source)
    }
    for override in overrides { tree = OverrideRule.apply(override, to: tree, context) }
    var reader = FieldReader(tree, path: "", mark: Mark(line: 1, column: 1), context: context)
    let document = Self.document(&reader, context)
    // Stable, so that what has the same place stays in the order of reading.
    let diagnostics = context.diagnostics.enumerated().sorted {
      ($0.element.line, $0.element.column, $0.offset)
        < ($1.element.line, $1.element.column, $1.offset)
    }.map(\.element)
    return Result(
      document: diagnostics.allSatisfy(\.kind.isWarning) ? document : nil,
      diagnostics: diagnostics, values: context.values, source: source)
  }

  /// The version of the format that this program reads.
  static let formatVersion = 1

  private static func document(
    _ reader: inout FieldReader, _ context: ReadingContext
  ) -> ScenarioDocument {
    var document = ScenarioDocument()
    let version = reader.count("headroom", .none, example: formatVersion)
    if reader.has("headroom"), version != formatVersion, context.isSound("headroom") {
      context.fail(
        .unsupportedVersion, at: "headroom", "this is a scenario of version \(version)",
        help: "this program reads version \(formatVersion)")
    }
    document.name = reader.string("name")
    document.about = reader.string("about", .assumed(""))
    document.note = reader.string("note", .assumed(""))
    document.duration = reader.duration("duration")
    document.warmup = reader.duration("warmup", .assumed("0s"))
    document.start = reader.word("start", of: ["warm", "empty"], .assumed("warm"))
    document.seed = UInt64(reader.count("seed", .assumed("1")))
    document.replications = reader.count("replications", .assumed("1"), in: 1...10_000)
    document.fidelity = reader.word(
      "fidelity", of: ["request", "flow", "auto"], .assumed("request"))
    document.contention = reader.word("contention", of: ["epoch", "exact"], .assumed("epoch"))
    document.queue = reader.word("queue", of: ["ladder", "heap"], .assumed("ladder"))
    document.scale = reader.share("scale", .assumed("100%"))
    document.regions = RegionReading.regions(&reader)
    if document.regions.isEmpty {
      document.cluster = ClusterReading.cluster(&reader)
    } else {
      // What it says is read with each cluster.
      _ = reader.tree("cluster", .section)
      document.cluster = RegionReading.union(document.regions)
    }
    document.network = ClusterReading.network(&reader)
    document.code = ClusterReading.code(&reader)
    document.startComponents = ClusterReading.startComponents(&reader)
    document.runtimes = ServiceReading.runtimes(&reader)
    document.shapes = ServiceReading.shapes(&reader)
    document.pools = ServiceReading.pools(&reader)
    document.tenants = ElasticReading.tenants(&reader)
    document.protocols = KindReading.protocols(&reader)
    document.downstreams = LimitReading.downstreams(&reader)
    document.services = ServiceReading.services(&reader)
    document.assign()
    document.objectives = ObjectiveReading.objectives(&reader)
    document.stopWhen = ObjectiveReading.stopConditions(&reader)
    document.faults = FaultReading.faults(&reader)
    document.changes = ChangeReading.changes(&reader)
    grid(&reader, &document)
    document.zoom = zoom(&reader, document.duration)
    document.rehearsal = RehearsalReading.section(&reader)
    reader.finish()
    document.applyScale()
    document.linkChains()
    document.clocks = document.clocksOfRegions
    ScenarioRules.check(document, context)
    return document
  }

  private static func grid(
    _ reader: inout FieldReader, _ document: inout ScenarioDocument
  ) {
    var grid = reader.section("grid")
    let epoch = grid.duration("epoch", .assumed("100ms"))
    document.longestFlowStep = grid.duration("flow_step", .assumed("1s"), atLeast: "1s")
    grid.finish()
    if epoch.count <= 0 || 1_000_000_000 % epoch.count != 0 {
      reader.context.fail(
        .outOfRange, at: grid.child("epoch"), "a second is not a whole number of epochs",
        help: "for example `epoch: 100ms`")
    }
    document.epoch = epoch
  }

  private static func zoom(_ reader: inout FieldReader, _ duration: Nanoseconds)
    -> Range<Nanoseconds>?
  {
    guard reader.has("zoom") else {
      _ = reader.tree("zoom", .section)
      return nil
    }
    var zoom = reader.section("zoom")
    let (from, to) = (zoom.duration("from"), zoom.duration("to"))
    zoom.finish()
    let context = reader.context
    let paths = (from: zoom.child("from"), to: zoom.child("to"))
    for (path, instant) in [(paths.from, from), (paths.to, to)]
    where instant.count % 1_000_000_000 != 0 && context.isSound(path) {
      context.fail(
        .outOfRange, at: path, "lanes change their fidelity at whole seconds",
        help: "for example `zoom: {from: 19h, to: 19h10s}`")
    }
    guard context.isSound(paths.from), context.isSound(paths.to) else { return nil }
    if from >= to {
      context.fail(
        .inconsistent, at: paths.to, "the zoom ends before it begins",
        help: "`to` is later than `from`")
    } else if from >= duration, context.isSound("duration") {
      context.fail(
        .inconsistent, at: paths.from, "the zoom begins when the run is over",
        help: "lengthen `duration`, or zoom in before")
    }
    return from < to ? from..<to : nil
  }
}

extension ScenarioReader {
  /// A duration as scenarios write it, in nanoseconds; nil when it is none.
  public static func nanoseconds(_ text: String) -> Int64? {
    try? Quantity.nanoseconds(text)
  }

  /// What a word that is none of some was meant to be: "did you mean `x`?", or a list of what there
  /// is where that is short.
  public static func hint(_ word: String, in candidates: [String]) -> String? {
    Nearest.hint(word, in: candidates)
  }
}
