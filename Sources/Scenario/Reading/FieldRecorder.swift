/// What a field of a scenario holds.
public enum FieldKind: String, Sendable, CaseIterable {
  case section, list, names
  case text, word, duration, bytes, cores, rate, share, number, count, distribution, policy
}

/// Notes which fields readers ask for, and how: the documentation of the format is made from it.
final class FieldRecorder {
  struct Field: Sendable, Equatable {
    var kinds: Set<FieldKind> = []
    var fallbacks: [Default] = []
    /// Allowed words, in the order of the reader.
    var words: [String] = []
    var range: String?
    var isRequired = false
  }

  private(set) var fields: [String: Field] = [:]

  func ask(_ path: String, _ kind: FieldKind?) {
    let pattern = Self.pattern(path)
    fields[pattern, default: Field()].kinds.formUnion([kind].compactMap { $0 })
  }

  func fallBack(_ path: String, _ fallback: Default) {
    let pattern = Self.pattern(path)
    guard fallback != .none, fields[pattern]?.fallbacks.contains(fallback) != true else { return }
    fields[pattern, default: Field()].fallbacks.append(fallback)
  }

  func allow(_ path: String, _ word: String) {
    let pattern = Self.pattern(path)
    guard fields[pattern]?.words.contains(word) != true else { return }
    fields[pattern, default: Field()].words.append(word)
  }

  func bound(_ path: String, _ range: String) {
    fields[Self.pattern(path), default: Field()].range = range
  }

  func require(_ path: String) {
    fields[Self.pattern(path), default: Field()].isRequired = true
  }

  /// A path without numbers and names: `zones[3]` as `zones[]`, `runtimes.go` as `runtimes.NAME`.
  static func pattern(_ path: String) -> String {
    var text = ""
    var isIndex = false
    for character in path {
      if character == "]" { isIndex = false }
      if !isIndex { text.append(character) }
      if character == "[" { isIndex = true }
    }
    // A cluster of a region has the fields of `cluster`.
    let cluster = "regions[].clusters[]."
    if text.hasPrefix(cluster) { text = "cluster." + text.dropFirst(cluster.count) }
    for names in ["runtimes.", "shapes."] where text.hasPrefix(names) {
      guard let dot = text.lastIndex(of: "."), dot > names.endIndex else { continue }
      text = names + "NAME" + text[dot...]
    }
    return text
  }
}
