import ControlPlane

/// Messages by kind of component, for those that do not count their own, and repeated questions.
struct ComponentTraffic: Sendable {
  private var handled = [UInt64](repeating: 0, count: Address.Kind.allCases.count)
  private var sent = [UInt64](repeating: 0, count: Address.Kind.allCases.count)

  /// By Dispatcher: takes that were asked for again because no answer came in time.
  private(set) var repeatedTakes: [UInt64]

  init(dispatchers: Int) { repeatedTakes = Array(repeating: 0, count: dispatchers) }

  /// A Dispatcher sends something because an alarm of its own has rung.
  mutating func repeats(_ message: ControlMessage, dispatcher: Int) {
    if case .take = message { repeatedTakes[dispatcher] += 1 }
  }

  mutating func handled(by kind: Address.Kind) { handled[Int(kind.rawValue)] += 1 }

  mutating func sent(by kind: Address.Kind) { sent[Int(kind.rawValue)] += 1 }

  /// - Parameter handling: seconds that one message takes; nil: no time.
  func summary(_ kind: Address.Kind, _ name: String, handling: Double? = nil) -> ComponentSummary {
    let messagesIn = handled[Int(kind.rawValue)]
    return ComponentSummary(
      kind: name, index: nil, messagesIn: messagesIn, messagesOut: sent[Int(kind.rawValue)],
      busySeconds: handling.map { $0 * Double(messagesIn) })
  }
}
