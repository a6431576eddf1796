import Primitives

/// Reads scenarios: text in, a document or every error at once out.
public struct ScenarioReader: Sendable {
  public struct Result: Sendable {
    /// Nil when there are errors.
    public var document: ScenarioDocument?
    public var diagnostics: [Diagnostic]
    /// Every value that the model uses, in the order of reading, with its origin.
    public var values: [ResolvedValue]
    public var source: [Substring]

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
    let source = text.split(separator: "\n", omittingEmptySubsequences: false)
    var parser = TreeParser(file: file)
    guard var tree = parser.parse(text) else {
      return Result(document: nil, diagnostics: parser.diagnostics, values: [], source: source)
    }
    let context = ReadingContext(file: file)
    for override in overrides { tree = OverrideRule.apply(override, to: tree, context) }
    var reader = FieldReader(tree, path: "", mark: Mark(line: 1, column: 1), context: context)
    let document = Self.document(&reader, context)
    let diagnostics = context.diagnostics.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
    return Result(
      document: diagnostics.isEmpty ? document : nil, diagnostics: diagnostics,
      values: context.values, source: source)
  }

  private static func document(
    _ reader: inout FieldReader, _ context: ReadingContext
  ) -> ScenarioDocument {
    var document = ScenarioDocument()
    let version = reader.count("headroom", .none)
    if reader.has("headroom"), version != 1 {
      context.fail(
        .unsupportedVersion, reader.mark, "this is a scenario of version \(version)",
        help: "this program reads version 1")
    }
    document.name = reader.string("name")
    document.about = reader.string("about", .assumed(""))
    document.duration = reader.duration("duration")
    document.warmup = reader.duration("warmup", .assumed("0s"))
    document.start = reader.word("start", of: ["warm", "empty"], .assumed("warm"))
    document.seed = UInt64(reader.count("seed", .assumed("1")))
    document.replications = reader.count("replications", .assumed("1"), in: 1...10_000)
    document.fidelity = reader.word(
      "fidelity", of: ["request", "flow", "auto"], .assumed("request"))
    document.contention = reader.word("contention", of: ["epoch", "exact"], .assumed("epoch"))
    document.queue = reader.word("queue", of: ["ladder", "heap"], .assumed("ladder"))
    document.cluster = ClusterReading.cluster(&reader)
    document.network = ClusterReading.network(&reader)
    document.code = ClusterReading.code(&reader)
    document.startComponents = ClusterReading.startComponents(&reader)
    document.runtimes = ServiceReading.runtimes(&reader)
    document.shapes = ServiceReading.shapes(&reader)
    document.pools = ServiceReading.pools(&reader)
    document.services = ServiceReading.services(&reader)
    document.objectives = objectives(&reader, context)
    document.faults = faults(&reader)
    document.epoch = epoch(&reader)
    reader.finish()
    ScenarioRules.check(document, context)
    return document
  }

  private static func epoch(_ reader: inout FieldReader) -> Nanoseconds {
    var grid = reader.section("grid")
    let epoch = grid.duration("epoch", .assumed("100ms"))
    grid.finish()
    if epoch.count <= 0 || 1_000_000_000 % epoch.count != 0 {
      reader.context.fail(
        .outOfRange, grid.mark, "a second is not a whole number of epochs",
        help: "for example `epoch: 100ms`")
    }
    return epoch
  }

  private static func objectives(
    _ reader: inout FieldReader, _ context: ReadingContext
  ) -> [Objective] {
    var objectives: [Objective] = []
    for (tree, path) in reader.list("objectives") {
      guard case .scalar(let text) = tree.content else {
        context.fail(.wrongType, tree.mark, "`\(path)` is \(tree.kind), not an objective in quotes")
        continue
      }
      do {
        objectives.append(try ObjectiveParser.parse(text))
      } catch {
        context.fail(
          .badObjective, tree.mark, length: text.count, "`\(text)`: \(error.message)",
          help: error.help)
      }
    }
    return objectives
  }

