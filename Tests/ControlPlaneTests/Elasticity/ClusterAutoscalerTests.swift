import ControlPlane
import Primitives
import Testing

/// What an autoscaler wanted, in order.
private struct NodeLog: ClusterAutoscalerEffects {
  var lines: [String] = []

  mutating func grow(pool: Int, by nodes: Int) { lines.append("grow \(pool) by \(nodes)") }
  mutating func remove(_ node: NodeID) { lines.append("remove \(node.index)") }
  mutating func giveUp(pool: Int, nodes: Int) { lines.append("give up \(nodes) of \(pool)") }
}

@Suite struct ClusterAutoscalerTests {
  private typealias Room = BinpackingEstimator.Room

  private static func pool(
    _ name: String, cores: Int64 = 4, max: Int = 10, min: Int = 0, price: Int64 = 100,
    kind: Int? = nil
  ) -> ClusterAutoscaler.Pool {
    .init(
      name: name, template: Room(cpuMilli: cores * 1000, memory: cores * 4000, pods: 50, zone: 0),
      minSize: min, maxSize: max, nodePriceMicros: price, kind: kind)
  }

  private static func autoscaler(
    _ pools: [ClusterAutoscaler.Pool], sizes: [Int], by expander: Expander = .leastWaste,
    balancing: Bool = false
  ) -> ClusterAutoscaler {
    var rules = ClusterAutoscalerRules()
    rules.balanceSimilarPools = balancing
    let key = StreamKey(seed: 1, replication: 0, name: "nodes")
    return ClusterAutoscaler(
      pools: pools, sizes: sizes, rules: rules, expanders: ExpanderChain([expander], key: key))
  }

  private static func pods(_ count: Int, pools: [Int]? = nil) -> ClusterAutoscaler.Pending {
    .init(.init(cpuMilli: 1000, memory: 1000, count: count), pools: pools)
  }

  /// Pods that are still pending ask for nothing while their nodes are on the way.
  @Test func ordersOnce() {
    var machine = Self.autoscaler([Self.pool("a")], sizes: [1])
    var log = NodeLog()
    func scan(_ count: Int, at second: Int64) {
      machine.scan(
        pending: [Self.pods(count)], idle: [], nodes: 1, at: .seconds(second), into: &log)
    }
    scan(9, at: 0)
    scan(9, at: 10)
    #expect(log.lines == ["grow 0 by 3"] && machine.sizes == [4] && machine.upcoming(0) == 3)
    // One node is there and took four; three more pods came, which fit on the other two.
    machine.registered(pool: 0)
    scan(8, at: 20)
    #expect(log.lines.count == 1 && machine.upcoming(0) == 2)
    scan(9, at: 30)
    #expect(log.lines == ["grow 0 by 3", "grow 0 by 1"])
    // No more than the pool may have.
    scan(100, at: 40)
    #expect(log.lines.last == "grow 0 by 5" && machine.sizes == [10])
    scan(100, at: 50)
    #expect(log.lines.count == 3)
  }

  /// What it is told counts, whatever news were lost; a pool whose last request has no answer is
  /// left as it was.
  @Test func itBelievesWhatItIsTold() {
    var machine = Self.autoscaler([Self.pool("a"), Self.pool("b")], sizes: [1, 1])
    var log = NodeLog()
    machine.scan(
      pending: [Self.pods(12, pools: [0])], idle: [], nodes: 2, at: .origin, into: &log)
    #expect(machine.sizes == [4, 1] && machine.upcoming(0) == 3)
    // The order was lost; the other pool has a node on its way that nobody remembers.
    machine.believe(
      [.init(registered: 1, upcoming: 0, isUnanswered: true), .init(registered: 1, upcoming: 1)],
      at: .seconds(10))
    #expect(machine.sizes == [4, 2] && machine.upcoming(0) == 3 && machine.upcoming(1) == 1)
    for second in [Int64(10), 1000] {
      machine.scan(
        pending: [Self.pods(100, pools: [0])], idle: [], nodes: 2, at: .seconds(second), into: &log)
    }
    // Neither more is ordered nor anything given up while the pool's request is open.
    #expect(log.lines == ["grow 0 by 3", "give up 1 of 1"])
    machine.believe(
      [.init(registered: 2, upcoming: 1), .init(registered: 1, upcoming: 0)], at: .seconds(1000))
    #expect(machine.sizes == [3, 1] && machine.upcoming(0) == 1)
    machine.believe(
      [.init(registered: 3, upcoming: 0), .init(registered: 0, upcoming: 0)], at: .seconds(1010))
    #expect(machine.sizes == [3, 0] && machine.upcoming(0) == 0)
  }

