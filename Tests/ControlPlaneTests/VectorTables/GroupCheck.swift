/// How the cases of one group of a vector file are compared.
struct GroupCheck {
  /// Whether simulations execute what is compared; else it is for programs that use the library.
  enum Use: String {
    case simulation = ""
    case partly = ", partly library only"
    case library = ", library only"
  }

  var use: Use
  /// Fields that a case's calls are made of.
  var inputs: Set<String>
  /// Fields that say something to people.
  var notes: Set<String> = ["name", "note"]
  var expectations: [Expectation]
  /// Puts what a sentence of the case claims, in numbers, beside it. Throws for a sentence that
  /// nobody knows.
  var reading: (VectorValue) throws -> VectorValue = { $0 }
  /// - Parameters: the case, and the group that it stands in.
  var compare: (VectorValue, VectorValue) throws -> Comparison

  init(
    _ use: Use, inputs: Set<String>, expecting expectations: [Expectation],
    notes: Set<String> = ["name", "note"],
    reading: @escaping (VectorValue) throws -> VectorValue = { $0 },
    by compare: @escaping (VectorValue, VectorValue) throws -> Comparison
  ) {
    self.use = use
    self.inputs = inputs
    self.notes = notes
    self.expectations = expectations
    self.reading = reading
    self.compare = compare
  }

  /// Compares one case.
  /// - Throws: `Unreadable` when anything of it is not understood.
  func outcome(of one: VectorValue, in group: VectorValue) throws -> Comparison {
    guard case .object(let members) = one else {
      throw VectorValue.Unreadable(description: "a case without fields")
    }
    for key in members.keys.sorted() where !knows(key) {
      throw VectorValue.Unreadable(description: "nobody knows the field `\(key)`")
    }
    return try compare(reading(one), group)
  }

  private func knows(_ key: String) -> Bool {
    inputs.contains(key) || notes.contains(key)
      || expectations.contains { VectorValue.matches(key, $0.key) }
  }

  /// A case as read, once for each of its expected values, which is wrong there.
  func variants(of one: VectorValue) throws -> [VectorValue] {
    let read = try reading(one)
    return expectations.flatMap { $0.variants(read) }
  }
}
