import ControlPlane
import Primitives
import Testing

@Suite struct NodePoolTests {
  private typealias Group = BinpackingEstimator.PodGroup

  private static let template = BinpackingEstimator.Room(
    cpuMilli: 4000, memory: 16_000, pods: 20, zone: 0)

  /// Random groups: everything is placed, within the room of the nodes, and on few nodes.
  @Test func estimatesAreWithinWhatFirstFitPromises() {
    var bits = Xoshiro256PlusPlus(seed: 4)
    for _ in 0..<200 {
      let groups = (0...Int(bits.integer(below: 6))).map { _ in
        Group(
          cpuMilli: 50 + Int64(bits.integer(below: 2000)),
          memory: 100 + Int64(bits.integer(below: 6000)), count: Int(bits.integer(below: 30)))
      }
      let found = BinpackingEstimator.estimate(groups, template: Self.template)
      let pods = groups.reduce(0) { $0 + $1.count }
      let cpu = groups.reduce(Int64(0)) { $0 + $1.cpuMilli * Int64($1.count) }
      let memory = groups.reduce(Int64(0)) { $0 + $1.memory * Int64($1.count) }
      let least = max(
        (cpu + 3999) / 4000, (memory + 15_999) / 16_000, Int64(pods + 19) / 20)
      #expect(found.placed == groups.map(\.count) && found.usedNodes == 0)
      #expect(Int64(found.newNodes) >= least)
      // Any two nodes in a row could not be one, so first fit needs at most twice the sum of what
      // each resource needs.
      #expect(Int64(found.newNodes) <= 2 * (cpu / 4000 + memory / 16_000 + Int64(pods) / 20) + 1)
      let limited = BinpackingEstimator.estimate(groups, template: Self.template, maxNodes: 2)
      #expect(limited.newNodes == min(2, found.newNodes))
      #expect(limited.placed == found.placed || found.newNodes > 2)
    }
  }

  /// A pod that no node of the kind can hold asks for none.
  @Test func impossiblePodsWantNothing() {
    let found = BinpackingEstimator.estimate(
      [Group(cpuMilli: 5000, memory: 1, count: 3), Group(cpuMilli: 1000, memory: 1, count: 5)],
      template: Self.template)
    #expect(found.placed == [0, 5] && found.newNodes == 2)
    let none = BinpackingEstimator.estimate(
      [Group(cpuMilli: 5000, memory: 1, count: 3)], template: Self.template)
    #expect(none.newNodes == 0 && none.pods == 0)
  }

  /// The closed form gives what adding one node at a time gives.
  @Test func balancingIsLikeOneNodeAtATime() {
    var bits = Xoshiro256PlusPlus(seed: 8)
    for _ in 0..<2000 {
      let pools = (0...Int(bits.integer(below: 5))).map { _ in
        SimilarPools.Pool(
          size: Int(bits.integer(below: 12)), maxSize: Int(bits.integer(below: 14)))
      }
      let nodes = Int(bits.integer(below: 40))
      var sizes = pools.map(\.size)
      for _ in 0..<nodes {
        let growing = sizes.indices.filter { sizes[$0] < pools[$0].maxSize }
        guard let smallest = growing.min(by: { sizes[$0] < sizes[$1] }) else { break }
        sizes[smallest] += 1
      }
      #expect(SimilarPools.balance(pools, newNodes: nodes) == sizes, "\(pools) + \(nodes)")
    }
  }

