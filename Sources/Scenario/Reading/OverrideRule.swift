/// One `--set path=value`.
enum OverrideRule {
  static func apply(_ text: String, to tree: Tree, _ context: ReadingContext) -> Tree {
    context.overrides.append(text)
    let place = Mark(line: -context.overrides.count, column: 0)
    guard let equals = text.firstIndex(of: "=") else {
      fail(text, "there is no `=`", "write `--set cluster.dispatchers.count=5`", context)
      return tree
    }
    let path = steps(text[..<equals])
    let value = String(text[text.index(after: equals)...])
    var parser = TreeParser(file: "--set")
    guard !path.isEmpty, let parsed = parser.parse(value.isEmpty ? "''" : value) else {
      fail(text, "the path or the value is not understood", nil, context)
      return tree
    }
    guard let changed = set(path[...], in: tree, to: placed(parsed, place), place) else {
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

  /// The same with the override for its place: it stands in no line of the file.
  private static func placed(_ tree: Tree, _ mark: Mark) -> Tree {
    let content: Tree.Content =
      switch tree.content {
      case .scalar: tree.content
      case .sequence(let items): .sequence(items.map { placed($0, mark) })
      case .mapping(let entries):
        .mapping(
          entries.map { Tree.Entry(key: $0.key, mark: mark, value: placed($0.value, mark)) })
      }
    return Tree(content: content, mark: mark)
  }

  /// `a.b[2].c` as a, b, 2, c.
  private static func steps(_ path: Substring) -> [String] {
    path.split { $0 == "." || $0 == "[" || $0 == "]" }.map(String.init)
  }

  private static func set(
    _ path: ArraySlice<String>, in tree: Tree, to value: Tree, _ mark: Mark
  ) -> Tree? {
    guard let step = path.first else { return value }
    var changed = tree
    switch tree.content {
    case .mapping(var entries):
      if let index = entries.lastIndex(where: { $0.key == step }) {
        guard let inner = set(path.dropFirst(), in: entries[index].value, to: value, mark) else {
          return nil
        }
        entries[index].value = inner
      } else {
        let empty = Tree(content: .mapping([]), mark: mark)
        guard let inner = set(path.dropFirst(), in: empty, to: value, mark) else { return nil }
        entries.append(Tree.Entry(key: step, mark: mark, value: inner))
      }
      changed.content = .mapping(entries)
    case .sequence(var items):
      guard
        let index = Int(step).flatMap({ items.indices.contains($0) ? $0 : nil })
          ?? items.firstIndex(where: { name(of: $0) == step })
      else { return nil }
      guard let inner = set(path.dropFirst(), in: items[index], to: value, mark) else { return nil }
      items[index] = inner
      changed.content = .sequence(items)
    case .scalar(""):
      let empty = Tree(content: .mapping([]), mark: tree.mark)
      return set(path, in: empty, to: value, mark)
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
