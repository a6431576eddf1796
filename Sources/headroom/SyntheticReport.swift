import Foundation
import Reporting
import Simulation

/// What `trace describe --against published` prints.
struct SyntheticReport {
  let description: SyntheticDescription
  let name: String

  var agrees: Bool { description.checks.allSatisfy(\.holds) && description.impossible == 0 }

  var text: String {
    let missed = description.checks.count { !$0.holds }
    let verdict =
      missed == 0
      ? "AGREES  all \(description.checks.count) figures are within what is allowed"
      : "DIFFERS  \(missed) of \(description.checks.count) figures are not within what is allowed"
    let counts =
      "\(name) · \(TextForm.grouped(description.services)) services, "
      + "\(TextForm.grouped(description.active)) of them active"
    return [counts, verdict, checks, loads, ceilings].joined(separator: "\n\n")
  }

  private var checks: String {
    var rows = [["", "figure", "found", "published or modelled", "may differ by", "source"]]
    for check in description.checks {
      rows.append([
        check.holds ? "ok" : "MISSED", check.name, TextForm.number(check.found),
        TextForm.number(check.wanted), Self.slack(check.slack), check.source,
      ])
    }
    return TextForm.table(rows)
  }

  private static func slack(_ slack: SyntheticDescription.Check.Slack) -> String {
    switch slack {
    case .share(let part): TextForm.percent(part)
    case .points(let points): TextForm.number(points)
    case .atLeast: "at least"
    }
  }

  private var loads: String {
    var rows = [["cluster", "cores wanted at its busiest", "cores", "utilisation"]]
    for load in description.loads {
      rows.append([
        load.cluster, TextForm.number(load.wantedCores), TextForm.number(load.cores),
        TextForm.percent(load.wantedCores / max(1, load.cores)),
      ])
    }
    return TextForm.table(rows)
  }

  private var ceilings: String {
    var rows = [["lowest ceiling ÷ peak", "", "set by"]]
    for ceiling in description.ceilings {
      rows.append([ceiling.service, TextForm.number(ceiling.ratio), ceiling.bound])
    }
    let line =
      description.impossible == 0
      ? "no service is below 1.2"
      : "\(description.impossible) services are below 1.2: their peak is more than they can do"
    return TextForm.table(rows) + "\n" + line
  }

  var summary: Summary {
    var summary = Summary(command: "trace describe")
    summary["again"] = .string(ShellWords.text(CommandLine.arguments))
    summary["synthetic"] = .object([
      "services": JSONValue(description.services), "active": JSONValue(description.active),
      "impossible": JSONValue(description.impossible),
      "checks": .array(
        description.checks.map {
          .object([
            "name": .string($0.name), "found": .number($0.found), "wanted": .number($0.wanted),
            "holds": .bool($0.holds), "source": .string($0.source),
          ])
        }),
      "loads": .array(
        description.loads.map {
          .object([
            "cluster": .string($0.cluster), "wanted_cores": .number($0.wantedCores),
            "cores": .number($0.cores),
          ])
        }),
      "ceilings": .array(
        description.ceilings.map {
          .object([
            "service": .string($0.service), "ratio": .number($0.ratio), "bound": .string($0.bound),
          ])
        }),
    ])
    return summary
  }
}
