import AllocationCounter
import Benchmark
import BenchmarkSupport
import ControlPlane
import Primitives

private let stepTime = BenchmarkMetric.custom(
  "picoseconds per step", polarity: .prefersSmaller, useScalingFactor: false)

/// Counts of work: the same on every machine, so they have thresholds.
private let allocations = BenchmarkMetric.custom(
  "allocations per million steps", polarity: .prefersSmaller, useScalingFactor: false)
private let events = BenchmarkMetric.custom(
  "events per 1000 steps", polarity: .prefersSmaller, useScalingFactor: false)

/// - Parameter warmUp: iterations that are not counted.
private func configuration(
  _ counts: BenchmarkMetric..., warmUp: Int = 1
) -> Benchmark.Configuration {
  let metrics = [stepTime] + counts
  return Benchmark.Configuration(
    metrics: metrics, units: Dictionary(uniqueKeysWithValues: metrics.map { ($0, .count) }),
    warmupIterations: warmUp, maxDuration: .seconds(60), maxIterations: Samples.count)
}

/// Measures processor time and allocations of a body that says how many steps it made.
private func measure(_ benchmark: Benchmark, _ body: () -> Int) {
  let before = allocation_counter_value()
  let start = ProcessorClock.nanoseconds
  let steps = max(1, body())
  let taken = ProcessorClock.nanoseconds - start
  let allocated = allocation_counter_value() - before
  benchmark.measurement(stepTime, Int(taken * 1_000) / steps)
  benchmark.measurement(allocations, Int(allocated) * 1_000_000 / steps)
}

private func rendezvousOwner(of count: Int) {
  let members = (0..<count).map { XXH3.hash64("dispatcher-\($0)") }
  Benchmark("rendezvous-owner-\(count)", configuration: configuration(allocations)) { benchmark in
    measure(benchmark) {
      var sum = 0
      members.withUnsafeBufferPointer { members in
        for key in 0..<200_000 as Range<UInt64> {
          sum &+= RendezvousOrder.owner(key: XXH3.hash64(key), members: members)
        }
      }
      blackHole(sum)
      return 200_000
    }
  }
}

/// Keeps a noncopyable value between iterations.
private final class Box<Value: ~Copyable> {
  var value: Value
  init(_ value: consuming Value) { self.value = value }
}

private func routeAndChoice(_ choice: InstanceChoice, _ name: String) {
  nonisolated(unsafe) var loop: Box<RouterLoop>?
  Benchmark("route-hit-\(name)", configuration: configuration(allocations)) { benchmark in
    guard let loop else { return }
    measure(benchmark) {
      blackHole(loop.value.run(requests: 200_000))
      return 200_000
    }
  } setup: {
    loop = Box(RouterLoop(instances: 5000, busy: 3000, choice: choice))
  } teardown: {
    loop = nil
  }
}

private func warmPath(_ name: String, topic: String = "") {
  nonisolated(unsafe) var path: WarmPath?
  // The first simulated second has been run in the set-up; every later one counts.
  let everySecond = configuration(allocations, events, warmUp: 0)
  Benchmark(name, configuration: everySecond) { benchmark in
    guard let path else { return }
    let before = path.events
    var requests = 0
    measure(benchmark) {
      requests = Int(path.advance())
      return requests
    }
    benchmark.measurement(events, Int(path.events - before) * 1000 / max(1, requests))
  } setup: {
    path = WarmPath(topic: topic)
  } teardown: {
    path = nil
  }
}

private func tick(services: Int) {
  nonisolated(unsafe) var cluster: QuietServices?
  Benchmark("tick-\(services)", configuration: configuration(events)) { benchmark in
    guard let cluster else { return }
    let before = cluster.events
    measure(benchmark) {
      cluster.advance(ticks: 100)
      return 100
    }
    benchmark.measurement(events, Int(cluster.events - before) * 10)
  } setup: {
    cluster = QuietServices(services: services)
  } teardown: {
    cluster = nil
  }
}

private func poolSizes(pools: Int) {
  nonisolated(unsafe) var loop: SizerLoop?
  Benchmark("pool-sizes-\(pools)", configuration: configuration()) { benchmark in
    measure(benchmark) {
      blackHole(loop?.run(ticks: 10_000))
      return 10_000
    }
  } setup: {
    loop = SizerLoop(pools: pools)
  } teardown: {
    loop = nil
  }
}

let benchmarks: @Sendable () -> Void = {
  rendezvousOwner(of: 64)
  routeAndChoice(.leastRequests, "least-requests")
  routeAndChoice(.powerOfTwo, "power-of-two")
  warmPath("warm-path")
  warmPath("message-path", topic: WarmPathScenario.messages)
  for services in [2000, 20_000] {
    tick(services: services)
    poolSizes(pools: services)
  }
}
