extension ScenarioFormat {
  static var policies: String {
    let choices = ScenarioWords.all.compactMap { words in
      words.policy.map { heading in
        "### \(heading)\n\n`\(words.path)`, \(standard(words.path)):\n\n"
          + list(of: words)
      }
    }
    return """
      ## Policies

      ### Keep-alive

      `services[].keep_alive`, \(standard("services[].keep_alive")).

      - `fixed(60s)`: an instance that has been idle for so long is given up
      \(meanings("services[].keep_alive"))
      ### Scaling

      `services[].scaling`, \(standard("services[].scaling")). `knative(…)` is AutoScale on
      concurrency by Knative's rules, within `services[].instances`; parameters are given by name,
      and `knative` alone has all defaults: `knative(target: 10, window: 60s)`.

      \(table(["parameter", "holds", "default", "origin", "about"], parameters))

      """ + choices.joined(separator: "\n")
  }

  private static func standard(_ path: String) -> String {
    let fallback = ScenarioProbes.fields[path]?.fallbacks.first ?? .none
    return "by default \(code(fallback.text ?? "")) (\(origin(fallback)))"
  }

  private static func meanings(_ path: String) -> String {
    ScenarioWords.all.filter { $0.path == path }.map { list(of: $0) }.joined()
  }

  private static var parameters: [[String]] {
    PolicyParameter.knative.map { parameter in
      [
        code(parameter.name), parameter.range, parameter.fallback.text.map(code) ?? "–",
        origin(parameter.fallback), parameter.about,
      ]
    }
  }
}
