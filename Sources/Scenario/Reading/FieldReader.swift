import Primitives

/// Where the value of a default comes from.
enum Default {
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

  init(file: String) { self.file = file }

  func fail(
    _ kind: Diagnostic.Kind, _ mark: Mark, length: Int = 1, _ message: String,
    help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(
        kind, file: file, line: mark.line, column: mark.column, length: length, message: message,
        help: help))
  }
}

/// Reads the fields of one mapping, remembers which were asked for, and complains about the others.
struct FieldReader {
  let context: ReadingContext
  let path: String
  let mark: Mark
  private let entries: [Tree.Entry]
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
      context.fail(
        .wrongType, tree?.mark ?? mark, "`\(path)` is \(tree?.kind ?? "nothing"), not a mapping",
        help: "write it as `key: value` lines or `{key: value}`")
    }
  }

  mutating func tree(_ key: String) -> Tree? {
    asked.append(key)
    return entries.last { $0.key == key }?.value
  }

  func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

  func child(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  mutating func section(_ key: String) -> FieldReader {
    let tree = tree(key)
    return FieldReader(tree, path: child(key), mark: mark, context: context)
  }

  /// Items of a list, each with its path.
  mutating func list(_ key: String, required: Bool = false) -> [(tree: Tree, path: String)] {
    guard let tree = tree(key) else {
      if required {
        context.fail(.missingKey, mark, "`\(child(key))` is missing", help: "add a list `\(key):`")
      }
      return []
    }
    guard case .sequence(let items) = tree.content else {
      context.fail(
        .wrongType, tree.mark, "`\(child(key))` is \(tree.kind), not a list",
        help: "write one item a line, each after `- `")
      return []
    }
    return items.enumerated().map { ($1, "\(child(key))[\($0)]") }
  }

  /// Entries of a mapping from names to something.
  mutating func named(_ key: String) -> [(name: String, mark: Mark, tree: Tree)] {
    guard let tree = tree(key) else { return [] }
    guard case .mapping(let entries) = tree.content else {
      context.fail(
        .wrongType, tree.mark, "`\(child(key))` is \(tree.kind), not a mapping of names",
        help: "write `name: {…}` lines")
      return []
    }
    return entries.map { ($0.key, $0.mark, $0.value) }
  }

  /// The text of a scalar, or of the default; both are noted with their origin.
  mutating func text(_ key: String, _ fallback: Default = .none) -> (text: String, mark: Mark)? {
    guard let tree = tree(key) else {
      switch fallback {
      case .none: return nil
      case .assumed(let text):
        note(key, text, .assumed, "")
        return (text, Mark(line: 0, column: 0))
      case .published(let text, let source):
        note(key, text, .published, source)
        return (text, Mark(line: 0, column: 0))
      }
    }
    guard case .scalar(let text) = tree.content else {
      context.fail(.wrongType, tree.mark, "`\(child(key))` is \(tree.kind), not a single value")
      return nil
    }
    note(key, text, .scenario, "")
    return (text, tree.mark)
  }

  private func note(
    _ key: String, _ value: String, _ origin: ResolvedValue.Origin, _ source: String
  ) {
    context.values.append(
      ResolvedValue(path: child(key), value: value, origin: origin, source: source))
  }

  func missing(_ key: String, _ help: String) {
    context.fail(.missingKey, mark, "`\(child(key))` is missing", help: help)
  }

  /// Complains about keys that nobody asked for. Call it last.
  func finish() {
    for entry in entries where !asked.contains(entry.key) {
      context.fail(
        .unknownKey, entry.mark, length: entry.key.count,
        "unknown key `\(entry.key)`\(path.isEmpty ? "" : " in `\(path)`")",
        help: Nearest.hint(entry.key, in: asked))
    }
    var seen: [String] = []
    for entry in entries {
      if seen.contains(entry.key) {
        context.fail(
          .duplicateKey, entry.mark, length: entry.key.count, "`\(entry.key)` is given twice")
      }
      seen.append(entry.key)
    }
  }
}

// MARK: Typed fields

