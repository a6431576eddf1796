import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Scenarios that zoom in: over several clusters and threads, under failure, and bad windows.
@Suite struct ZoomScenarioTests {
  private static let loss = "{name: loss, at: 1m, lose: north/a/zone-a, restart_after: 1m}"

  private static func text(zoom: String, faults: String = "") -> String {
    SpreadServiceTests.text(faults: faults, fidelity: "flow") + "\nzoom: \(zoom)\n"
  }

  /// The loss of a zone and its return lie in the window.
  @Test func aZoneLossInAZoomIsTheSameForAnyNumberOfThreads() throws {
    let text = Self.text(zoom: "{from: 55s, to: 2m10s}", faults: Self.loss)
    let one = try SpreadServiceTests.outcome(text)
    let zoom = try #require(one.zoom)
    #expect(zoom.lanes == 12 && zoom.unseen == 0)
    #expect(one.fidelities.both == 12)
    for terms in one.conservation { #expect(terms.violation == nil) }
    for threads in [2, 4] {
      let other = try SpreadServiceTests.outcome(text, threads: threads)
      #expect(other.digest == one.digest && other.zoom == one.zoom)
      #expect(other.collected.rows.count == one.collected.rows.count)
    }
  }

  /// A window that begins or ends with a fault: what begins at that instant is not lost on the way
  /// from one form to the other.
  @Test(arguments: ["{from: 1m, to: 90s}", "{from: 30s, to: 1m}", "{from: 90s, to: 2m}"])
  func aZoomThatMeetsTheEdgeOfAFault(zoom: String) throws {
    let zoomed = try SpreadServiceTests.outcome(Self.text(zoom: zoom, faults: Self.loss))
    let plain = try SpreadServiceTests.outcome(
      SpreadServiceTests.text(faults: Self.loss, fidelity: "flow"))
    #expect(zoomed.zoom?.lanes == 12)
    for terms in zoomed.conservation { #expect(terms.violation == nil) }
    // What comes while the zone is away and nobody knows is refused, in either form.
    for (one, other) in zip(zoomed.lanes, plain.lanes) {
      #expect(one.arrivals == other.arrivals)
      #expect((one.unreachable > 0) == (other.unreachable > 0))
    }
  }

  /// A topic whose messages a downstream refuses: they are called for more often than they come, of
  /// which the way back from single requests knows nothing.
  @Test func aTopicThatDeliversAgainComesBack() throws {
    let text = """
      headroom: 1
      name: again
      duration: 60s
      warmup: 5s
      fidelity: flow
      zoom: {from: 20s, to: 30s}
      cluster:
        zones: [{name: zone-a, nodes: {count: 4, cpu: 32, memory: 64GiB}}]
        consumers: {capacity: 100k/s}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 1, memory: 512MiB}}
      downstreams: [{name: store, capacity: 50/s}]
      services:
        - {name: q, runtime: go, shape: small, concurrency: 4, topic: {partitions: 4},
           downstream: store, service_time: "exponential(mean: 20ms)", cpu_fraction: 0.5,
           instances: {min: 8, max: 8, initial: 8}, keep_alive: forever,
           arrivals: {process: poisson, rate: 100/s}}
      """
    let zoomed = try SpreadServiceTests.outcome(text)
    #expect(zoomed.zoom?.lanes == 1 && zoomed.fidelities.both == 1)
    #expect(zoomed.lanes[0].redelivered > zoomed.lanes[0].arrivals)
    for terms in zoomed.conservation { #expect(terms.violation == nil) }
  }

  /// South has nothing to do with the fault, and everything with the window.
  @Test func arrivalsAreThoseWithoutAZoom() throws {
    let zoomed = try SpreadServiceTests.outcome(Self.text(zoom: "{from: 55s, to: 70s}"))
    let plain = try SpreadServiceTests.outcome(SpreadServiceTests.text(fidelity: "flow"))
    #expect(zoomed.lanes.map(\.arrivals) == plain.lanes.map(\.arrivals))
    #expect(plain.zoom == nil)
    #expect(zoomed.executed > plain.executed)
  }

  @Test(arguments: [
    ("{from: 1500ms, to: 3s}", "lanes change their fidelity at whole seconds"),
    ("{from: 20s, to: 20s}", "the zoom ends before it begins"),
    ("{from: 20s, to: 10s}", "the zoom ends before it begins"),
    ("{from: 1h, to: 2h}", "the zoom begins when the run is over"),
  ])
  func aBadWindowIsSaidToBe(zoom: String, message: String) {
    let result = ScenarioReader().read(Self.text(zoom: zoom), file: "zoom.yaml", overrides: [])
    #expect(result.document == nil)
    #expect(result.diagnostics.map(\.message) == [message])
  }

  @Test func aWindowCanBeGivenBesideTheScenario() throws {
    let result = ScenarioReader().read(
      SpreadServiceTests.text(fidelity: "flow"), file: "zoom.yaml",
      overrides: ["zoom.from=10s", "zoom.to=12s"])
    let document = try #require(result.document, "\(result.rendered)")
    #expect(document.zoom == .seconds(10) ..< .seconds(12))
  }
}
