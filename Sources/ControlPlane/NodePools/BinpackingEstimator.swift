/// How many nodes of a kind take a set of pending pods: first fit, the largest pods first.
/// (Cluster Autoscaler 1.35, `estimator/binpacking_estimator.go`.)
public struct BinpackingEstimator: Sendable {
  /// Where pods of a group may be beside one another.
  public struct Spread: Sendable, Equatable {
    public enum Domain: Sendable, Equatable {
      case node
      case zone
    }

    public var domain: Domain
    /// By how many pods a domain may be ahead of the emptiest.
    public var maxSkew: Int
    /// With fewer domains than this there is always an empty one.
    public var minDomains: Int

    public init(over domain: Domain, maxSkew: Int, minDomains: Int = 1) {
      self.domain = domain
      self.maxSkew = maxSkew
      self.minDomains = minDomains
    }
  }

  /// Pods that are alike in everything that placing them looks at.
  public struct PodGroup: Sendable, Equatable {
    public var cpuMilli: Int64
    public var memory: Int64
    public var count: Int
    /// A port of the node, which one pod can have.
    public var hostPort: Int?
    public var spread: Spread?

    public init(
      cpuMilli: Int64, memory: Int64, count: Int, hostPort: Int? = nil, spread: Spread? = nil
    ) {
      self.cpuMilli = cpuMilli
      self.memory = memory
      self.count = count
      self.hostPort = hostPort
      self.spread = spread
    }
  }

  /// Room on a node, new or there already. Memory is in the unit of the pods.
  public struct Room: Sendable, Equatable {
    public var cpuMilli: Int64
    public var memory: Int64
    public var pods: Int
    public var zone: Int
    public var ports: [Int] = []

    public init(cpuMilli: Int64, memory: Int64, pods: Int, zone: Int) {
      self.cpuMilli = cpuMilli
      self.memory = memory
      self.pods = pods
      self.zone = zone
    }
  }

  public struct Estimate: Sendable, Equatable {
    /// New nodes with pods.
    public var newNodes = 0
    /// Nodes that were there and got pods, as those may that are spread over nodes.
    public var usedNodes = 0
    /// Pods placed, by group in the order that was given.
    public var placed: [Int]

    /// What upstream returns: it counts the nodes that got pods, whether or not they are new.
    public var nodesWithPods: Int { newNodes + usedNodes }
    public var pods: Int { placed.reduce(0, +) }
  }

  private struct Bin {
    var room: Room
    let isNew: Bool
    var hasPods = false
  }

  /// Pods of the group that is being placed, by the domains that it is spread over.
  private struct Domains {
    let spread: Spread
    /// The zones in the order of `counts`; none where domains are nodes.
    private var zones: [Int] = []
    private var counts: [Int] = []
    private var least = 0

    init(_ spread: Spread, _ bins: [Bin]) {
      self.spread = spread
      for bin in bins { add(bin) }
    }

    /// A node more: one of nodes, or of a zone that may be known.
    mutating func add(_ bin: Bin) {
      if spread.domain == .zone {
        guard !zones.contains(bin.room.zone) else { return }
        zones.append(bin.room.zone)
      }
      counts.append(0)
      least = 0
    }

    private func place(_ index: Int, _ bin: Bin) -> Int {
      guard spread.domain == .zone else { return index }
      return zones.firstIndex(of: bin.room.zone) ?? 0
    }

    func allows(_ index: Int, _ bin: Bin) -> Bool {
      let emptiest = counts.count < spread.minDomains ? 0 : least
      return counts[place(index, bin)] + 1 - emptiest <= spread.maxSkew
    }

    mutating func put(_ index: Int, _ bin: Bin) {
      let place = place(index, bin)
      counts[place] += 1
      if counts[place] - 1 == least { least = counts.min() ?? 0 }
    }
  }

  private let template: Room
  private let maxNodes: Int
  private var bins: [Bin]
  private var domains: Domains?
  private var firstNew: Int
  private var estimate: Estimate

