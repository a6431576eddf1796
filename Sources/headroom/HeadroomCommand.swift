import ArgumentParser

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
      RunCommand.self, SizeCommand.self, FidelityCommand.self, TraceCommand.self,
      VerifyCommand.self,
      SchemaCommand.self,
    ])
}

enum ProgramVersion {
  /// Results of another version are not verified against this one's.
  static let text = "0.1.0"
}
