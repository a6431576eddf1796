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

  func ints() throws -> [Int] { try list().map { Int(try $0.double()) } }
  func ints(_ key: String) throws -> [Int] { try member(key).ints() }
  func doubles(_ key: String) throws -> [Double] { try list(key).map { try $0.double() } }

  func texts(_ key: String) throws -> [String] { try list(key).map { try $0.text() } }
  func texts() throws -> [String] { try list().map { try $0.text() } }

  func bool() throws -> Bool {
    guard case .bool(let value) = self else { throw Unreadable(description: "\(self) is no bool") }
    return value
  }

  func bool(_ key: String) throws -> Bool { try member(key).bool() }
  /// False where nothing is said.
  func flag(_ key: String) throws -> Bool { try self[key]?.bool() ?? false }

  func object(_ key: String) throws -> [(key: String, value: VectorValue)] {
    guard case .object(let members) = try member(key) else {
      throw Unreadable(description: "`\(key)` has no members")
    }
    return members.sorted { $0.key < $1.key }
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

  /// The unit of the last decimal place that a number is printed with; of a whole number, 1.
  func lastDigit() throws -> Double {
    let printed: String
    if case .text(let text) = self { printed = text } else { printed = "\(try double())" }
    let parts = printed.lowercased().split(separator: "e")
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let digits = parts[0].split(separator: ".")
    let decimals = digits.count > 1 && digits[1] != "0" ? digits[1].count : 0
    return Self.powerOfTen(exponent - decimals)
  }

  static func powerOfTen(_ exponent: Int) -> Double {
    Double("1e\(exponent)") ?? 0
  }

  // MARK: Changing

  func setting(_ key: String, to value: VectorValue) -> VectorValue {
    guard case .object(var members) = self else { return self }
    members[key] = value
    return .object(members)
  }

  /// The same once for each value at a path, which is changed there.
  func variants(
    at path: ArraySlice<String>, _ change: (VectorValue) -> VectorValue?
  ) -> [VectorValue] {
    switch self {
    case .object(let members):
      let keys = members.keys.sorted().filter { path.isEmpty || Self.matches($0, path.first) }
      return keys.flatMap { key in
        (members[key] ?? .null).variants(at: path.dropFirst(), change).map {
          setting(key, to: $0)
        }
      }
    case .list(let list):
      return list.indices.flatMap { index in
        list[index].variants(at: path, change).map { other in
          var changed = list
          changed[index] = other
          return .list(changed)
        }
      }
    default: return path.isEmpty ? change(self).map { [$0] } ?? [] : []
    }
  }

  /// Whether a key is one of a name, whose trailing `*` stands for anything.
  static func matches(_ key: String, _ name: String?) -> Bool {
    guard let name, name.hasSuffix("*") else { return key == name }
    return key.hasPrefix(name.dropLast())
  }
}

/// Tells JSON's booleans from its numbers.
private enum CFBooleanCheck {
  static func isBoolean(_ number: NSNumber) -> Bool {
    String(cString: number.objCType) == "c" || String(cString: number.objCType) == "B"
  }
}
