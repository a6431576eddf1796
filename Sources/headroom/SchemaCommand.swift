import ArgumentParser
import Reporting
import ResultStore

/// `headroom schema`: what is in a results file.
struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the tables and views of results files.")

  @Flag(help: "Print the SQL statements that make an empty file.")
  var sql = false

  func run() throws {
    try conclude("schema", json: false) {
      let text = sql ? ResultSchema.sql : try ResultSchema.document()
      // What is printed ends its last line.
      return Conclusion(
        status: .fine, text: text.hasSuffix("\n") ? String(text.dropLast()) : text,
        summary: Summary(command: "schema"))
    }
  }
}
