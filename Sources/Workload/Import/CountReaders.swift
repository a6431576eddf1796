/// Reads the forms that count: a row a service with a column a minute, and rows of block totals.
enum CountReaders {
  /// Days of minutes in one row at most.
  static let mostBlocks = 60 * 1440
  /// Services times blocks of a file of block totals at most, which a single row with a great
  /// number of a block would make of a small file: 1 GiB of counts.
  static let mostCells = 1 << 28

  /// Columns whose names are whole numbers, in their order: the minutes.
  private static func minuteColumns(_ table: borrowing TraceTable) throws(TraceFailure) -> [Int] {
    let columns = table.header.indices.filter { Int(table.header[$0]) != nil }
    let numbers = columns.map { Int(table.header[$0]) ?? 0 }
    guard let first = numbers.first, first == 0 || first == 1,
      numbers == Array(first..<(first + numbers.count)), numbers.count <= mostBlocks
    else {
      throw TraceFailure(
        TraceError(
          .missingColumn, file: table.name, line: 1, column: "1",
          found: "no columns numbered 1, 2, 3, …", expected: "one for each minute",
          help: "this form has a header `name,1,2,3,…`"))
    }
    return columns
  }

  private static func counts(
    _ table: inout TraceTable, _ columns: [Int]
  ) -> [UInt32]? {
    var counts: [UInt32] = []
    counts.reserveCapacity(columns.count)
    for column in columns {
      if let count = table.count(column) { counts.append(count) }
    }
    return counts.count == columns.count ? counts : nil
  }

  /// A service by minute matrix: the first column is its name.
  static func minutes(_ table: inout TraceTable) throws(TraceFailure) -> [TraceService] {
    let columns = try minuteColumns(table)
    guard table.header.first.map({ Int($0) == nil }) == true else {
      throw TraceFailure(
        TraceError(
          .missingColumn, file: table.name, line: 1, found: "a number as the first column",
          expected: "the services' names", help: "this form has a header `name,1,2,3,…`"))
    }
    var names = UniqueNames()
    var services: [TraceService] = []
    while try table.advance() {
      let counts = counts(&table, columns)
      guard let name = names.take(0, &table), let counts else { continue }
      services.append(TraceService(name: name, demand: .counts(counts, blockSeconds: 60)))
    }
    return services
  }

  /// The invocations file of the Azure 2019 form.
  static func azure2019(_ table: inout TraceTable) throws(TraceFailure) -> [TraceService] {
    let help = "this form has a header `HashOwner,HashApp,HashFunction,Trigger,1,…,1440`"
    let app = try table.required("HashApp", help: help)
    let function = try table.required("HashFunction", help: help)
    let trigger = try table.required("Trigger", help: help)
    let columns = try minuteColumns(table)
    var names = UniqueNames()
    var services: [TraceService] = []
    while try table.advance() {
      let counts = counts(&table, columns)
      guard let name = names.take(function, &table), let appName = table.text(app),
        let triggerName = table.text(trigger), let counts
      else { continue }
      services.append(
        TraceService(
          name: name, app: appName, trigger: triggerName,
          demand: .counts(counts, blockSeconds: 60)))
    }
    return services
  }

  /// The number of a block, from 0; nil, with an error, where it is none.
  private static func blockNumber(_ table: inout TraceTable, _ column: Int) -> Int? {
    guard let number = table.number(column, in: 0...Double(mostBlocks - 1)) else { return nil }
    guard number == number.rounded() else {
      table.fail(
        .badNumber, column, table.shown(column), "a whole number", "correct the row or leave it out"
      )
      return nil
    }
    return Int(number)
  }

  /// What a file of block totals has.
  struct Blocks {
    var services: [TraceService]
    var sums: [(column: String, sum: Double)]
    var coldStartColumn: String?
  }

