import Foundation

/// A value of JSON (RFC 8259) whose objects keep the order of their keys.
///
/// There is no number for what is not finite, so that it becomes null.
public enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// Two blanks a level; containers without a container in them lie on one line.
  public var text: String {
    var text = ""
    write(to: &text, depth: 0)
    return text
  }

  private func write(to text: inout String, depth: Int) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .unsigned(let value): text += String(value)
    case .number(let value): text += Self.form(value)
    case .string(let value): Self.quote(value, to: &text)
    case .array(let items):
      Self.wrap(items.map { (nil, $0) }, "[", "]", to: &text, depth)
    case .object(let object):
      Self.wrap(object.entries.map { ($0.key, $0.value) }, "{", "}", to: &text, depth)
    }
  }

  private var isContainer: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }

  private static func wrap(
    _ items: [(String?, JSONValue)], _ open: String, _ close: String, to text: inout String,
    _ depth: Int
  ) {
    let isOneLine = depth > 0 && !items.contains { $0.1.isContainer }
    let indent = isOneLine ? "" : "\n" + String(repeating: "  ", count: depth + 1)
    text += open
    for (index, (key, value)) in items.enumerated() {
      if index > 0 { text += isOneLine ? ", " : "," }
      text += indent
      if let key {
        quote(key, to: &text)
        text += ": "
      }
      value.write(to: &text, depth: depth + 1)
    }
    if !isOneLine, !items.isEmpty { text += "\n" + String(repeating: "  ", count: depth) }
    text += close
  }

  /// The shortest digits that give the same number again.
  private static func form(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
    return "\(value)"
  }

  private static func quote(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case _ where scalar.value < 0x20: text += String(format: "\\u%04x", scalar.value)
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

/// Keys with their values, in order; a key without a value is there with null.
public struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  struct Entry: Sendable, Equatable {
    var key: String
    var value: JSONValue
  }

  private(set) var entries: [Entry] = []

  public init() {}

  public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }

  /// Of keys that are all different.
  public init(_ elements: [(String, JSONValue)]) {
    entries = elements.map { Entry(key: $0, value: $1) }
  }

  public subscript(key: String) -> JSONValue? {
    get { entries.first { $0.key == key }?.value }
    set {
      if let index = entries.firstIndex(where: { $0.key == key }) {
        entries[index].value = newValue ?? .null
      } else {
        entries.append(Entry(key: key, value: newValue ?? .null))
      }
    }
  }
}

extension JSONValue {
  public init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
  public init(_ value: UInt64?) { self = value.map { .unsigned($0) } ?? .null }
  public init(_ value: Double?) { self = value.map { .number($0) } ?? .null }
  public init(_ value: String?) { self = value.map { .string($0) } ?? .null }
  public init(_ values: [String]) { self = .array(values.map { .string($0) }) }
}
