import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// Attempts a request over time, against counts that are known.
@Suite struct RetryCourseTests {
  /// A request each second, 200 ms after it, from 1 to 239 s. From 125 to 150 s every call ends
  /// with an error at once; clients try twice more, within half a second.
  private static func pair(
    _ fidelity: String = "request", arrivals: String? = nil, warmup: String = "20s"
  ) throws -> RehearsalStudy.Pair {
    let times = (1..<240).map { "\($0)200ms" }.joined(separator: ", ")
    let text = """
      headroom: 1
      name: retries
      duration: 4m
      warmup: \(warmup)
      fidelity: \(fidelity)
      cluster:
        zones: [{name: zone-a, nodes: {count: 4, cpu: 16, memory: 64GiB}}]
      runtimes: {go: {init: 30ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      pools: {size: 2}
      services:
        - {name: api, runtime: go, shape: small, service_time: 10ms, concurrency: 4,
           instances: {min: 2, max: 2, initial: 2}, cold_start: never,
           clients: {retries: 2, backoff: 100ms, budget: none},
           arrivals: {\(arrivals ?? "process: list, times: [\(times)]")}}
        - {name: alone, runtime: go, shape: small, service_time: 10ms, concurrency: 4,
           instances: {min: 2, max: 2, initial: 2}, cold_start: never,
           arrivals: {process: poisson, rate: 20/s}}
      faults: [{at: 125s, spoil: api, share: 100%, errors: 100%, factor: 1, for: 25s}]
      """
    let result = ScenarioReader().read(text, file: "retries.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    return try RehearsalStudy(runner: ScenarioRunner(document, threads: 1), replications: 1)
      .pair(0, peaks: nil)
  }

  private static func seconds(_ from: Int64, _ to: Int64) -> Range<Instant> {
    .seconds(from)..<Instant.seconds(to)
  }

  /// Ten requests an interval: of the interval of the strike five have one attempt and five three.
  /// The service without clients who try again counts nowhere.
  @Test func everyIntervalHasItsCount() throws {
    let pair = try Self.pair()
    let course = try #require(RetryCourse(pair))
    #expect(course.strike == .seconds(125))
    // From the interval before the one that the fault begins in.
    #expect(course.intervals.first?.span == Self.seconds(110, 120))
    #expect(course.intervals.last?.span == Self.seconds(230, 240))
    for interval in course.intervals {
      #expect(interval.calm == ClientSample(requests: 10, attempts: 10), "\(interval)")
      let attempts: UInt64 =
        switch interval.span.lowerBound {
        case .seconds(120): 20
        case .seconds(130), .seconds(140): 30
        default: 10
        }
      #expect(
        interval.faulted == ClientSample(requests: 10, attempts: attempts), "\(interval)")
    }
    #expect(course.peak(\.faulted) == .init(amplification: 3, span: Self.seconds(130, 140)))
    #expect(course.peak(\.calm) == .init(amplification: 1, span: Self.seconds(120, 130)))
    #expect(RehearsalMessages(pair).amplification?.calm == 1)
    // 220 requests after the warm-up, 25 of which are tried three times.
    #expect(RehearsalMessages(pair).amplification?.faulted == 1 + 50.0 / 220)
    let told = RetryCourse.pooled([course, course]).told(rows: 12)
    #expect(told.map(\.span.lowerBound) == [110, 120, 130, 140, 150].map { .seconds($0) })
    #expect(told.map { $0.faulted.amplification } == [1, 2, 3, 3, 1])
    #expect(told[2].faulted == ClientSample(requests: 20, attempts: 60))
    let short = [course].flatMap(\.intervals).told(rows: 3)
    #expect(short.map(\.span) == [(110, 120), (120, 140), (140, 160)].map(Self.seconds))
    #expect(short.map { $0.faulted.amplification } == [1, 2.5, 2])
  }

  /// Interval by interval adds up to the whole, at both fidelities, and both agree on the peak.
  @Test func intervalsAddUp() throws {
    var peaks: [Double] = []
    for fidelity in ["request", "flow"] {
      let pair = try Self.pair(fidelity, arrivals: "process: poisson, rate: 50/s", warmup: "1m")
      for outcome in [pair.calm, pair.faulted] {
        let run = outcome.collected
        #expect(run.clientSamples.count == run.intervals.count)
        let judged = zip(run.intervals, run.clientSamples).filter {
          $0.0.lowerBound >= run.warmup
        }.map(\.1)
        let sum = judged.reduce(ClientSample(), +)
        let whole = run.laneCounters[0]
        #expect(
          sum == ClientSample(requests: whole.arrivals, attempts: whole.attempts), "\(fidelity)")
        #expect(whole.arrivals > 8000 && run.serviceOfLane[0] == 0)
      }
      let course = try #require(RetryCourse(pair))
      peaks.append(try #require(course.peak(\.faulted)).amplification)
      #expect(course.peak(\.calm)?.amplification == 1)
    }
    // Some ten of 500 are between two attempts at either end: 0.009 of standard deviation.
    #expect(abs(peaks[0] - 3) < 0.036 && abs(peaks[1] - 3) < 0.036, "\(peaks)")
  }

  /// Where nobody tries again there is nothing to follow.
  @Test func whereNobodyTriesAgainThereIsNone() throws {
    let document = try SmallCluster.document(
      SmallCluster.text + "\nfaults: [{at: 2m, lose: zone-a, for: 30s}]\n", ["duration=3m"])
    let pair = try RehearsalStudy(runner: ScenarioRunner(document, threads: 1), replications: 1)
      .pair(0, peaks: nil)
    #expect(RetryCourse(pair) == nil && pair.calm.collected.clientSamples.isEmpty)
  }
}
