import Testing

@testable import Scenario

/// What `--set` says and is wrong names the `--set`, not a line of the file.
@Suite struct OverrideTests {
  @Test(arguments: [
    ("warmup=soon", Diagnostic.Kind.badQuantity, "`soon` is no value for `warmup`"),
    ("warmup=10m", .inconsistent, "the warm-up is as long as the run"),
    ("cluster.gateways.per_zone=-2", .outOfRange, "`cluster.gateways.per_zone` is `-2`"),
    ("cluster.gateways.per_zones=2", .unknownKey, "unknown key `per_zones` in `cluster.gateways`"),
    ("services.api.runtime=rust", .unknownName, "service `api`: unknown runtime `rust`"),
    (
      "services.jobs.topic={partitions: 1}", .inconsistent,
      "service `jobs`: 1 partitions over 2 zones: messages of a zone without any have nowhere to go"
    ),
    ("objectives[1]=faild < 1", .badObjective, "`faild < 1`: `faild` is no measure"),
    ("scale", .badOverride, "there is no `=`"),
    ("services.nobody.runtime=go", .badOverride, "there is nothing at `services.nobody.runtime`"),
  ])
  func anErrorNamesIt(override: String, kind: Diagnostic.Kind, message: String) throws {
    // The one before it is fine, and is not what is wrong.
    let result = Samples.read(Samples.valid, overrides: ["seed=3", override])
    #expect(result.document == nil)
    let found = try #require(result.errors.first, "\(override)")
    #expect(found.kind == kind, "\(result.rendered)")
    #expect(found.message == "--set \(override): \(message)", "\(result.rendered)")
    #expect((found.line, found.column) == (0, 0))
    #expect(result.errors.count == 1, "\(result.rendered)")
  }

  /// What is wrong in the file is told as before, also where something else is set.
  @Test func anErrorOfTheFileHasItsLine() throws {
    let text = Samples.valid.replacing("warmup: 1m", with: "warmup: soon")
    let result = Samples.read(text, overrides: ["seed=3"])
    #expect(result.errors.map(\.message) == ["`soon` is no value for `warmup`"])
    #expect(result.errors.first?.line == 4)
  }
}
