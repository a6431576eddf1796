import Primitives
import Testing

@testable import Scenario

/// Policies for idle instances and for sizes of pools, as scenarios write them.
@Suite struct IdlePolicyTests {
  private static func service(_ keepAlive: String) -> ScenarioReader.Result {
    Samples.read(
      Samples.valid.replacing("keep_alive: fixed(60s)", with: "keep_alive: \(keepAlive)"))
  }

  private static func pools(_ size: String) -> ScenarioReader.Result {
    Samples.read(
      Samples.valid.replacing(
        "pools: {size: 2%, only: [python]}", with: "pools: {size: \"\(size)\", only: [python]}"))
  }

  @Test func keepAlives() throws {
    let fixed = try #require(Self.service("fixed(10m)").document?.services[0])
    #expect(fixed.keepAlive == .seconds(600) && fixed.keepAlivePolicy == nil)
    let forever = try #require(Self.service("forever").document?.services[0])
    #expect(forever.keepAlive == nil && forever.keepAlivePolicy == nil)
    let hybrid = try #require(Self.service("hybrid").document?.services[0])
    #expect(hybrid.keepAlive == .seconds(14_400))
    let policy = try #require(hybrid.keepAlivePolicy)
    #expect(policy.duration("bin") == .seconds(60) && policy["bins"] == 240)
    #expect(policy["head"] == 0.05 && policy["tail"] == 0.99 && policy["margin"] == 0.1)
    let other = try #require(
      Self.service("hybrid(bin: 30s, bins: 120, tail: 95%)").document?.services[0])
    #expect(
      other.keepAlive == .seconds(3600) && abs((other.keepAlivePolicy?["tail"] ?? 0) - 0.95) < 1e-9)
  }

  /// Each parameter is read into a place of its own.
  @Test func everyParameterCounts() throws {
    var seen = [try #require(Self.service("hybrid").document?.services[0].keepAlivePolicy)]
    for parameter in PolicyParameter.hybrid {
      let value =
        switch parameter.value {
        case .duration: "7s"
        case .share: "0.33"
        default: "17"
        }
      let result = Self.service("hybrid(\(parameter.name): \(value))")
      let policy = try #require(result.document?.services[0].keepAlivePolicy, "\(result.rendered)")
      #expect(!seen.contains(policy), "\(parameter.name)")
      seen.append(policy)
    }
  }

  /// Sizes of single runtimes are values like all others, with the defaults of their policies.
  @Test func sizesOfRuntimesAreNoted() throws {
    let text = Samples.valid.replacing(
      "pools: {size: 2%, only: [python]}",
      with: "pools: {size: 2%, sizes: {python: 7, go: base_stock(miss: 1%)}}")
    let result = Samples.read(text)
    #expect(result.errors.isEmpty, "\(result.rendered)")
    let values = result.values.filter { $0.path.hasPrefix("pools.sizes.") }
    let given = values.filter { $0.origin == .scenario }
    #expect(given.map(\.path) == ["pools.sizes.python", "pools.sizes.go"])
    #expect(given.map(\.value) == ["7", "base_stock(miss: 1%)"])
    let defaults = values.filter { $0.origin == .assumed }.map(\.path)
    let expected = PolicyParameter.baseStock.map(\.name).filter { $0 != "miss" }
    #expect(defaults == expected.map { "pools.sizes.go.\($0)" })
    #expect(Set(result.values.map(\.path)).count == result.values.count)
  }

  @Test func sizes() throws {
    #expect(Self.pools("2%").document?.pools.size == .percent(0.02))
    #expect(Self.pools("30").document?.pools.size == .count(30))
    guard case .following(let following) = Self.pools("following(3%)").document?.pools.size,
      case .baseStock(let stock) = Self.pools("base_stock(miss: 1%, window: 5m)").document?.pools
        .size
    else {
      Issue.record("not read")
      return
    }
    #expect(following["share"] == 0.03 && following["least"] == 0)
    #expect(stock["miss"] == 0.01 && stock.duration("window") == .seconds(300))
    #expect(
      Self.pools("following").document?.pools.size
        == Self.pools("following(2%)").document?.pools.size)
    guard case .hourly(let shares) = Self.pools("hourly(6: 1%, 8: 5%, 22: 2%)").document?.pools.size
    else {
      Issue.record("not read")
      return
    }
    let expected = (0..<24).map { $0 < 6 ? 0.02 : $0 < 8 ? 0.01 : $0 < 22 ? 0.05 : 0.02 }
    #expect(shares == expected)
  }

  @Test func sizesByRuntime() throws {
    let text = Samples.valid.replacing(
      "pools: {size: 2%, only: [python]}",
      with: "pools: {size: 2%, sizes: {go: \"following(5%)\", python: 7}}")
    let pools = try #require(Samples.read(text).document?.pools)
    #expect(pools.size(of: "python") == .count(7))
    #expect(!pools.size(of: "go").isFixed && !pools.isFixed)
    #expect(pools.size(of: "other") == .percent(0.02))
    // Each value has a path of its own.
    let two = text.replacing("python: 7", with: "python: base_stock")
    let paths = Samples.read(two).values.map(\.path)
    #expect(Set(paths).count == paths.count && paths.contains("pools.sizes.go.least"))
  }

  @Test(arguments: [
    ("hybrd", "`hybrd` is no keep-alive"),
    ("hybrid(bins: 1)", "`hybrid(bins: 1)`: `bins` is `1`"),
    ("hybrid(60s)", "`hybrid(60s)`: `60s` has no name"),
    ("hybrid(tail: 99%, tail: 95%)", "`hybrid(tail: 99%, tail: 95%)`: `tail` is given twice"),
  ])
  func badKeepAlives(_ text: String, _ message: String) throws {
    let errors = Self.service(text).errors
    #expect(errors.map(\.message) == [message])
    #expect(errors.allSatisfy { $0.kind == .badPolicy && $0.line > 0 && $0.help != nil })
  }

  @Test(arguments: [
    ("folowing(2%)", "`folowing(2%)` is no pool size"),
    ("following(2%, 3%)", "`following(2%, 3%)`: `2%` has no name"),
    ("following(share: 200%)", "`following(share: 200%)`: `share` is `200%`"),
    ("following(least: 9, most: 3)", "`following(least: 9, most: 3)`: `least` is above `most`"),
    ("base_stock(miss: 0)", "`base_stock(miss: 0)`: `miss` is `0`"),
    ("hourly(24: 1%)", "`hourly(24: 1%)`: `24` is no hour from 0 to 23"),
    ("hourly(8: 1%, 8: 2%)", "`hourly(8: 1%, 8: 2%)`: hour `8` is given twice"),
    ("hourly(8: x)", "`hourly(8: x)`: `x` is no share"),
    ("hourly", "`hourly`: no hour is given"),
  ])
  func badSizes(_ text: String, _ message: String) throws {
    let errors = Self.pools(text).errors
    #expect(errors.map(\.message) == [message])
    #expect(errors.allSatisfy { $0.line > 0 && $0.help != nil })
  }

  @Test func aRuntimeThatIsNotThere() throws {
    let text = Samples.valid.replacing(
      "pools: {size: 2%, only: [python]}", with: "pools: {size: 2%, sizes: {pyton: 7}}")
    let errors = Samples.read(text).errors
    #expect(errors.map(\.message) == ["unknown runtime `pyton`"])
    #expect(errors.first?.help == "did you mean `python`?")
  }
}
