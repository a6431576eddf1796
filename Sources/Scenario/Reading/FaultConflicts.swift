import Primitives

/// Faults that cannot hold at one time: what is down cannot go down again, nor be slow, and of two
/// numbers for one thing only one can be so. Others combine: what crashes in a zone that is away is
/// still down when that is back, unless it is over by then, and would do nothing.
struct FaultConflicts {
  let document: ScenarioDocument
  let context: ReadingContext

  func check() {
    let faults = document.faults
    for (index, fault) in faults.enumerated() {
      for (other, earlier) in faults.enumerated().prefix(index) {
        guard let what = conflict(fault, earlier), Self.meet(fault, earlier) else { continue }
        fail(index, other, "\(what) at the same time")
      }
      if let (other, zone) = strikesWhatIsLost(fault) {
        fail(
          index, other,
          "contradict each other: what one strikes is lost with \(zone) all the while")
      }
    }
  }

  private func fail(_ index: Int, _ other: Int, _ what: String) {
    let path = document.path(ofFault: index)
    guard context.isSound(path + ".at") else { return }
    context.fail(
      .inconsistent, at: path + ".at",
      "`\(path)` and `\(document.path(ofFault: other))` \(what)",
      help: "end one before the other begins, or leave one out")
  }

  /// What two faults do that cannot be done at once; nil: they combine.
  private func conflict(_ one: FaultSection, _ other: FaultSection) -> String? {
    if let target = one.target, target == other.target { return "take \(target) down" }
    if let (zone, which) = one.nodes ?? one.agents, let (same, these) = other.nodes ?? other.agents,
      zone == same, (one.nodes == nil) == (other.nodes == nil),
      let nodes = document.cluster.zones.first(where: { $0.name == zone })?.nodes,
      which.numbers(of: nodes).overlaps(these.numbers(of: nodes))
    {
      let what = one.nodes == nil ? "HostAgents" : "machines"
      return "take some of the same \(what) of \(zone) down"
    }
    guard let mine = one.effect, let its = other.effect else { return nil }
    switch (mine, its) {
    case (.stop(let part), .slow(let same, _)), (.slow(let part, _), .stop(let same)):
      return part == same ? "stop \(part.text) and slow it" : nil
    case (.slow(let part, _), .slow(let same, _)):
      return part == same ? "slow \(part.text)" : nil
    case (.limit(let name, _), .limit(let same, _)),
      (.limit(let name, _), .slowDownstream(let same, _)),
      (.slowDownstream(let name, _), .limit(let same, _)),
      (.slowDownstream(let name, _), .slowDownstream(let same, _)):
      return name == same ? "say what \(name) bears" : nil
    case (.clock(let manager, _, _), .clock(let same, _, _)):
      return manager == same ? "set the clock of worker-manager-\(manager)" : nil
    case (.push(let name, _), .push(let same, _)):
      return document.services.first { $0.isMeant(by: name) && $0.isMeant(by: same) }.map {
        "push a configuration of \($0.name)"
      }
    default: return nil
    }
  }

  /// Whether two faults are there at one time, or one ends as the other begins.
  private static func meet(_ one: FaultSection, _ other: FaultSection) -> Bool {
    one.beginnings.contains { mine in
      other.beginnings.contains { its in
        let (earlier, later, first) = mine <= its ? (mine, its, one) : (its, mine, other)
        return first.restartAfter.map { earlier + $0 >= later } ?? true
      }
    }
  }

  /// The loss of the zone that what a fault strikes stands in, where that is away whenever the
  /// fault is there.
  private func strikesWhatIsLost(_ fault: FaultSection) -> (other: Int, zone: String)? {
    let zones = document.cluster.zones.map(\.name)
    let component = fault.workerManager ?? fault.dispatcher
    let own =
      fault.gateway?.zone ?? fault.consumer?.zone ?? fault.broker?.zone ?? fault.agents?.zone
      ?? fault.nodes?.zone
      ?? component.flatMap { zones.isEmpty ? nil : zones[$0 % zones.count] }
    // Of what goes with a cluster that is lost nobody has written anything.
    guard !fault.isPartOfLoss else { return nil }
    // Whatever befalls the ways to and from a zone has to do with all that it names.
    let all = own.map { [$0] } ?? fault.effect?.zones.map(\.name) ?? []
    return all.lazy.compactMap { zone in
      loss(of: zone, during: fault).map { (other: $0, zone: zone) }
    }.first
  }

  /// The first loss of a zone, where that is away whenever a fault is there.
  private func loss(of zone: String, during fault: FaultSection) -> Int? {
    let losses = document.faults.enumerated().filter { $0.element.zone == zone }
    func lost(_ begin: Nanoseconds) -> Int? {
      losses.first { $0.element.isThere(from: begin, for: fault.restartAfter) }?.offset
    }
    guard let first = lost(fault.at), fault.beginnings.allSatisfy({ lost($0) != nil }) else {
      return nil
    }
    return first
  }
}

extension FaultSection {
  /// Whether it is there all the time from one instant for a length; nil: to the end.
  fileprivate func isThere(from begin: Nanoseconds, for length: Nanoseconds?) -> Bool {
    beginnings.contains { own in
      guard own <= begin else { return false }
      guard let mine = restartAfter else { return true }
      return length.map { begin + $0 <= own + mine } ?? false
    }
  }
}
