import ArgumentParser
import Reporting
import ResultStore
import Scenario

/// `headroom schema`: what is in a results file, or in a scenario.
struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the tables of results files, or the scenario format.")

  enum Subject: String, ExpressibleByArgument, CaseIterable { case results, scenario }

  @Argument(help: "results or scenario.")
  var subject = Subject.results

  @Flag(help: "Print the SQL statements that make an empty results file.")
  var sql = false

  func validate() throws {
    if sql, subject != .results { throw ValidationError("--sql is about results") }
  }

  func run() throws {
    try conclude("schema", json: false) {
      let text: String
      switch subject {
      case .results: text = sql ? ResultSchema.sql : try ResultSchema.document()
      case .scenario: text = ScenarioFormat.document()
      }
      // What is printed ends its last line.
      return Conclusion(
        status: .fine, text: text.hasSuffix("\n") ? String(text.dropLast()) : text,
        summary: Summary(command: "schema"))
    }
  }
}
