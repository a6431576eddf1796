import Primitives

/// Where the value of a default comes from.
public enum Default: Sendable, Equatable {
  case assumed(String)
  case published(String, source: String)
  case none

  var text: String? {
    switch self {
    case .assumed(let text), .published(let text, _): text
    case .none: nil
    }
  }
}

/// What all readers of one scenario share: diagnostics, and every value with its origin.
final class ReadingContext {
  let file: String
  var diagnostics: [Diagnostic] = []
  var values: [ResolvedValue] = []
  /// Where each value stands that the scenario gives, by its path.
  private(set) var places: [String: Mark] = [:]
  /// Paths whose values could not be used: what rests on them is not judged any more.
  private var broken: Set<String> = []
  /// Where the document's objectives and conditions stand, one for each, by their list.
  var objectivePaths: [String: [String]] = [:]
  /// The section that rules about `cluster` are about.
  var clusterPath = "cluster"
  /// Notes every field that is asked for; nil where a scenario is only read.
  let recorder: FieldRecorder?
  /// What the command line sets, in its order: places in the line -1 are of the first, and so on.
  var overrides: [String] = []

  init(file: String, recorder: FieldRecorder? = nil) {
    self.file = file
    self.recorder = recorder
  }

  func fail(
    _ kind: Diagnostic.Kind, _ mark: Mark, length: Int = 1, _ message: String,
    help: String? = nil
  ) {
    var diagnostic = Diagnostic(
      kind, file: file, line: mark.line, column: mark.column, length: length, message: message,
      help: help)
    if mark.line < 0, -mark.line <= overrides.count {
      (diagnostic.line, diagnostic.column) = (0, 0)
      diagnostic.message = "--set \(overrides[-mark.line - 1]): \(message)"
    }
    // What an alias repeats is wrong once.
    if diagnostics.last != diagnostic { diagnostics.append(diagnostic) }
  }

  /// Complains about the value at a path, which counts as broken from now on.
  func fail(
    _ kind: Diagnostic.Kind, at path: String, else mark: Mark = Mark(line: 0, column: 0),
    length: Int = 1, _ message: String, help: String? = nil
  ) {
    let path = actual(path)
    broken.insert(path)
    fail(kind, places[path] ?? mark, length: length, message, help: help)
  }

  /// Of a path within `cluster`, that within the cluster that rules are about.
  private func actual(_ path: String) -> String {
    guard clusterPath != "cluster", path.hasPrefix("cluster.") else { return path }
    return clusterPath + path.dropFirst("cluster".count)
  }

  func isSound(_ path: String) -> Bool { !broken.contains(actual(path)) }
  func place(_ path: String, _ mark: Mark) { places[path] = mark }
  /// Whether the scenario gives a value for a path.
  func isPlaced(_ path: String) -> Bool { places[actual(path)] != nil }
}

/// Reads the fields of one mapping, remembers which were asked for, and complains about the others.
struct FieldReader {
  let context: ReadingContext
  let path: String
  let mark: Mark
  let entries: [Tree.Entry]
  private var asked: [String] = []

  /// A reader for a tree that should be a mapping; nothing at all is an empty mapping.
  init(_ tree: Tree?, path: String, mark: Mark, context: ReadingContext) {
    self.context = context
    self.path = path
    self.mark = tree?.mark ?? mark
    switch tree?.content {
    case .mapping(let entries): self.entries = entries
    case nil: entries = []
    case .scalar(""): entries = []
    default:
      entries = []
      let what = path.isEmpty ? "the file" : "`\(path)`"
      context.fail(
        .wrongType, tree?.mark ?? mark, "\(what) is \(tree?.kind ?? "nothing"), not a mapping",
        help: "write it as `key: value` lines or `{key: value}`")
    }
  }

  mutating func tree(_ key: String, _ kind: FieldKind? = nil) -> Tree? {
    asked.append(key)
    context.recorder?.ask(child(key), kind)
    guard let tree = given(key) else { return nil }
    context.place(child(key), tree.mark)
    return tree
  }

  /// What the scenario gives for a key, which does not count as asking for it.
  func given(_ key: String) -> Tree? { entries.last { $0.key == key }?.value }

