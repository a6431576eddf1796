/// Where the expected values of a group's cases stand, and how a wrong one differs from a right
/// one.
struct Expectation {
  /// The case once for each expected value in it, which is wrong there.
  let variants: (VectorValue) -> [VectorValue]
  /// The key of the case that holds them; a trailing `*` stands for anything.
  let key: String

  /// - Parameters:
  ///   - path: `key`, or `key.inner` for the items of a list that have `inner`.
  ///   - change: a wrong value for a right one; nil for what is no value.
  init(_ path: String, changedBy change: @escaping (VectorValue) -> VectorValue? = Self.wrong) {
    let steps = path.split(separator: ".").map(String.init)
    key = steps[0]
    variants = { $0.variants(at: steps[...], change) }
  }

  /// All of what a key holds becomes wrong at once.
  init(whole key: String, changedBy change: @escaping (VectorValue) -> [VectorValue]) {
    self.key = key
    variants = { one in
      guard let value = one[key] else { return [] }
      return change(value).map { one.setting(key, to: $0) }
    }
  }

  /// A list that may be empty: each item wrong, and one too many.
  static func list(_ key: String) -> Expectation {
    Expectation(whole: key) { value in
      guard case .list(let items) = value else { return [] }
      return value.variants(at: [], wrong) + [.list(items + [.text("one too many")])]
    }
  }

  /// A list of rows, of which some columns are expected and the others are inputs.
  static func columns(_ key: String, _ columns: [Int]) -> Expectation {
    Expectation(whole: key) { value in
      guard case .list(let rows) = value else { return [] }
      return rows.indices.flatMap { row -> [VectorValue] in
        guard case .list(let cells) = rows[row] else { return [] }
        return columns.filter(cells.indices.contains).compactMap { column in
          guard let other = wrong(cells[column]) else { return nil }
          var changedCells = cells
          changedCells[column] = other
          var changed = rows
          changed[row] = .list(changedCells)
          return .list(changed)
        }
      }
    }
  }

  /// Lists by name: each of them wrong in each way.
  static func lists(_ key: String) -> Expectation {
    Expectation(whole: key) { value in
      guard case .object(let members) = value else { return [] }
      return value.variants(at: ["*"], wrong)
        + members.keys.sorted().compactMap { name in
          guard case .list(let items)? = members[name] else { return nil }
          return value.setting(name, to: .list(items + [.text("one too many")]))
        } + [value.setting("one too many", to: .list([.text("one too many")]))]
    }
  }

  /// A number that is further off than a tolerance that the file states.
  static func number(off step: Double) -> (VectorValue) -> VectorValue? {
    { value in (try? value.double()).map { .number($0 + step) } }
  }

  /// The nearest value that a comparison must not let pass.
  static func wrong(_ value: VectorValue) -> VectorValue? {
    switch value {
    case .null: return .number(12_345)
    case .bool(let value): return .bool(!value)
    case .number(let number):
      let step = number == number.rounded() ? 1 : (try? value.lastDigit()) ?? 0
      return .number(number + max(step, 1e-6 * abs(number)))
    case .text(let text):
      if text.contains("."), let number = Double(text) {
        return .text("\(number + max((try? value.lastDigit()) ?? 0, 1e-6 * abs(number)))")
      }
      guard let last = text.last else { return .text("x") }
      return .text(text.dropLast() + (last == "0" ? "1" : "0"))
    case .list, .object: return nil
    }
  }
}