  @Test func expandersInARowAndByDraw() throws {
    let key = StreamKey(seed: 1, replication: 0, name: "expander")
    let options = [3, 2, 2, 2].enumerated().map { index, nodes in
      ScaleUpOption(
        pool: index, name: "pool-\(index)", nodes: nodes, pods: index == 1 ? 4 : 6,
        nodePriceMicros: index == 3 ? 10 : 20)
    }
    let chain = ExpanderChain([.leastNodes, .mostPods], key: key)
    var counts = [0, 0, 0, 0]
    for decision in 0..<UInt64(2000) {
      let choice = try #require(chain.choose(options, decision: decision))
      #expect(chain.choose(options, decision: decision) == choice)
      counts[choice] += 1
    }
    // Binomial, five standard deviations.
    #expect(counts[0] == 0 && counts[1] == 0 && abs(counts[2] - 1000) < 112)
    #expect(Expander.price.best(options) == [3])
    #expect(Expander.random.best(options) == [0, 1, 2, 3])
    #expect(chain.choose([], decision: 0) == nil)
    #expect(throws: PoolPriority.BadPattern(pattern: "(")) {
      try PoolPriority(1, patterns: ["("])
    }
  }

  private static func node(
    _ id: Int, utilization: Double = 0.1, isEmpty: Bool = true, canMove: Bool = true
  ) -> ScaleDownTracker.Node {
    .init(
      node: NodeID(id), pool: id % 2, utilization: utilization, isEmpty: isEmpty,
      canMove: canMove)
  }

  /// A node that is needed for one scan begins anew; cooling down holds all back.
  @Test func nodesGoAfterTheirTime() {
    var tracker = ScaleDownTracker()
    func removable(_ second: Int64, _ minSizes: [Int] = [0, 0]) -> [Int] {
      tracker.removable(sizes: [5, 5], minSizes: minSizes, at: .seconds(second)).map(\.index)
    }
    tracker.scan([Self.node(1), Self.node(2), Self.node(3, utilization: 0.5)], at: .origin)
    tracker.scan([Self.node(1), Self.node(2, utilization: 0.7)], at: .seconds(10))
    tracker.scan([Self.node(1), Self.node(2)], at: .seconds(20))
    #expect(tracker.unneededSince(NodeID(1)) == .origin)
    #expect(tracker.unneededSince(NodeID(2)) == .seconds(20))
    #expect(tracker.unneededSince(NodeID(3)) == nil)
    #expect(tracker.unchangedUntil(at: .seconds(20)) == Instant.seconds(600) + Nanoseconds(1))
    #expect(removable(600).isEmpty && removable(601) == [1] && removable(621) == [1, 2])
    #expect(removable(621, [0, 5]) == [2] && removable(621, [5, 5]).isEmpty)
    tracker.added(at: .seconds(100))
    #expect(removable(699).isEmpty && removable(700) == [1, 2])
    tracker.deleted(at: .seconds(700))
    #expect(removable(709).isEmpty && removable(710) == [1, 2])
    tracker.failed(at: .seconds(720))
    #expect(removable(899).isEmpty && removable(900) == [1, 2])
    #expect(tracker.unchangedUntil(at: .seconds(720)) == .seconds(900))
  }

  /// Of nodes with pods one goes at a time, after those that are empty, ten at once at most.
  @Test func fewAtATime() {
    var tracker = ScaleDownTracker()
    let nodes = (0..<30).map { Self.node($0, isEmpty: $0 >= 5, canMove: $0 != 0) }
    tracker.scan(nodes, at: .origin)
    func removable(_ underWay: Int, _ minSizes: [Int]) -> [Int] {
      tracker.removable(
        sizes: [15, 15], minSizes: minSizes, underWay: underWay, at: .seconds(601)
      ).map(\.index)
    }
    #expect(tracker.unneededSince(NodeID(0)) == nil)
    #expect(removable(0, [0, 0]) == Array(5..<15))
    #expect(removable(7, [0, 0]) == [5, 6, 7])
    // Two of the one pool, one of the other, and then the first with pods has no room to go.
    #expect(removable(0, [13, 14]) == [5, 6, 8])
  }

  @Test func anIllClusterIsLeftAlone() {
    let rules = ClusterAutoscalerRules()
    #expect(rules.isHealthy(nodes: 4, unready: 3) && !rules.isHealthy(nodes: 8, unready: 4))
    #expect(rules.isHealthy(nodes: 100, unready: 45) && !rules.isHealthy(nodes: 100, unready: 46))
    #expect(rules.candidates(nodes: 10) == 30)
  }
}