  func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

  func child(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  mutating func section(_ key: String) -> FieldReader {
    let tree = tree(key, .section)
    return FieldReader(tree, path: child(key), mark: mark, context: context)
  }

  /// Items of a list, each with its path.
  mutating func list(_ key: String, required: Bool = false) -> [(tree: Tree, path: String)] {
    guard let tree = tree(key, .list) else {
      if required { missing(key, "add a list `\(key):`") }
      return []
    }
    guard case .sequence(let items) = tree.content else {
      context.fail(
        .wrongType, at: child(key), "`\(child(key))` is \(tree.kind), not a list",
        help: "write one item a line, each after `- `")
      return []
    }
    return items.enumerated().map { index, item in
      let path = "\(child(key))[\(index)]"
      context.place(path, item.mark)
      return (item, path)
    }
  }

  /// A list of single values; nil when it is not given.
  mutating func words(_ key: String) -> [String]? {
    guard has(key) else {
      _ = tree(key, .list)
      return nil
    }
    return list(key).compactMap { item, path in
      if case .scalar(let text) = item.content { return text }
      context.fail(.wrongType, at: path, "`\(path)` is \(item.kind), not a single value")
      return nil
    }
  }

  /// Entries of a mapping from names to something.
  mutating func named(_ key: String) -> [(name: String, mark: Mark, tree: Tree)] {
    guard let tree = tree(key, .names) else { return [] }
    guard case .mapping(let entries) = tree.content else {
      context.fail(
        .wrongType, at: child(key), "`\(child(key))` is \(tree.kind), not a mapping of names",
        help: "write `name: {…}` lines")
      return []
    }
    return entries.map { entry in
      context.place("\(child(key)).\(entry.key)", entry.mark)
      return (entry.key, entry.mark, entry.value)
    }
  }

  /// The text of a scalar, or of the default; both are noted with their origin.
  mutating func text(
    _ key: String, _ fallback: Default = .none, _ kind: FieldKind? = nil
  ) -> (text: String, mark: Mark)? {
    context.recorder?.fallBack(child(key), fallback)
    guard let tree = tree(key, kind) else {
      guard let text = fallback.text else { return nil }
      noteDefault(key, fallback)
      return (text, Mark(line: 0, column: 0))
    }
    guard case .scalar(let text) = tree.content else {
      context.fail(
        .wrongType, at: child(key), "`\(child(key))` is \(tree.kind), not a single value")
      return nil
    }
    note(key, text, .scenario, "")
    return (text, tree.mark)
  }

  /// Notes that a default is used.
  func noteDefault(_ key: String, _ fallback: Default) {
    switch fallback {
    case .none: break
    case .assumed(let text): note(key, text, .assumed, "")
    case .published(let text, let source): note(key, text, .published, source)
    }
  }

  /// Notes what the scenario gives under a name of its own.
  func noteGiven(_ key: String, _ text: String) { note(key, text, .scenario, "") }

  private func note(
    _ key: String, _ value: String, _ origin: ResolvedValue.Origin, _ source: String
  ) {
    context.values.append(
      ResolvedValue(path: child(key), value: value, origin: origin, source: source))
  }

  /// Complains that a key is not there.
  /// - Parameter isAlways: whether every scenario needs the key, or only one like this.
  func missing(_ key: String, _ help: String, isAlways: Bool = true) {
    if isAlways { context.recorder?.require(child(key)) }
    context.fail(.missingKey, at: child(key), else: mark, "`\(child(key))` is missing", help: help)
  }

  /// Complains about keys that nobody asked for. Call it last.
  func finish() {
    var seen: Set<String> = []
    for entry in entries {
      if !asked.contains(entry.key) {
        context.fail(
          .unknownKey, entry.mark, length: entry.key.count,
          "unknown key `\(entry.key)`\(path.isEmpty ? "" : " in `\(path)`")",
          help: Nearest.hint(entry.key, in: asked))
      } else if !seen.insert(entry.key).inserted {
        context.fail(
          .duplicateKey, entry.mark, length: entry.key.count, "`\(entry.key)` is given twice")
      }
    }
  }
}
