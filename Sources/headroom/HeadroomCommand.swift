import ArgumentParser
import Simulation

@main
enum Program {
  static func main() {
    Output.reserveStreams()
    HeadroomCommand.main()
  }
}

/// The command line.
struct HeadroomCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "headroom",
    abstract: "Simulate a large serverless platform and size it.",
    version: ProgramVersion.text,
    subcommands: [
      RunCommand.self, SizeCommand.self, RehearseCommand.self, FidelityCommand.self,
      TraceCommand.self, VerifyCommand.self, ExplainCommand.self, ExportCommand.self,
      SchemaCommand.self,
    ])
}