  private static func faults(_ reader: inout FieldReader) -> [FaultSection] {
    reader.list("faults").map { tree, path in
      var fault = FieldReader(tree, path: path, mark: tree.mark, context: reader.context)
      let name = fault.string("name", .assumed("fault"))
      let at = fault.duration("at")
      let target = fault.string("crash")
      let restart = fault.duration("restart_after", orNever: "never", .assumed("2m"))
      fault.finish()
      let prefix = "worker-manager-"
      let index = target.hasPrefix(prefix) ? Int(target.dropFirst(prefix.count)) : nil
      if index == nil {
        reader.context.fail(
          .unknownName, tree.mark, "`\(target)` cannot be crashed",
          help: "`worker-manager-0`, `worker-manager-1`, …")
      }
      return FaultSection(name: name, at: at, workerManager: index ?? 0, restartAfter: restart)
    }
  }
}

/// One `--set path=value`.
enum OverrideRule {
  static func apply(_ text: String, to tree: Tree, _ context: ReadingContext) -> Tree {
    guard let equals = text.firstIndex(of: "=") else {
      fail(text, "there is no `=`", "write `--set cluster.dispatchers.count=5`", context)
      return tree
    }
    let path = steps(text[..<equals])
    let value = String(text[text.index(after: equals)...])
    var parser = TreeParser(file: "--set")
    guard !path.isEmpty, var replacement = parser.parse(value.isEmpty ? "''" : value) else {
      fail(text, "the path or the value is not understood", nil, context)
      return tree
    }
    replacement.mark = Mark(line: 0, column: 0)
    guard let changed = set(path[...], in: tree, to: replacement) else {
      fail(
        text, "there is nothing at `\(text[..<equals])`",
        "a list item is `zones[0]`, or by its name `services.api`", context)
      return tree
    }
    return changed
  }

  private static func fail(
    _ text: String, _ message: String, _ help: String?, _ context: ReadingContext
  ) {
    context.fail(.badOverride, Mark(line: 0, column: 0), "--set \(text): \(message)", help: help)
  }

  /// `a.b[2].c` as a, b, 2, c.
  private static func steps(_ path: Substring) -> [String] {
    path.split { $0 == "." || $0 == "[" || $0 == "]" }.map(String.init)
  }

  private static func set(_ path: ArraySlice<String>, in tree: Tree, to value: Tree) -> Tree? {
    guard let step = path.first else { return value }
    var changed = tree
    switch tree.content {
    case .mapping(var entries):
      if let index = entries.lastIndex(where: { $0.key == step }) {
        guard let inner = set(path.dropFirst(), in: entries[index].value, to: value) else {
          return nil
        }
        entries[index].value = inner
      } else {
        let empty = Tree(content: .mapping([]), mark: Mark(line: 0, column: 0))
        guard let inner = set(path.dropFirst(), in: empty, to: value) else { return nil }
        entries.append(Tree.Entry(key: step, mark: Mark(line: 0, column: 0), value: inner))
      }
      changed.content = .mapping(entries)
    case .sequence(var items):
      guard
        let index = Int(step).flatMap({ items.indices.contains($0) ? $0 : nil })
          ?? items.firstIndex(where: { name(of: $0) == step })
      else { return nil }
      guard let inner = set(path.dropFirst(), in: items[index], to: value) else { return nil }
      items[index] = inner
      changed.content = .sequence(items)
    case .scalar: return nil
    }
    return changed
  }

  private static func name(of tree: Tree) -> String? {
    guard case .mapping(let entries) = tree.content,
      case .scalar(let name)? = entries.first(where: { $0.key == "name" })?.value.content
    else { return nil }
    return name
  }
}

extension ScenarioReader {
  /// A duration as scenarios write it, in nanoseconds; nil when it is none.
  public static func nanoseconds(_ text: String) -> Int64? {
    try? Quantity.nanoseconds(text)
  }
}
