import Primitives
import Scenario
import SimulationKernel
import Workload

/// What the synthetic groups of a scenario come to, beside what is published of such platforms.
public struct SyntheticDescription: Sendable {
  /// A figure, what it should be, and how far it may be from that.
  public struct Check: Sendable {
    public enum Slack: Sendable {
      case share(Double)
      case points(Double)
      case atLeast
    }

    public var name: String
    public var found: Double
    public var wanted: Double
    public var slack: Slack
    public var source: String

    public var holds: Bool {
      switch slack {
      case .share(let part): abs(found - wanted) <= part * abs(wanted)
      case .points(let points): abs(found - wanted) <= points
      case .atLeast: found >= wanted
      }
    }
  }

  /// The most that a service can do ÷ its peak.
  public struct Ceiling: Sendable {
    public var service: String
    public var ratio: Double
    /// What sets it: instances, or the windows of its partitions.
    public var bound: String
  }

  /// Processors that a cluster's synthetic services want at its busiest minute, and those of its
  /// machines.
  public struct Load: Sendable {
    public var cluster: String
    public var wantedCores: Double
    public var cores: Double
  }

  public private(set) var checks: [Check] = []
  public private(set) var loads: [Load] = []
  /// The lowest first, at most ten; and how many services have one below 1.2.
  public private(set) var ceilings: [Ceiling] = []
  public private(set) var impossible = 0
  public private(set) var services = 0
  public private(set) var active = 0

  private let groups: [SyntheticMembers]

  /// - Complexity: linear in the members, and a day's minutes for one in 27 of them.
  public init(_ document: ScenarioDocument) {
    groups = document.services.filter { $0.arrivals.process == .bytefaas }.map {
      SyntheticMembers($0, document, seed: document.seed, replication: 0)
    }
    for group in groups {
      services += group.section.count
      active += (0..<group.section.count).count { group.group.pattern(of: $0) != .dormant }
    }
    addShares()
    addTotals(document.scale)
    addHerd()
    addVariation()
    addCeilings()
    addLoads(document)
  }

  /// By the mean processor time of each call.
  private mutating func addLoads(_ document: ScenarioDocument) {
    var minutes: [String: [Double]] = [:]
    for group in groups {
      let section = group.section
      let each = Distribution(section.serviceTime).mean * section.cpuFraction * section.cpuShare
      for number in 0..<section.count {
        let member = group.member(number)
        guard member.pattern != .timer, member.pattern != .dormant else { continue }
        let cores = each * group.serviceTimeFactor(of: number)
        let cluster = group.clusters[group.clusterOf[number]]
        for minute in 0..<144 {
          minutes[cluster, default: Array(repeating: 0, count: 144)][minute] +=
            cores * member.intensity.perSecond(minute * 600)
        }
      }
    }
    for part in document.parts {
      let cores = part.cluster.zones.reduce(0) { $0 + $1.nodes * Int($1.cpuMilli) / 1000 }
      loads.append(
        Load(
          cluster: part.clusterPath, wantedCores: minutes[part.clusterPath]?.max() ?? 0,
          cores: Double(cores)))
    }
  }

  private func members(_ isWanted: (SyntheticMembers) -> Bool) -> [SyntheticMember] {
    groups.filter(isWanted).flatMap { group in
      (0..<group.section.count).map { group.member($0) }
    }
  }

  private mutating func addShares() {
    var peaks = groups.flatMap { group in
      (0..<group.section.count).map { group.member($0) }.filter { $0.pattern != .dormant }
        .map(\.peak)
    }
    peaks.sort(by: >)
    let total = max(peaks.reduce(0, +), 1e-9)
    let source = "Azure Functions 2019 and the workload model, section 4"
    for (percent, wanted, points) in [(0.1, 0.53, 0.05), (1, 0.85, 0.03), (10, 0.987, 0.01)] {
      let count = max(1, Int(Double(peaks.count) * percent / 100))
      checks.append(
        Check(
          name: "share of the busiest \(percent) % of the active services",
          found: peaks.prefix(count).reduce(0, +) / total, wanted: wanted, slack: .points(points),
          source: source))
    }
  }

