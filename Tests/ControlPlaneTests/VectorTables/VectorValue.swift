import Foundation

/// A value of a vector file. Numbers written as text, for their digits, are numbers too.
enum VectorValue: Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case text(String)
  case list([VectorValue])
  case object([String: VectorValue])

  struct Unreadable: Error, CustomStringConvertible {
    var description: String
  }

  init(json: Any) {
    switch json {
    case let text as String: self = .text(text)
    case let number as NSNumber:
      // JSONSerialization gives booleans as numbers of their own type.
      self =
        CFBooleanCheck.isBoolean(number) ? .bool(number.boolValue) : .number(number.doubleValue)
    case let list as [Any]: self = .list(list.map(VectorValue.init(json:)))
    case let object as [String: Any]: self = .object(object.mapValues(VectorValue.init(json:)))
    default: self = .null
    }
  }

  // MARK: Reading

  subscript(key: String) -> VectorValue? {
    guard case .object(let members) = self, let value = members[key], value != .null else {
      return nil
    }
    return value
  }

  func member(_ key: String) throws -> VectorValue {
    guard let value = self[key] else { throw Unreadable(description: "no `\(key)` in \(self)") }
    return value
  }

  func double(_ key: String) throws -> Double { try member(key).double() }
  func int(_ key: String) throws -> Int { Int(try double(key)) }
  func text(_ key: String) throws -> String { try member(key).text() }
  func list(_ key: String) throws -> [VectorValue] { try member(key).list() }

  func double() throws -> Double {
    switch self {
    case .number(let value): return value
    case .text(let text):
      if let value = Double(text) { return value }
    default: break
    }
    throw Unreadable(description: "\(self) is no number")
  }

  func text() throws -> String {
    guard case .text(let text) = self else {
      throw Unreadable(description: "\(self) is no text")
    }
    return text
  }

  func list() throws -> [VectorValue] {
    guard case .list(let list) = self else {
      throw Unreadable(description: "\(self) is no list")
    }
    return list
  }

  func word(_ key: String) throws -> UInt64 {
    let value = try member(key)
    if case .text(let text) = value, let word = UInt64(text) { return word }
    return UInt64(try value.double())
  }

  func hex(_ key: String) throws -> UInt64 {
    let text = try text(key)
    guard let word = UInt64(text, radix: 16) else {
      throw Unreadable(description: "`\(text)` is not hexadecimal")
    }
    return word
  }

  func nanoseconds(_ key: String) throws -> Int64 { Int64((try double(key) * 1e9).rounded()) }

  // MARK: Changing

  /// The same with another expected value somewhere under a key: what must not go unnoticed.
  /// `list.key` is the key in the last item of a list that has it.
  func perturbed(under path: String) -> VectorValue? {
    let steps = path.split(separator: ".").map(String.init)
    if steps.count == 2, case .object(var members) = self,
      case .list(var items)? = members[steps[0]],
      let index = items.lastIndex(where: { $0[steps[1]] != nil }),
      let other = items[index].perturbed(under: steps[1])
    {
      items[index] = other
      members[steps[0]] = .list(items)
      return .object(members)
    }
    let key = path
    guard case .object(var members) = self, let value = members[key],
      let other = value.perturbed()
    else { return nil }
    members[key] = other
    return .object(members)
  }

  private func perturbed() -> VectorValue? {
    switch self {
    case .null: return nil
    case .bool(let value): return .bool(!value)
    case .number(let value): return .number(value + max(1, abs(value) * 0.1))
    case .text(let text):
      if let value = Double(text), text.count < 30, text.contains(".") {
        return .text(String(value + max(1, abs(value) * 0.1)))
      }
      guard let last = text.last else { return .text("x") }
      return .text(text.dropLast() + (last == "0" ? "1" : "0"))
    case .list(var list):
      guard let index = list.indices.last, let other = list[index].perturbed() else { return nil }
      list[index] = other
      return .list(list)
    case .object(var members):
      guard let key = members.keys.sorted().last, let value = members[key],
        let other = value.perturbed()
      else { return nil }
      members[key] = other
      return .object(members)
    }
  }
}

/// Tells JSON's booleans from its numbers.
private enum CFBooleanCheck {
  static func isBoolean(_ number: NSNumber) -> Bool {
    String(cString: number.objCType) == "c" || String(cString: number.objCType) == "B"
  }
}
