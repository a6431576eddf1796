extension ScenarioFormat {
  static var fields: String {
    """
    ## Fields

    *Required* is what must be given, even where the section around it is left out; `–` is what may
    be left out and has no default.


    """ + ScenarioSection.all.map(section).joined(separator: "\n")
  }

  private static func section(_ section: ScenarioSection) -> String {
    let rows = section.fields.map { field in
      let path = section.path(of: field)
      let recorded = recorded(path)
      return [
        code(field.key), holds(recorded), standard(recorded), origin(recorded),
        processes(of: path) + field.about + appendix(path, recorded),
      ]
    }
    let inner = ScenarioSection.all.filter { isInside($0, section) }.map { inner in
      let holder = inner.holder ?? ""
      let recorded = recorded(holder)
      let isPlain = recorded.fallbacks.isEmpty && !recorded.isRequired
      return [
        code(String(holder.dropFirst(section.path.isEmpty ? 0 : section.path.count + 1))),
        link(to: inner), isPlain ? "" : standard(recorded), origin(recorded),
        inner.summary + appendix(holder, recorded),
      ]
    }
    let lists = section.fields.map { section.path(of: $0) }.filter { isListed($0) }
    return "### \(section.path.isEmpty ? "The document" : code(section.path))\n\n"
      + "\(section.about)\n\n"
      + table(["field", "holds", "default", "origin", "about"], rows + inner)
      + lists.compactMap(ScenarioWords.meanings).map {
        "\n`\($0.path.split(separator: ".").last ?? "")`:\n\n" + list(of: $0)
      }.joined()
  }

  private static func recorded(_ path: String) -> FieldRecorder.Field {
    ScenarioProbes.fields[path] ?? FieldRecorder.Field()
  }

  // MARK: Cells

  /// Kinds, range and words of a field.
  private static func holds(_ field: FieldRecorder.Field) -> String {
    let range = field.range.map { " (\($0))" } ?? ""
    let kinds = FieldKind.allCases.filter { field.kinds.contains($0) && $0 != .word }
    return (kinds.map { $0.rawValue + range } + field.words.map(code)).joined(separator: ", ")
  }

  private static func standard(_ field: FieldRecorder.Field) -> String {
    switch field.fallbacks.first?.text {
    case nil: field.isRequired ? "*required*" : "–"
    case "": "empty"
    case let text?: code(text)
    }
  }

  private static func origin(_ field: FieldRecorder.Field) -> String {
    origin(field.fallbacks.first ?? .none)
  }

  /// The processes of arrivals that a field belongs to; empty for what all have.
  private static func processes(of path: String) -> String {
    let own = ScenarioProbes.processes(of: path)
    guard path.hasPrefix("services[].arrivals."), own != ArrivalsSection.Process.allCases else {
      return ""
    }
    return "(\(code(own.map(\.rawValue)))) "
  }

  // MARK: Words

  /// Whether the meanings of a field's words stand in a list of their own.
  private static func isListed(_ path: String) -> Bool {
    let field = recorded(path)
    return field.kinds.contains(.word) && field.words.count > 1
      && ScenarioWords.meanings(path)?.policy == nil
  }

  /// What follows a field's sentence: where its words are explained, or what the one word means
  /// that may stand in place of a value.
  private static func appendix(_ path: String, _ field: FieldRecorder.Field) -> String {
    if field.kinds.contains(.policy) { return "; see [Policies](#policies)" }
    guard let meanings = ScenarioWords.meanings(path), !isListed(path) else { return "" }
    if let policy = meanings.policy { return "; see [\(policy)](#\(address(policy)))" }
    return meanings.words.map { "; `\($0.word)`: \($0.about)" }.joined()
  }

  static func list(of words: ScenarioWords.Meanings) -> String {
    words.words.map { "- `\($0.word)`: \($0.about)\n" }.joined()
  }

  // MARK: Sections in sections

  /// Whether one section stands directly in another.
  private static func isInside(_ inner: ScenarioSection, _ outer: ScenarioSection) -> Bool {
    guard let holder = inner.holder else { return false }
    let parent = ScenarioSection.all.filter { candidate in
      candidate.path.isEmpty || holder.hasPrefix(candidate.path + ".")
    }.max { $0.path.count < $1.path.count }
    return parent?.path == outer.path
  }

  private static func link(to section: ScenarioSection) -> String {
    let kind = recorded(section.holder ?? "").kinds.first?.rawValue ?? ""
    return "[\(kind)](#\(address(section.path)))"
  }

  /// As web pages make a heading's address from its text.
  private static func address(_ heading: String) -> String {
    heading.lowercased().replacing(" ", with: "-")
      .filter { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
  }
}
