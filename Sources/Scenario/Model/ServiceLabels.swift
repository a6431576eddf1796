/// A label that services may have, as a fault names them: `label tier=gold`.
public struct ServiceLabel: Sendable, Equatable {
  public var key: String
  public var value: String

  /// Nil: the text names a service.
  public init?(_ text: String) {
    guard text.hasPrefix("label ") else { return nil }
    let parts = text.dropFirst("label ".count).split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    key = String(parts.first ?? "")
    value = parts.count > 1 ? String(parts[1]) : ""
  }

  var text: String { "\(key)=\(value)" }
}

extension ServiceSection {
  /// Whether a fault that names a service, or a label, means this one.
  public func isMeant(by target: String) -> Bool {
    guard let label = ServiceLabel(target) else { return name == target }
    return labels[label.key] == label.value
  }

  /// `key=value`, by key.
  var labelTexts: [String] { labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } }
}
