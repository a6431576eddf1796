import Primitives

/// A published distribution function of the coefficient of variation of inter-arrival times, from
/// which services get theirs.
public struct VariationTable: Sendable, Equatable {
  /// Increasing.
  public let values: [Double]
  /// The share of services at or below each value.
  public let shares: [Double]
  public let file: TraceFile

  /// The value at a share: the least whose share reaches it.
  public func quantile(_ share: Double) -> Double {
    var (low, high) = (0, values.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if shares[middle] < share { low = middle + 1 } else { high = middle }
    }
    return values[low]
  }

  /// One value for each of `count` services: stratified quantiles in a keyed order, so that every
  /// seed has the published distribution, and only who has which differs.
  public func deal(count: Int, key: StreamKey) -> [Double] {
    var ranks = Array(0..<count)
    var bits = key.appending(0xC4).sequence()
    for index in ranks.indices.dropFirst().reversed() {
      ranks.swapAt(index, Int(bits.integer(below: UInt64(index + 1))))
    }
    return ranks.map { quantile((Double($0) + 0.5) / Double(count)) }
  }
}

extension VariationTable {
  /// Reads rows of a value and the share at or below it, without a header.
  /// - Throws: `TraceFailure` with up to 20 errors.
  public init(reading file: String, from reader: TraceReader) throws(TraceFailure) {
    var values: [Double] = []
    var shares: [Double] = []
    var log = TraceErrorLog()
    do throws(TraceError) {
      self.file = try TraceFile(path: reader.path(file), name: file)
      var lines = try LineReader(path: reader.path(file), name: file)
      while try lines.advance() {
        let row = String(decoding: lines.line, as: UTF8.self)
        let fields = row.split(separator: ",").map { Double($0.trimmingQuotes) }
        if fields.count == 2, let value = fields[0], let share = fields[1], value.isFinite,
          (0...1).contains(share), value >= values.last ?? 0, share >= shares.last ?? 0
        {
          values.append(value)
          shares.append(share)
        } else if !row.isEmpty {
          log.add(
            TraceError(
              .badNumber, file: file, line: lines.number, found: "`\(row.prefix(40))`",
              expected: "a value and a share of 0 to 1, both increasing",
              help: "correct the row or leave it out"))
        }
      }
      if values.isEmpty, log.total == 0 {
        throw TraceError(
          .empty, file: file, found: "no rows", expected: "values and shares",
          help: "fetch the file again")
      }
    } catch {
      throw TraceFailure(error)
    }
    try log.throwIfAny()
    self.values = values
    self.shares = shares
  }
}
