import Testing

@testable import Scenario

/// Limits of a service over its zones, and AutoScale that a cluster does not have.
@Suite struct InstanceLimitTests {
  private static let jobs = "service_time: constant(50ms)"

  @Test(arguments: [
    BadInput(
      jobs, "\(jobs)\n    instances: {max: ▲1}", .inconsistent,
      "service `jobs`: 1 instances at most over 2 zones: traffic of a zone without any is refused",
      help: "raise `max` to 2, or name fewer `zones`"),
    BadInput(
      jobs, "\(jobs)\n    instances: {max: 5, initial: ▲6}", .inconsistent,
      "service `jobs`: 6 instances at first, 5 at most", help: "lower `initial` or raise `max`"),
    BadInput(
      "gateways: {per_zone: 2}", "autoscale: none", .neverHappens,
      "service `api`: it is not scaled: the cluster has no AutoScale",
      help: "remove `autoscale: none` from the cluster"),
  ])
  func isToldWithItsPlace(_ bad: BadInput) throws {
    let (text, place) = try #require(Samples.changed(bad.old, to: bad.new))
    let result = Samples.read(text)
    #expect((result.document == nil) == !bad.kind.isWarning)
    #expect(result.diagnostics.map(\.kind) == [bad.kind], "\(result.rendered)")
    let found = try #require(result.diagnostics.first)
    #expect(found.message == bad.message)
    #expect(found.help == bad.help)
    if place.line > 0 { #expect(Mark(line: found.line, column: found.column) == place) }
  }

  @Test func oneZoneMayHaveOneInstance() {
    let result = Samples.read(
      Samples.valid.replacing("keep_alive: fixed(60s)", with: "instances: {max: 1}"))
    #expect(result.document?.services[0].maximumInstances == 1, "\(result.rendered)")
  }

  /// Without a word a cluster has AutoScale, at Knative's tick; `none` is none.
  @Test func aClusterHasAutoScaleUnlessItSaysOtherwise() {
    let silent = Samples.read(Samples.valid)
    #expect(silent.document?.cluster.autoscaleTick == .seconds(2))
    let none = Samples.read(
      Samples.valid.replacing("gateways: {per_zone: 2}", with: "autoscale: none"))
    #expect(none.document != nil && none.document?.cluster.autoscaleTick == nil)
    let slow = Samples.read(
      Samples.valid.replacing("gateways: {per_zone: 2}", with: "autoscale: {tick: 5s}"))
    #expect(slow.document?.cluster.autoscaleTick == .seconds(5))
  }
}
