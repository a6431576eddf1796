import Primitives

/// Limits that are judged, and conditions that end a run.
enum ObjectiveReading {
  static func objectives(_ reader: inout FieldReader) -> [Objective] {
    list("objectives", &reader)
  }

  /// They are looked at in each interval of the series, so that each needs a time, and is about
  /// what has a value in every interval.
  static func stopConditions(_ reader: inout FieldReader) -> [Objective] {
    let conditions = list("stop_when", &reader)
    for (index, condition) in conditions.enumerated() {
      let path = "stop_when[\(index)]"
      if condition.duration == nil {
        reader.context.fail(
          .badObjective, at: path, length: condition.text.count,
          "`\(condition.text)`: it does not say for how long", help: "for example `… for 1m`")
      }
      for term in condition.terms where !term.measure.isFollowed {
        reader.context.fail(
          .badObjective, at: path, length: condition.text.count,
          "`\(condition.text)`: `\(term.measure.rawValue)` is known at the end only",
          help: "use requests, what became of them, their times, pods or lag")
      }
    }
    return conditions
  }

  private static func list(_ key: String, _ reader: inout FieldReader) -> [Objective] {
    let context = reader.context
    var found: [Objective] = []
    for (tree, path) in reader.list(key) {
      guard case .scalar(let text) = tree.content else {
        context.fail(.wrongType, tree.mark, "`\(path)` is \(tree.kind), not an objective in quotes")
        continue
      }
      do {
        found.append(try ObjectiveParser.parse(text))
        context.objectivePaths[key, default: []].append(path)
      } catch {
        context.fail(
          .badObjective, tree.mark, length: text.count, "`\(text)`: \(error.message)",
          help: error.help)
      }
    }
    return found
  }
}

extension Objective.Measure {
  /// Whether it has a value in each interval while a run goes on.
  var isFollowed: Bool {
    switch self {
    case .poolTakes, .poolMisses, .idlePodHours, .poolLevel, .utilisation: false
    default: true
    }
  }
}