  /// - Parameters:
  ///   - template: a new node.
  ///   - existing: nodes that are there, with the room that they have left.
  ///   - maxNodes: new nodes at the most; 0: no limit.
  public static func estimate(
    _ groups: [PodGroup], template: Room, existing: [Room] = [], maxNodes: Int = 0
  ) -> Estimate {
    var estimator = BinpackingEstimator(
      template, existing: existing, maxNodes: maxNodes, groups: groups.count)
    for index in order(groups, template) { estimator.place(groups[index], index) }
    estimator.estimate.newNodes = estimator.bins.count { $0.isNew && $0.hasPods }
    estimator.estimate.usedNodes = estimator.bins.count { !$0.isNew && $0.hasPods }
    return estimator.estimate
  }

  private init(_ template: Room, existing: [Room], maxNodes: Int, groups: Int) {
    self.template = template
    self.maxNodes = maxNodes
    bins = existing.map { Bin(room: $0, isNew: false) }
    firstNew = bins.count
    estimate = Estimate(placed: Array(repeating: 0, count: groups))
  }

  /// Groups by what one pod takes of a node, CPU and memory added, the most first.
  static func order(_ groups: [PodGroup], _ template: Room) -> [Int] {
    func share(_ part: Int64, _ whole: Int64) -> Double {
      whole > 0 ? Double(part) / Double(whole) : 0
    }
    let scores = groups.map {
      share($0.cpuMilli, template.cpuMilli) + share($0.memory, template.memory)
    }
    return groups.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
  }

  // MARK: Placing

  /// O(pods + nodes) for a group that is not spread, else O(pods × nodes).
  private mutating func place(_ group: PodGroup, _ index: Int) {
    domains = group.spread.map { Domains($0, bins) }
    var left = group.count
    // What does not fit a node once does not fit it later.
    var bin = firstNew
    while left > 0 && bin < bins.count {
      if fits(group, bin) == .fits {
        put(group, bin, index)
        left -= 1
        if group.spread != nil { bin = firstNew }
      } else {
        bin += 1
      }
    }
    while left > 0, placeOnNew(group, index) { left -= 1 }
  }

  private mutating func placeOnNew(_ group: PodGroup, _ index: Int) -> Bool {
    if let last = bins.indices.last, last >= firstNew {
      switch fits(group, last) {
      case .fits:
        put(group, last, index)
        return true
      case .tooUneven where group.spread?.domain == .node:
        // Another node may be behind now, even one that was there before.
        if let other = bins.indices.first(where: { $0 != last && fits(group, $0) == .fits }) {
          put(group, other, index)
          return true
        }
      case .tooUneven, .full: break
      }
      // What does not fit an empty node fits no other.
      guard bins[last].hasPods else { return false }
    }
    guard maxNodes == 0 || bins.count - firstNew < maxNodes else { return false }
    let fresh = Bin(room: template, isNew: true)
    bins.append(fresh)
    domains?.add(fresh)
    guard fits(group, bins.count - 1) == .fits else { return false }
    put(group, bins.count - 1, index)
    return true
  }

  private mutating func put(_ group: PodGroup, _ bin: Int, _ index: Int) {
    bins[bin].room.cpuMilli -= group.cpuMilli
    bins[bin].room.memory -= group.memory
    bins[bin].room.pods -= 1
    if let port = group.hostPort { bins[bin].room.ports.append(port) }
    bins[bin].hasPods = true
    domains?.put(bin, bins[bin])
    estimate.placed[index] += 1
  }

  private enum Fit {
    case fits
    case full
    case tooUneven
  }

  private func fits(_ group: PodGroup, _ bin: Int) -> Fit {
    let room = bins[bin].room
    guard room.pods > 0, room.cpuMilli >= group.cpuMilli, room.memory >= group.memory,
      group.hostPort.map({ !room.ports.contains($0) }) ?? true
    else { return .full }
    return domains?.allows(bin, bins[bin]) ?? true ? .fits : .tooUneven
  }
}
