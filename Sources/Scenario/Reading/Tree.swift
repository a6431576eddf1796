import Primitives
import Yams

/// A place in the text, from 1; (0, 0) for none, and lines -1, -2, … for what the first, the
/// second, … `--set` of the command line says.
public struct Mark: Sendable, Hashable {
  public var line: Int
  public var column: Int
  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// A scenario's text as a tree with places, with every alias written out.
struct Tree: Sendable {
  indirect enum Content: Sendable {
    case scalar(String)
    case sequence([Tree])
    case mapping([Entry])
  }

  struct Entry: Sendable {
    var key: String
    var mark: Mark
    var value: Tree
  }

  var content: Content
  var mark: Mark

  var kind: String {
    switch content {
    case .scalar: "a value"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}

/// Limits that keep a hostile or broken file from taking the process with it.
enum TreeLimits {
  static let bytes = 8 << 20
  static let nodes = 200_000
  static let depth = 64
}

/// Turns text into a tree, or says why not.
struct TreeParser {
  let file: String
  private(set) var diagnostics: [Diagnostic] = []
  private var nodeCount = 0

  init(file: String) { self.file = file }

  mutating func parse(_ text: String) -> Tree? {
    guard text.utf8.count <= TreeLimits.bytes else {
      fail(
        .tooLarge, Mark(line: 1, column: 1), "the file has \(text.utf8.count) bytes",
        "at most 8 MiB")
      return nil
    }
    if let (mark, scalar) = TextRules.forbidden(in: text) {
      let code = String(scalar.value, radix: 16, uppercase: true)
      let name = "U+" + String(repeating: "0", count: max(0, 4 - code.count)) + code
      fail(.syntax, mark, "the character \(name) is not allowed", "remove it")
      return nil
    }
    if let mark = TextRules.aliasKey(in: text) {
      fail(.syntax, mark, "a key is no plain word", "write the key out, without an alias or list")
      return nil
    }
    do {
      guard let root = try Yams.compose(yaml: CallShield.hide(text)) else {
        fail(
          .missingKey, Mark(line: 1, column: 1), "the file is empty",
          "start with `headroom: \(ScenarioReader.formatVersion)`, `name:` and `services:`")
        return nil
      }
      return convert(root, depth: 0)
    } catch let error as YamlError {
      fail(error, text)
    } catch {
      fail(.syntax, Mark(line: 1, column: 1), "this is not YAML: \(error)", nil)
    }
    return nil
  }

  private mutating func convert(_ node: Node, depth: Int) -> Tree? {
    nodeCount += 1
    let mark = Mark(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    guard nodeCount <= TreeLimits.nodes, depth <= TreeLimits.depth else {
      if diagnostics.isEmpty {
        fail(
          .tooLarge, mark,
          depth > TreeLimits.depth
            ? "the document is nested too deeply" : "the document has too many nodes",
          "at most \(TreeLimits.nodes) nodes, \(TreeLimits.depth) levels deep")
      }
      return nil
    }
    switch node {
    case .scalar(let scalar):
      return Tree(content: .scalar(CallShield.reveal(scalar.string)), mark: mark)
    case .sequence(let sequence):
      var items: [Tree] = []
      for item in sequence {
        guard let tree = convert(item, depth: depth + 1) else { return nil }
        items.append(tree)
      }
      return Tree(content: .sequence(items), mark: mark)
    case .mapping(let mapping):
      var entries: [Tree.Entry] = []
      for (key, value) in mapping {
        guard let tree = convert(value, depth: depth + 1) else { return nil }
        let place = Mark(line: key.mark?.line ?? mark.line, column: key.mark?.column ?? mark.column)
        entries.append(
          Tree.Entry(key: CallShield.reveal(key.scalar?.string ?? "?"), mark: place, value: tree))
      }
      return Tree(content: .mapping(entries), mark: mark)
    case .alias:
      fail(.syntax, mark, "this alias refers to itself or to nothing", "write the value out")
      return nil
    }
  }

  private mutating func fail(
    _ kind: Diagnostic.Kind, _ mark: Mark, length: Int = 1, _ message: String, _ help: String?
  ) {
    diagnostics.append(
      Diagnostic(
        kind, file: file, line: mark.line, column: mark.column, length: length, message: message,
        help: help))
  }

  private mutating func fail(_ error: YamlError, _ text: String) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      let mark = Mark(line: mark.line, column: mark.column)
      fail(.syntax, mark, "this is not YAML: \(problem)", help(problem, mark, text))
    case .duplicatedKeysInMapping(let duplicates, let context):
      let first = Mark(line: context.mark.line, column: context.mark.column)
      let key = duplicates.first ?? ""
      fail(
        .duplicateKey, TextRules.second(key, after: first, in: text) ?? first,
        length: key.count,
        "`\(CallShield.reveal(key))` is given twice, first in line \(first.line)",
        "keep one of them")
    case .reader(let problem, _, _, _):
      fail(.syntax, Mark(line: 1, column: 1), "this is not YAML: \(problem)", nil)
    default:
      fail(.syntax, Mark(line: 1, column: 1), "this is not YAML: \(error)", nil)
    }
  }

  /// What to do about the slips that YAML's own words do not explain.
  private func help(_ problem: String, _ mark: Mark, _ text: String) -> String? {
    if problem.contains("another document") {
      return "a file holds one scenario: remove what follows `---`"
    }
    if problem.contains("nesting") { return "at most \(TreeLimits.depth) levels deep" }
    let lines = text.split(
      maxSplits: mark.line, omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    guard mark.line > 0, mark.line <= lines.count else { return nil }
    let blanks = lines[mark.line - 1].prefix { $0 == " " || $0 == "\t" }
    return blanks.contains("\t") ? "indent with spaces, not with tabs" : nil
  }
}
