import Platform
import Primitives
import Testing

@testable import Simulation

/// Rows whose zeros take no memory.
@Suite struct PackedRowsTests {
  private static func row(_ seed: UInt64) -> GroupRow {
    var bits = Xoshiro256PlusPlus(seed: seed)
    var row = GroupRow(group: Int(seed), from: .seconds(Int64(seed)), to: .seconds(Int64(seed) + 1))
    row.counters.arrivals = bits.next()
    if seed % 2 == 0 { row.counters.unleasedSeconds = bits.uniform() }
    if seed % 3 == 0 { row.counters.routeQuestions = .max }
    row.gauges.lag = -Int(seed)
    row.mean = seed % 5 == 0 ? -0.0 : bits.uniform()
    return row
  }

  private static func words(_ row: GroupRow) -> [UInt64] {
    withUnsafeBytes(of: row) { Array($0.bindMemory(to: UInt64.self)) }
  }

  /// Every word comes back, whatever is zero, in any order of asking.
  @Test func rowsComeBackAsTheyWere() {
    let rows = (0..<100).map { Self.row($0) }
    let packed = PackedRows(rows)
    #expect(packed.count == 100)
    for index in rows.indices.reversed() {
      #expect(Self.words(packed[index]) == Self.words(rows[index]), "row \(index)")
    }
    #expect(packed.map(\.counters) == rows.map(\.counters))
    #expect(packed[10..<20].map(\.mean) == rows[10..<20].map(\.mean))
    #expect(PackedRows<GroupRow>().isEmpty)
  }

  private struct Odd: BitwiseCopyable, Equatable {
    var first: UInt8 = 0
    var second: UInt16 = 0
    var third: UInt32 = 0
    var fourth: UInt8 = 0
  }

  /// A row that is no whole number of words.
  @Test func aRowMayEndWithinAWord() {
    let rows = (0..<9).map { Odd(first: $0, second: 0, third: UInt32($0) << 20, fourth: 255 - $0) }
    #expect(Array(PackedRows(rows)) == rows)
  }
}
