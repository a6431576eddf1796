extension Diagnostic.Kind {
  /// What it says, for the list of ids.
  var about: String {
    switch self {
    case .syntax: "the text is not YAML, or has characters or keys that it must not have"
    case .encoding: "the file is not UTF-8"
    case .tooLarge: "too many bytes, too many values, or nested too deeply"
    case .duplicateKey: "a key is given twice"
    case .unknownKey: "a key that nothing reads, often a slip of the pen"
    case .missingKey: "a field that every such scenario needs is missing or empty"
    case .wrongType: "a list, a mapping or a single value where another is needed"
    case .badQuantity: "a value that is no quantity of its kind"
    case .unknownUnit: "a number without a unit, or with one that its kind does not have"
    case .unknownName: "a name that nothing bears, or a word that is not among those allowed"
    case .outOfRange: "a value that is too small, too large or not whole"
    case .badDistribution: "a distribution that is not understood"
    case .badObjective: "an objective that is not understood, or about what is not measured"
    case .badPolicy: "a policy, or a parameter of it, that is not understood"
    case .inconsistent: "two parts of the scenario contradict each other"
    case .badOverride: "a `--set` that is not understood, or that points at nothing"
    case .unsupportedVersion: "a version of the format that this program does not read"
    case .duplicateName: "two zones, services, tenants or node pools of one name"
    case .unusedName: "a runtime or shape that no service uses"
    case .neverHappens:
      "a fault or an objective that cannot come about, often since the run is too short"
    case .implausible: "a value that is possible and that no platform has"
    }
  }
}
