import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// The use of processors of a loss: over the time of the loss in both runs, and against a closed
/// form by the zones that each service has.
@Suite struct ZoneLossFormTests {
  /// `two` in zones a and b, with four times the load of `one`, which is in b alone; zone c has
  /// nothing. The peak comes long after the loss.
  private static func document(_ lost: String, fidelity: String) throws -> ScenarioDocument {
    func service(_ name: String, _ zones: String, _ rate: Int) -> String {
      """
        - {name: \(name), zones: [\(zones)], runtime: go, shape: small, concurrency: 4,
           service_time: 100ms, cpu_fraction: 1, keep_alive: forever,
           instances: {min: 60, max: 60, initial: 60},
           arrivals: {process: profile, points: [
             {at: 0s, rate: \(rate)/s}, {at: 9m, rate: \(rate)/s},
             {at: 10m, rate: \(4 * rate)/s}, {at: 12m, rate: \(4 * rate)/s}]}}
      """
    }
    let text = """
      headroom: 1
      name: form
      duration: 12m
      warmup: 1m
      fidelity: \(fidelity)
      cluster:
        zones:
          - {name: zone-a, nodes: {count: 4, cpu: 16, memory: 128GiB}}
          - {name: zone-b, nodes: {count: 4, cpu: 16, memory: 128GiB}}
          - {name: zone-c, nodes: {count: 4, cpu: 16, memory: 128GiB}}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 1, memory: 1GiB}}
      services:
      \(service("two", "zone-a, zone-b", 80))
      \(service("one", "zone-b", 20))
      faults: [{name: loss, at: 3m, lose: \(lost), for: 4m}]
      objectives: ["completed / requests > 10%"]
      """
    let result = ScenarioReader().read(text, file: "form.yaml", overrides: [])
    return try #require(result.document, "\(result.rendered)")
  }

  /// z counts the zones of each service: the loss of b brings a its other half, and the loss of c,
  /// where nothing is, brings nobody anything.
  @Test func zIsOfEachService() throws {
    let whole = ScenarioMapping(try Self.document("zone-b", fidelity: "flow"))
      .platform(replication: 0, peaks: nil).whole
    func factors(_ lost: Set<Int>) -> [Double?] { ZoneLossForm(whole, lost: lost).factors }
    #expect(factors([1]) == [2, nil, 1])
    #expect(factors([2]) == [1, 1, nil])
    // 40 of a second each of `two`, and 20 of `one`: 60 before and 100 after.
    #expect(factors([0])[1].map { abs($0 - 100.0 / 60) < 1e-12 } == true)
    #expect(factors([0, 1]) == [nil, nil, 1])
  }

  /// 8 of 64 processors in either zone and 2 more in b, and twice as much in a while b is lost; the
  /// peak after it, of four times that, is of another time.
  @Test(arguments: ["request", "flow"]) func useIsThatOfTheFault(fidelity: String) throws {
    let document = try Self.document("zone-b", fidelity: fidelity)
    let pair = try RehearsalStudy(
      runner: ScenarioRunner(document, threads: 1), replications: 1
    ).pair(0, peaks: nil)
    let harm = RehearsalHarm([pair], document: document)
    #expect(harm.closedForms == [2, nil, 1])
    let (calm, faulted) = (harm.utilisation.map(\.calm[0]), harm.utilisation.map(\.faulted[0]))
    // Of the means over ten seconds the greatest, of 800 requests each.
    #expect(calm[0] > 0.06 && calm[0] < 0.085, "\(calm)")
    #expect(faulted[0] > 0.12 && faulted[0] < 0.15, "\(faulted)")
    #expect(calm[2] == 0 && faulted[2] == 0)
  }

  /// The same of a matrix: beside the closed form stands what the loss did, and losing a zone in
  /// which nothing is changes nothing.
  @Test func aMatrixHasTheUseOfTheLoss() throws {
    let runner = ScenarioRunner(
      try Self.document("zone-b", fidelity: "flow"), threads: 1)
    let outcome = try LossMatrix(runner: runner, times: [.seconds(180)]).run(peaks: nil)
    let cells = outcome.cells
    #expect(cells.map(\.target.name) == ["zone-a", "zone-b", "zone-c"])
    for cell in cells {
      let (use, form) = try (
        #require(cell.peakUtilisation), #require(cell.expectedUtilisation)
      )
      #expect(use < 0.2 && abs(use / form - 1) < 0.12, "\(cell.target.name): \(use), \(form)")
    }
  }
}
