import Primitives

/// What a fault does beside crashes and losses.
public enum FaultEffect: Sendable, Equatable {
  /// Does not answer, and keeps its state.
  case stop(FaultPart)
  /// Takes so many times as long.
  case slow(FaultPart, factor: Double)
  case slowZone(String, factor: Double)
  case slowService(String, factor: Double)
  /// No message gets across, one way or both.
  case cut(FaultSide, from: FaultSide, isOneWay: Bool)
  case drop(FaultSide, share: Double)
  /// So many times the traffic of a service, or of all; the rise takes a time.
  case surge(String?, factor: Double, ramp: Nanoseconds)
  /// Instances of a service end by themselves: a share of those of each zone, or so many in all.
  case losePods(String, FaultPods)
  /// A bad configuration of a service, until it is rolled back.
  case push(String, FaultPush)
  /// The clock of a Worker Manager jumps, and runs so many times as fast.
  case clock(manager: Int, jump: Nanoseconds, rate: Double)
  /// A share of the instances of a service err and are slow.
  case spoil(String, share: Double, errors: Double, factor: Double)
  /// A downstream bears a part of what it did, or answers so many times as slowly and bears as much
  /// less.
  case limit(String, share: Double)
  case slowDownstream(String, factor: Double)
}

/// What a bad configuration says; nil: what was said before.
public struct FaultPush: Sendable, Equatable {
  public var concurrency: Int?
  public var maximumInstances: Int?
  public var callTimeout: Nanoseconds?
  public var errors = 0.0

  var isEmpty: Bool { self == FaultPush() }
  /// Whether it says anything but that calls err.
  public var changesRules: Bool {
    concurrency != nil || maximumInstances != nil || callTimeout != nil
  }
}

/// Which instances of a service.
public enum FaultPods: Sendable, Equatable {
  /// Of those of each zone, one at least.
  case share(Double)
  case count(Int)
}

/// Something that a cluster has once; of a code cache, in which zone.
public struct FaultPart: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case etcd, kubernetes, autoscaler, api, coordinator, registry
    case machineSupply = "machine-supply"
    case objectStore = "object-store"
    case remoteCache = "remote-cache"
  }

  public var kind: Kind
  public var zone: String?

  /// `etcd`, or `remote-cache of zone-a`; nil: it is neither.
  init?(_ text: String) {
    let words = text.split(separator: " ")
    guard let kind = Kind(rawValue: String(words.first ?? "")) else { return nil }
    let isOfZone = kind == .remoteCache
    guard words.count == (isOfZone ? 3 : 1), !isOfZone || words[1] == "of" else { return nil }
    self.kind = kind
    zone = isOfZone ? String(words[2]) : nil
  }

  var text: String { kind.rawValue + (zone.map { " of \($0)" } ?? "") }
}

/// A side of a cut.
public enum FaultSide: Sendable, Equatable {
  case zone(String)
  case controlPlane, everything

  init(_ text: String) {
    switch text {
    case "control-plane": self = .controlPlane
    case "everything": self = .everything
    default: self = .zone(text)
    }
  }

  var zone: String? {
    if case .zone(let name) = self { return name }
    return nil
  }

  var text: String {
    switch self {
    case .zone(let name): name
    case .controlPlane: "control-plane"
    case .everything: "everything"
    }
  }
}

extension FaultEffect {
  /// The zones that it names, with the keys that name them.
  var zones: [(key: String, name: String)] {
    switch self {
    case .stop(let part): part.zone.map { [("stop", $0)] } ?? []
    case .slow(let part, _): part.zone.map { [("slow", $0)] } ?? []
    case .slowZone(let zone, _): [("slow", zone)]
    case .cut(let side, let other, _):
      [("cut", side.zone), ("from", other.zone)].compactMap { key, zone in
        zone.map { (key, $0) }
      }
    case .drop(let side, _): side.zone.map { [("drop", $0)] } ?? []
    case .slowService, .surge, .spoil, .losePods, .push, .clock, .limit, .slowDownstream: []
    }
  }

  /// The service that it names, with the key that names it.
  var service: (key: String, name: String)? {
    switch self {
    case .slowService(let name, _): ("slow", name)
    case .surge(let name?, _, _): ("surge", name)
    case .spoil(let name, _, _, _): ("spoil", name)
    case .losePods(let name, _): ("lose", name)
    case .push(let name, _): ("push", name)
    default: nil
    }
  }

  /// The downstream that it names, with the key that names it.
  var downstream: (key: String, name: String)? {
    switch self {
    case .limit(let name, _): ("limit", name)
    case .slowDownstream(let name, _): ("slow", name)
    default: nil
    }
  }

  /// What happens, in the words of the scenario.
  var text: String {
    func times(_ factor: Double) -> String { "\(Quantity.plain(factor)) times" }
    return switch self {
    case .stop(let part): part.text
    case .slow(let part, let factor): "\(part.text) \(times(factor)) as slow"
    case .slowZone(let zone, let factor): "\(zone) \(times(factor)) as slow"
    case .slowService(let name, let factor): "what \(name) calls \(times(factor)) as slow"
    case .cut(let side, let other, _): "\(side.text) cut off from \(other.text)"
    case .drop(let side, let share):
      "\(Quantity.plain(share * 100)) % of the messages of \(side.text) lost"
    case .surge(let name, let factor, _): "\(times(factor)) the traffic of \(name ?? "all")"
    case .spoil(let name, _, _, _): "bad instances of \(name)"
    case .losePods(let name, .share(let share)):
      "\(Quantity.plain(share * 100)) % of the pods of \(name) lost"
    case .losePods(let name, .count(let count)): "\(count) pods of \(name) lost"
    case .push(let name, _): "a bad configuration of \(name)"
    case .clock(let manager, let jump, let rate):
      "the clock of worker-manager-\(manager)"
        + (jump == .zero ? "" : " \(abs(jump.seconds)) s \(jump > .zero ? "ahead" : "behind")")
        + (rate == 1 ? "" : ", \(times(rate)) as fast")
    case .limit(let name, let share): "\(name) bears \(Quantity.plain(share * 100)) %"
    case .slowDownstream(let name, let factor): "\(name) \(times(factor)) as slow"
    }
  }

  /// What it takes away, as scenarios call it; two at a time contradict each other.
  var target: String? {
    if case .stop(let part) = self { return part.text }
    return nil
  }
}
