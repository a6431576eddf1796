import Benchmark
import BenchmarkSupport
import BinaryHeapReference
import Primitives
import SimulationKernel

/// Steps that one iteration makes; all figures are reported for one of them.
private let steps = 200_000

/// Keys that a queue moved for a thousand steps: the same on every machine, so it has a threshold.
private let movedKeys = BenchmarkMetric.custom(
  "moved keys per 1000 steps", polarity: .prefersSmaller, useScalingFactor: false)

/// Mean processor time of a step, in picoseconds, so that whole numbers are fine enough.
private let stepTime = BenchmarkMetric.custom(
  "picoseconds per step", polarity: .prefersSmaller, useScalingFactor: false)

private var perStep: Benchmark.Configuration {
  Benchmark.Configuration(
    metrics: [stepTime, movedKeys], units: [stepTime: .count, movedKeys: .count],
    warmupIterations: 1, maxDuration: .seconds(60), maxIterations: Samples.count)
}

/// Measures the processor time of `steps` steps.
private func measure(_ benchmark: Benchmark, _ body: () -> Void) {
  let start = ProcessorClock.nanoseconds
  body()
  let taken = ProcessorClock.nanoseconds - start
  benchmark.measurement(stepTime, Int(taken * 1_000 / Int64(steps)))
}

private func report(_ benchmark: Benchmark, moved: UInt64) {
  benchmark.measurement(movedKeys, Int(moved * 1_000 / UInt64(steps)))
}

private func hold<Queue: EventQueue & ~Copyable>(
  _ name: String, _ queue: Queue.Type, pending: Int
) where Queue.Payload == UInt64 {
  nonisolated(unsafe) var model: HoldModel<Queue>?
  Benchmark("hold-\(name)-\(pending)", configuration: perStep) { benchmark in
    guard let model else { return }
    let before = model.work.movedEntries
    measure(benchmark) { blackHole(model.run(steps: steps)) }
    report(benchmark, moved: model.work.movedEntries - before)
  } setup: {
    model = HoldModel<Queue>(pending: pending, seed: 1)
  } teardown: {
    model = nil
  }
}

private func holdReference(pending: Int) {
  nonisolated(unsafe) var model: UnsafeMutableRawPointer?
  Benchmark("hold-binary-heap-\(pending)", configuration: perStep) { benchmark in
    measure(benchmark) { blackHole(binary_heap_hold_run(model, Int64(steps))) }
  } setup: {
    model = binary_heap_hold_create(Int64(pending), 1)
    blackHole(binary_heap_hold_run(model, Int64(2 * pending)))
  } teardown: {
    binary_heap_hold_destroy(model)
    model = nil
  }
}

/// Keeps a noncopyable value between iterations.
private final class Box<Value: ~Copyable> {
  var value: Value
  init(_ value: consuming Value) { self.value = value }
}

private func serverQueue() {
  nonisolated(unsafe) var model: Box<ServerQueue>?
  Benchmark("server-queue-100", configuration: perStep) { benchmark in
    guard let model else { return }
    let before = model.value.work.movedEntries
    measure(benchmark) { model.value.run(customers: steps) }
    report(benchmark, moved: model.value.work.movedEntries - before)
  } setup: {
    model = Box(ServerQueue(servers: 100, load: 0.9, seed: 42))
    model?.value.run(customers: steps)
  } teardown: {
    model = nil
  }
}

let benchmarks: @Sendable () -> Void = {
  for pending in [10_000, 100_000, 1_000_000] {
    hold("ladder", RadixLadder<UInt64>.self, pending: pending)
    hold("heap", FourAryHeap<UInt64>.self, pending: pending)
    holdReference(pending: pending)
  }
  serverQueue()
}
