/// A mapping of the format and its fields, for people. Kinds, defaults and words are not here: they
/// come from the readers.
struct ScenarioSection: Sendable {
  /// What holds the fields: `cluster.gateways`, `services[]`, `runtimes.NAME`; empty: the document.
  var path: String
  var about: String
  var fields: [Field]

  struct Field: Sendable {
    var key: String
    /// One sentence, without a full stop.
    var about: String
  }

  init(_ path: String, _ about: String, _ fields: KeyValuePairs<String, String>) {
    self.path = path
    self.about = about
    self.fields = fields.map { Field(key: $0.key, about: $0.value) }
  }

  /// The first sentence, for a cell.
  var summary: String {
    let first = about.split(separator: ". ").first ?? ""
    return String(first.hasSuffix(".") ? first.dropLast() : first)
  }

  func path(of field: Field) -> String { path.isEmpty ? field.key : "\(path).\(field.key)" }

  /// The field that holds the section: `services` of `services[]`; nil for the document.
  var holder: String? {
    if path.isEmpty { return nil }
    if path.hasSuffix("[]") { return String(path.dropLast(2)) }
    return path.hasSuffix(".NAME") ? String(path.dropLast(5)) : path
  }

  /// All sections, in the order of the page.
  static let all =
    run + zoom + cluster + starts + protocols + downstreams + services + arrivals + faults

  /// Paths that the table knows: of fields, and of what holds sections.
  static var paths: [String] {
    all.flatMap { section in
      [section.holder].compactMap { $0 } + section.fields.map { section.path(of: $0) }
    }
  }
}