  /// A pool that does not deliver is given up, left out and asked again, each time later.
  @Test func aPoolThatDoesNotDeliver() {
    var machine = Self.autoscaler(
      [Self.pool("cheap", price: 10), Self.pool("dear", max: 1)], sizes: [0, 0], by: .price)
    var log = NodeLog()
    for second in stride(from: Int64(0), through: 3400, by: 10) {
      let before = log.lines.count
      machine.scan(
        pending: [Self.pods(8, pools: [0, 1])], idle: [], nodes: 0, at: .seconds(second),
        into: &log)
      for index in before..<log.lines.count { log.lines[index] = "\(second) \(log.lines[index])" }
    }
    #expect(
      log.lines == [
        "0 grow 0 by 2", "910 give up 2 of 0", "910 grow 1 by 1",
        // Five minutes later, while the dear pool's node is on the way.
        "1210 grow 0 by 1", "1820 give up 1 of 1", "1820 grow 0 by 1",
        // The dear pool may be asked again just now, the cheap one in ten minutes.
        "2120 give up 1 of 0", "2120 grow 1 by 1", "2730 give up 1 of 0", "3030 give up 1 of 1",
      ])
    machine.refused(pool: 0, nodes: 1, at: .seconds(3400))
    #expect(machine.sizes == [0, 0] && machine.upcoming(0) == 0)
  }

  /// Five orders of one surge that are all late are one failure: the pool is asked again five
  /// minutes after the last of them was given up, and ten minutes after the next failure.
  @Test func lateOrdersOfOneSurgeAreOneFailure() {
    var machine = Self.autoscaler([Self.pool("a")], sizes: [0])
    var log = NodeLog()
    for second in stride(from: Int64(0), through: 2900, by: 10) {
      let before = log.lines.count
      machine.scan(
        pending: [Self.pods(4 * Int(min(5, second / 10 + 1)))], idle: [], nodes: 0,
        at: .seconds(second), into: &log)
      for index in before..<log.lines.count { log.lines[index] = "\(second) \(log.lines[index])" }
    }
    #expect(
      log.lines == (0..<5).map { "\($0 * 10) grow 0 by 1" }
        + (0..<5).map { "\(910 + $0 * 10) give up 1 of 0" }
        + ["1250 grow 0 by 5", "2160 give up 5 of 0", "2760 grow 0 by 5"])
  }

  @Test func alikePoolsShare() {
    let pools = [
      Self.pool("a", kind: 1), Self.pool("b", max: 4, kind: 1), Self.pool("c", cores: 64),
    ]
    var machine = Self.autoscaler(pools, sizes: [1, 3, 0], balancing: true)
    var log = NodeLog()
    machine.scan(pending: [Self.pods(24)], idle: [], nodes: 4, at: .origin, into: &log)
    #expect(log.lines == ["grow 0 by 5", "grow 1 by 1"])
    var alone = Self.autoscaler(pools, sizes: [1, 3, 0])
    var other = NodeLog()
    alone.scan(pending: [Self.pods(24, pools: [0])], idle: [], nodes: 4, at: .origin, into: &other)
    #expect(other.lines == ["grow 0 by 6"])
  }

  /// Unneeded nodes go one scan after another, not while pods are pending nor below the least size.
  @Test func shrinksWhenNothingIsPending() {
    var machine = Self.autoscaler([Self.pool("a", min: 2)], sizes: [4])
    var log = NodeLog()
    var idle = (0..<4).map {
      ScaleDownTracker.Node(node: NodeID($0), utilization: 0, isEmpty: true)
    }
    func scan(_ count: Int, at second: Int64, unready: Int = 0) {
      machine.scan(
        pending: [Self.pods(count, pools: count > 0 ? [] : nil)], idle: idle, nodes: 10,
        unready: unready, at: .seconds(second), into: &log)
    }
    for second in stride(from: Int64(0), through: 600, by: 10) { scan(0, at: second) }
    scan(5, at: 605)
    scan(0, at: 606, unready: 6)
    #expect(log.lines.isEmpty)
    scan(0, at: 610)
    #expect(log.lines == ["remove 0", "remove 1"] && machine.sizes == [2])
    idle.removeFirst(2)
    machine.keptNode(pool: 0, at: .seconds(620))
    scan(0, at: 799)
    #expect(log.lines.count == 2)
    scan(0, at: 800)
    #expect(log.lines.count == 3 && machine.sizes == [2])
    machine.lostNode(pool: 0)
    #expect(machine.sizes == [1])
  }
}
