import Simulation
import Statistics

/// A cell with what its runs measured.
public struct FidelityRow: Sendable {
  public var cell: any FidelityCell
  /// By side, then by seed.
  public var runs: [[FidelityMeasures]]

  public init(cell: any FidelityCell, runs: [[FidelityMeasures]]) {
    self.cell = cell
    self.runs = runs
  }

  /// A measure of one side.
  public func interval(
    _ side: Int, _ value: (FidelityMeasures) -> Double
  ) throws -> Interval {
    try MeanInterval.t(runs[side].map(value))
  }

  /// The error of a side: its difference from the first, paired by seed, in percent of the mean of
  /// the first; nil where that is zero.
  public func error(
    _ side: Int = 1, _ value: (FidelityMeasures) -> Double
  ) throws -> Interval? {
    let base = runs[0].map(value)
    let mean = base.reduce(0, +) / Double(base.count)
    guard mean > 0 else { return nil }
    let difference = try MeanInterval.paired(candidate: runs[side].map(value), base: base)
    return difference.mapped { $0 / mean * 100 }
  }

  /// Where the ready instances of a side differ most from the first's over ten seconds, in percent
  /// of the first's mean over all time. The greatest of many differences: it is not zero where
  /// nothing is wrong.
  public func largestDifference(
    _ side: Int = 1
  ) throws -> (second: Int, error: Interval)? {
    let width = 10
    let seconds = runs[0][0].ready.count / width * width
    let all = try interval(0) { $0.meanInstances }.mean
    guard seconds > 0, all > 0 else { return nil }
    func mean(_ run: FidelityMeasures, _ second: Int) -> Double {
      Double(run.ready[second..<second + width].reduce(0, +)) / Double(width)
    }
    var largest: (second: Int, error: Interval)?
    for second in stride(from: 0, to: seconds, by: width) {
      let found = try MeanInterval.paired(
        candidate: runs[side].map { mean($0, second) }, base: runs[0].map { mean($0, second) })
      if abs(found.mean) > abs(largest?.error.mean ?? 0) || largest == nil {
        largest = (second, found)
      }
    }
    return largest.map { ($0.second, $0.error.mapped { $0 / all * 100 }) }
  }
}

/// Runs cells in all their ways, with the same seeds in each.
public struct FidelityStudy: Sendable {
  public var cells: [any FidelityCell]
  /// Seeds are 1, 2, … up to it, times the cell's factor.
  public var seeds: Int
  public var threads: Int

  public init(cells: [any FidelityCell], seeds: Int, threads: Int) {
    self.cells = cells
    self.seeds = seeds
    self.threads = threads
  }

  private struct Work: Sendable {
    var cell: Int
    var side: Int
    var seed: Int
  }

  private func seeds(of cell: any FidelityCell) -> Int { seeds * type(of: cell).seedFactor }

  private var work: [Work] {
    cells.indices.flatMap { cell in
      type(of: cells[cell]).sides.indices.flatMap { side in
        (1...seeds(of: cells[cell])).map { Work(cell: cell, side: side, seed: $0) }
      }
    }
  }

  /// - Parameter mayGoOn: asked before each run with its number and that of all runs.
  /// - Returns: nil where it was told to stop; else a row for each cell, which does not depend on
  ///   threads.
  /// - Throws: `InvariantViolation` when a run does not add up.
  public func run(mayGoOn: @Sendable (Int, Int) -> Bool) throws -> [FidelityRow]? {
    let work = work
    let measured = try Parallel.map(work.count, threads: threads) { index -> FidelityMeasures? in
      guard mayGoOn(index, work.count) else { return nil }
      let cell = cells[work[index].cell]
      let side = type(of: cell).sides[work[index].side]
      return try cell.measure(side, seed: UInt64(work[index].seed))
    }
    let all = measured.compactMap { $0 }
    guard all.count == work.count else { return nil }
    var next = 0
    return cells.map { cell in
      let count = seeds(of: cell)
      return FidelityRow(
        cell: cell,
        runs: type(of: cell).sides.map { _ in
          defer { next += count }
          return Array(all[next..<next + count])
        })
    }
  }
}
