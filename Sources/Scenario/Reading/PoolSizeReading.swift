/// Reads sizes of pools: `2%`, `30`, `none`, and those that change with time, `following(2%)`,
/// `base_stock(miss: 0.1%)`, `hourly(0: 1%, 8: 5%)`.
enum PoolSizeReading {
  static func size(_ pools: inout FieldReader) -> ScenarioDocument.Size {
    let talk = "ByteFaaS talk, slide 24: 2 % of the resources warm"
    if pools.isWord("size", "none", .none) { return .none }
    guard let (text, mark) = pools.text("size", .published("2%", source: talk), .share) else {
      return .none
    }
    pools.context.recorder?.ask(pools.child("size"), .count)
    pools.context.recorder?.ask(pools.child("size"), .policy)
    return size(text, mark, pools, key: "size") ?? .none
  }

  /// Sizes of single runtimes, by their names.
  static func sizes(_ pools: inout FieldReader) -> [String: ScenarioDocument.Size] {
    var sizes: [String: ScenarioDocument.Size] = [:]
    for (name, mark, tree) in pools.named("sizes") {
      guard case .scalar(let text) = tree.content else {
        pools.context.fail(
          .wrongType, mark, length: name.count, "the size of `\(name)` is \(tree.kind), not a value"
        )
        continue
      }
      pools.noteGiven("sizes.\(name)", text)
      sizes[name] =
        text == "none"
        ? ScenarioDocument.Size.none : size(text, tree.mark, pools, key: "sizes.\(name)")
    }
    return sizes
  }

  private static func size(
    _ text: String, _ mark: Mark, _ pools: FieldReader, key: String
  ) -> ScenarioDocument.Size? {
    if text.hasSuffix("%"), let share = try? Quantity.share(text) { return .percent(share) }
    if let count = try? Quantity.count(text) { return .count(count) }
    return policy(text, mark, pools, key: key)
  }

  private static func policy(
    _ text: String, _ mark: Mark, _ pools: FieldReader, key: String
  ) -> ScenarioDocument.Size? {
    let (name, arguments) = PolicyReading.call(text)
    if name == "hourly" { return hourly(text, arguments, mark, pools) }
    guard PolicyTable.poolSizes.contains(where: { $0.name == name }) else {
      pools.context.fail(
        .badQuantity, mark, length: text.count, "`\(text)` is no pool size",
        help: "`2%` of the peak of ready pods, `30` pods, `none`, `following(2%)`, "
          + "`base_stock(miss: 0.1%)` or `hourly(0: 1%, 8: 5%)`")
      return nil
    }
    let section = PolicyReading.policy(
      text, mark, pools, among: PolicyTable.poolSizes, key: key, what: "pool size")
    guard let section else { return nil }
    if let least = section["least"], let most = section["most"], least > most {
      pools.context.fail(
        .badPolicy, mark, length: text.count, "`\(text)`: `least` is above `most`",
        help: "raise `most` or lower `least`")
    }
    return name == "following" ? .following(section) : .baseStock(section)
  }

  /// From each hour that is named up to the next one, around midnight.
  private static func hourly(
    _ text: String, _ arguments: DistributionParser.Arguments, _ mark: Mark, _ pools: FieldReader
  ) -> ScenarioDocument.Size? {
    let example = "for example `hourly(0: 1%, 8: 5%, 22: 2%)`"
    func fail(_ message: String) {
      pools.context.fail(
        .badPolicy, mark, length: text.count, "`\(text)`: \(message)", help: example)
    }
    let (names, unnamed) = arguments.given
    if let value = unnamed.first { fail("`\(value)` has no hour") }
    if let twice = arguments.repeated { fail("hour `\(twice)` is given twice") }
    if names.isEmpty { fail("no hour is given") }
    var given: [Int: Double] = [:]
    for name in names {
      guard let hour = Int(name), (0..<24).contains(hour) else {
        fail("`\(name)` is no hour from 0 to 23")
        continue
      }
      guard let share = try? Quantity.share(arguments.value(name) ?? ""), (0...1).contains(share)
      else {
        fail("`\(arguments.value(name) ?? "")` is no share")
        continue
      }
      given[hour] = share
    }
    guard let last = given.keys.max(), let atMidnight = given[last] else { return nil }
    var shares: [Double] = []
    for hour in 0..<24 { shares.append(given[hour] ?? shares.last ?? atMidnight) }
    return .hourly(shares)
  }
}