extension FieldReader {
  private mutating func quantity<Value>(
    _ key: String, _ fallback: Default, _ zero: Value, _ example: String,
    _ parse: (String) throws(Quantity.Failure) -> Value
  ) -> Value {
    guard let (text, mark) = text(key, fallback) else {
      if !has(key) { missing(key, "for example `\(key): \(example)`") }
      return zero
    }
    do {
      return try parse(text)
    } catch .unknownUnit(let unit, let known) {
      context.fail(
        .unknownUnit, mark, length: text.count,
        unit.isEmpty ? "`\(text)` has no unit" : "unknown unit `\(unit)` in `\(text)`",
        help: Nearest.hint(unit, in: known) ?? "for example `\(example)`")
    } catch .outOfRange(let what) {
      context.fail(
        .outOfRange, mark, length: text.count, "`\(child(key))` is `\(text)`", help: what)
    } catch {
      context.fail(
        .badQuantity, mark, length: max(1, text.count), "`\(text)` is no value for `\(child(key))`",
        help: "for example `\(example)`")
    }
    return zero
  }

  mutating func duration(_ key: String, _ fallback: Default = .none) -> Nanoseconds {
    Nanoseconds(quantity(key, fallback, 0, "10s", Quantity.nanoseconds))
  }

  /// A duration, or a word for none.
  mutating func duration(_ key: String, orNever word: String, _ fallback: Default) -> Nanoseconds? {
    if let tree = entries.last(where: { $0.key == key })?.value, case .scalar(word) = tree.content {
      _ = text(key)
      return nil
    }
    return duration(key, fallback)
  }

  mutating func bytes(_ key: String, _ fallback: Default = .none) -> Int64 {
    quantity(key, fallback, 0, "256MiB", Quantity.bytes)
  }

  mutating func milliCores(_ key: String, _ fallback: Default = .none) -> Int64 {
    quantity(key, fallback, 0, "0.5", Quantity.milliCores)
  }

  mutating func rate(_ key: String, _ fallback: Default = .none) -> Double {
    quantity(key, fallback, 0, "120/s", Quantity.perSecond)
  }

  mutating func share(_ key: String, _ fallback: Default = .none) -> Double {
    quantity(key, fallback, 0, "2%", Quantity.share)
  }

  mutating func number(_ key: String, _ fallback: Default = .none) -> Double {
    quantity(key, fallback, 0, "1.5", Quantity.number)
  }

  mutating func count(
    _ key: String, _ fallback: Default = .none, in range: ClosedRange<Int> = 0...1_000_000_000
  ) -> Int {
    let value = quantity(key, fallback, range.lowerBound, "3", Quantity.count)
    if !range.contains(value), let entry = entries.last(where: { $0.key == key }) {
      context.fail(
        .outOfRange, entry.value.mark, "`\(child(key))` is \(value)",
        help: "between \(range.lowerBound) and \(range.upperBound)")
      return min(max(value, range.lowerBound), range.upperBound)
    }
    return value
  }

  /// A count, or `unlimited` for nil.
  mutating func limit(_ key: String, _ fallback: Default) -> Int? {
    if isWord(key, "unlimited", fallback) { return nil }
    return count(key, fallback)
  }

  /// Whether the value, or its default, is this word; if so it is noted.
  mutating func isWord(_ key: String, _ word: String, _ fallback: Default) -> Bool {
    if let tree = entries.last(where: { $0.key == key })?.value {
      guard case .scalar(word) = tree.content else { return false }
    } else if fallback.text != word {
      return false
    }
    _ = text(key, fallback)
    return true
  }

  mutating func string(_ key: String, _ fallback: Default = .none) -> String {
    guard let (text, _) = text(key, fallback) else {
      if !has(key) { missing(key, "give it a name") }
      return ""
    }
    return text
  }

  mutating func word(_ key: String, of words: [String], _ fallback: Default = .none) -> String {
    guard let (text, mark) = text(key, fallback) else {
      if !has(key) { missing(key, "one of \(words.joined(separator: ", "))") }
      return words[0]
    }
    guard words.contains(text) else {
      context.fail(
        .unknownName, mark, length: text.count, "`\(text)` is no value of `\(child(key))`",
        help: Nearest.hint(text, in: words))
      return words[0]
    }
    return text
  }

  mutating func distribution(_ key: String, _ fallback: Default = .none) -> DistributionSpec {
    guard let (text, mark) = text(key, fallback) else {
      if !has(key) { missing(key, "for example `exponential(mean: 20ms)`") }
      return .constant(0)
    }
    do {
      return try DistributionParser.parse(text)
    } catch {
      context.fail(
        .badDistribution, mark, length: text.count, "`\(text)`: \(error.message)", help: error.help)
      return .constant(0)
    }
  }

  mutating func optionalDistribution(_ key: String) -> DistributionSpec? {
    has(key)
      ? distribution(key)
      : {
        _ = tree(key)
        return nil
      }()
  }
}