  /// Totals of the classes at their busiest minute, and the shape of an online day in one region.
  private mutating func addTotals(_ scale: Double) {
    for (name, wanted) in [("offline", 110e6), ("online", 10e6)] {
      let all = members { $0.section.trafficClass == name }
      guard !all.isEmpty else { continue }
      let minutes = Self.minutes(all)
      checks.append(
        Check(
          name: "\(name) invocations a second at the busiest minute",
          found: minutes.reduce(0, max), wanted: wanted * scale, slack: .share(0.01),
          source: "ByteFaaS talk, slides 12 and 26"))
    }
    let ahead = groups.first { $0.section.trafficClass == "online" }?.clusters.first ?? ""
    let region = ahead.split(separator: "/").first.map(String.init) ?? ""
    let local = groups.filter { $0.section.trafficClass == "online" }.flatMap { group in
      (0..<group.section.count).filter {
        group.clusters[group.clusterOf[$0]].hasPrefix(region)
      }.map { group.member($0) }
    }
    let day = Self.minutes(local)
    guard let least = day.min(), least > 0 else { return }
    checks.append(
      Check(
        name: "online day of one region, peak ÷ trough", found: day.reduce(0, max) / least,
        wanted: 4.1, slack: .points(0.2), source: "XFaaS, SOSP'23: 4.3"))
  }

  private static func minutes(_ members: [SyntheticMember]) -> [Double] {
    var minutes = [Double](repeating: 0, count: 1440)
    for member in members where member.pattern != .timer && member.pattern != .dormant {
      for minute in minutes.indices { minutes[minute] += member.intensity.perSecond(minute * 60) }
    }
    return minutes
  }

  /// Timers in the first two seconds of a minute, against any second.
  private mutating func addHerd() {
    let timers = members { $0.section.trafficClass == "timer" }.filter { $0.pattern == .timer }
    guard !timers.isEmpty else { return }
    var seconds = [Double](repeating: 0, count: 60)
    for timer in timers {
      let source = timer.source(lane: 0, zones: 1, factors: nil)
      for second in 0..<3600 { seconds[second % 60] += Double(source.count(second: second)) }
    }
    let mean = max(seconds.reduce(0, +) / 60, 1e-9)
    checks.append(
      Check(
        name: "timers in seconds 0 and 1 of a minute ÷ any second",
        found: (seconds[0] + seconds[1]) / 2 / mean, wanted: 5, slack: .atLeast,
        source: "the workload model: seven in ten fire on the minute"))
  }

  /// Variation of inter-arrival times. That of a service depends on how often it is called, and the
  /// published figure is of services that are called far less often than the platform's: so each
  /// has its own pattern at the rate that its rank has there.
  private mutating func addVariation() {
    let found = groups.flatMap { InterArrivalVariation.ofServices($0) }.sorted()
    guard found.count > 50 else { return }
    for (share, wanted) in [(0.5, 0.52), (0.75, 1.97), (0.9, 4.99), (0.99, 33)] {
      checks.append(
        Check(
          name: "variation of inter-arrival times at Azure's rates, p\(Int(share * 100))",
          found: found[Int(share * Double(found.count))], wanted: wanted, slack: .share(0.4),
          source: "Azure Functions 2019"))
    }
  }

  private mutating func addCeilings() {
    var all: [Ceiling] = []
    for group in groups {
      let section = group.section
      let mean = Distribution(section.serviceTime).mean
      for number in 0..<section.count {
        let peak = group.member(number).peak
        guard peak > 0, mean > 0 else { continue }
        var most = Double(section.maximumInstances * section.concurrency)
        var bound = "instances"
        if let topic = section.topic {
          let partitions =
            section.members?.partitionRate.map {
              ScenarioMapping.partitions(peak, $0, held: group.mostHeld(number), least: 1)
            } ?? topic.partitions
          let window = Double(partitions * topic.window)
          if window < most { (most, bound) = (window, "windows of \(partitions) partitions") }
        }
        let ratio = most / (mean * group.serviceTimeFactor(of: number)) / peak
        all.append(Ceiling(service: group.name(of: number), ratio: ratio, bound: bound))
      }
    }
    all.sort { ($0.ratio, $0.service) < ($1.ratio, $1.service) }
    impossible = all.count { $0.ratio < 1.2 }
    ceilings = Array(all.prefix(10))
  }
}
