import Foundation
import Testing

/// The tables of reference numbers that the project carries. Inputs and expectations come from
/// the file, so that a changed number fails.
enum ReferenceTables {
  struct Missing: Error { let name: String }

  private struct Name: Decodable { let name: String }

  private struct Body<Case: Decodable>: Decodable {
    struct Group: Decodable {
      let name: String
      let cases: [Case]
    }
    let group: Group

    init(from decoder: any Decoder) throws {
      guard let name = decoder.userInfo[.groupName] as? String else { throw Missing(name: "name") }
      var rest = try decoder.container(keyedBy: AnyKey.self)
        .nestedUnkeyedContainer(forKey: AnyKey("groups"))
      while !rest.isAtEnd {
        // A group of another shape is stepped over by its name alone.
        var ahead = rest
        if try ahead.decode(Name.self).name == name {
          group = try rest.decode(Group.self)
          return
        }
        rest = ahead
      }
      throw Missing(name: name)
    }
  }

  static func file(_ name: String) throws -> Data {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("HeadroomTests/Reference")
    return try Data(contentsOf: folder.appendingPathComponent(name))
  }

  /// The cases of one group of statistics.json.
  static func cases<Case: Decodable>(_ group: String, as type: Case.Type) throws -> [Case] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    decoder.userInfo[.groupName] = group
    return try decoder.decode(Body<Case>.self, from: file("statistics.json")).group.cases
  }

  /// closed_forms.json, read as `type`.
  static func closedForms<Forms: Decodable>(as type: Forms.Type) throws -> Forms {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: file("closed_forms.json"))
  }
}

private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { return nil }
}

extension CodingUserInfoKey {
  fileprivate static var groupName: CodingUserInfoKey {
    CodingUserInfoKey(rawValue: "group").unsafelyUnwrapped
  }
}

/// Whether two numbers agree to a relative tolerance.
func agrees(_ value: Double, _ expected: Double, relative: Double) -> Bool {
  abs(value - expected) <= relative * abs(expected)
}
