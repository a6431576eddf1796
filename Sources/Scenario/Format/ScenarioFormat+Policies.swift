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
      \(PolicyTable.keepAlive.map { section($0, "Keeps idle instances by") }.joined())
      ### Sizes of pools

      `pools.size`, \(standard("pools.size")).

      - `2%`: of the pool's peak of ready pods, all the time
      - `30`: so many pods
      - `hourly(0: 1%, 8: 5%, 22: 2%)`: of the peak, by the hour of the day: each share from its
        hour to the next one that is named; second 0 is midnight
      - `following` and `base_stock`, below, with parameters by name
      \(meanings("pools.size"))
      \(PolicyTable.poolSizes.map { section($0, "Sizes a pool by") }.joined())
      ### Scaling

      `services[].scaling`, \(standard("services[].scaling")): a policy or a list of policies, of
      which the one that wants the most instances decides, within `services[].instances`.
      Parameters are given by name, and a name alone has all defaults:
      `knative(target: 10, window: 60s)`, `[cpu, past_days(days: 5)]`.

      """ + PolicyTable.scaling.map { section($0, "Scales on") }.joined()
        + choices.joined(separator: "\n")
  }

  private static func section(_ policy: PolicyTable, _ verb: String) -> String {
    """
    #### `\(policy.name)`

    \(verb) \(policy.about).\(signals(policy))

    \(table(["parameter", "holds", "default", "origin", "about"], rows(policy.parameters)))


    """
  }

  private static func signals(_ policy: PolicyTable) -> String {
    guard let period = policy.signalPeriod.text else { return "" }
    return " Samples of its signals are means over \(code(period)) "
      + "(\(origin(policy.signalPeriod))), unless `cluster.autoscale.signal_period` says otherwise."
  }

  private static func standard(_ path: String) -> String {
    let fallback = ScenarioProbes.fields[path]?.fallbacks.first ?? .none
    return "by default \(code(fallback.text ?? "")) (\(origin(fallback)))"
  }

  private static func meanings(_ path: String) -> String {
    ScenarioWords.all.filter { $0.path == path }.map { list(of: $0) }.joined()
  }

  private static func rows(_ parameters: [PolicyParameter]) -> [[String]] {
    parameters.map { parameter in
      [
        code(parameter.name), parameter.range, parameter.fallback.text.map(code) ?? "–",
        origin(parameter.fallback), parameter.about,
      ]
    }
  }
}