  /// Block totals in long form: a service, the number of a block from 0, a count, and perhaps the
  /// publishers' cold starts; columns of other numbers are added up.
  static func blocks(
    _ table: inout TraceTable, blockSeconds: Int
  ) throws(TraceFailure) -> Blocks {
    let block = table.header.firstIndex { $0.hasPrefix("block") }
    let count = try table.required(
      "invocations", help: "this form has a header `app,block504min,invocations`")
    guard let block, block != 0, count != 0 else {
      throw TraceFailure(
        TraceError(
          .missingColumn, file: table.name, line: 1, column: "block",
          found: "no column whose name begins with `block`", expected: "the number of the block",
          help: "this form has a header `app,block504min,invocations`"))
    }
    let cold = table.header.firstIndex { $0.hasPrefix("cold_starts") }
    let others = table.header.indices.filter { $0 != 0 && $0 != block && $0 != count }
    var sums = [Double](repeating: 0, count: others.count)
    var totals = BlockTotals()
    while try table.advance() {
      for (index, column) in others.enumerated() {
        sums[index] += table.optionalNumber(column) ?? 0
      }
      let number = blockNumber(&table, block)
      var coldStarts: UInt32 = 0
      if let cold {
        guard let found = table.count(cold) else { continue }
        coldStarts = found
      }
      guard let value = table.count(count), let name = table.text(0), let number else { continue }
      if coldStarts > value, let cold {
        table.fail(
          .outOfRange, cold, "\(coldStarts) cold starts of \(value) invocations",
          "no more cold starts than invocations", "correct the row or leave it out")
      }
      if !totals.add(value, cold: coldStarts, service: name, block: number) {
        table.fail(
          .duplicate, block, "block \(number) of `\(name)` once more", "it once",
          "add the rows up or leave one out")
      }
    }
    guard totals.cells <= mostCells else {
      throw TraceFailure(
        TraceError(
          .outOfRange, file: table.name, column: table.header[block],
          found: "\(totals.cells) blocks of all services together",
          expected: "at most \(mostCells)", help: "number blocks from 0 without gaps"))
    }
    return Blocks(
      services: totals.services(blockSeconds: blockSeconds, hasColdStarts: cold != nil),
      sums: zip(others, sums).map { (table.header[$0], $1) },
      coldStartColumn: cold.map { table.header[$0] })
  }
}

/// Names of rows, each once.
private struct UniqueNames {
  private var seen: Set<String> = []

  /// The name in a column; nil, with an error, where it is not new.
  mutating func take(_ column: Int, _ table: inout TraceTable) -> String? {
    guard let name = table.text(column) else { return nil }
    if name.isEmpty {
      table.fail(.badNumber, column, "nothing", "a name", "name the service")
      return nil
    }
    guard seen.insert(name).inserted else {
      table.fail(
        .duplicate, column, "`\(name)` once more", "each service once",
        "add the rows up or leave one out")
      return nil
    }
    return name
  }
}

/// Blocks by service, in the order in which services appear.
private struct BlockTotals {
  private var positions: [String: Int] = [:]
  private var names: [String] = []
  private var counts: [[Int: (count: UInt32, cold: UInt32)]] = []
  private var blockCount = 0

  /// Counts that there will be, of all services together.
  var cells: Int { names.count * blockCount }

  /// False where the block has a count already.
  mutating func add(_ count: UInt32, cold: UInt32, service: String, block: Int) -> Bool {
    let position = positions[service] ?? names.count
    if position == names.count {
      positions[service] = position
      names.append(service)
      counts.append([:])
    }
    blockCount = max(blockCount, block + 1)
    return counts[position].updateValue((count, cold), forKey: block) == nil
  }

  func services(blockSeconds: Int, hasColdStarts: Bool) -> [TraceService] {
    zip(names, counts).map { name, blocks in
      let values = (0..<blockCount).map { blocks[$0]?.count ?? 0 }
      var service = TraceService(
        name: name, demand: .counts(values, blockSeconds: blockSeconds))
      if hasColdStarts { service.coldStarts = (0..<blockCount).map { blocks[$0]?.cold ?? 0 } }
      return service
    }
  }
}
