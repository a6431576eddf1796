/// The instances of one gateway's part of a lane, by what they are good for.
public struct InstanceCounts: Hashable, Sendable, BitwiseCopyable {
  /// Get new requests. Knative's *ready pods*, which leave out terminating ones.
  public var usable: Int32
  /// End what they serve and get nothing new.
  public var draining: Int32
  /// Asked for by the gateway and not there yet.
  public var starting: Int32

  @inlinable public init(usable: Int = 0, draining: Int = 0, starting: Int = 0) {
    self.usable = Int32(clamping: usable)
    self.draining = Int32(clamping: draining)
    self.starting = Int32(clamping: starting)
  }

  /// All that exist or will.
  @inlinable public var total: Int { Int(usable) + Int(draining) + Int(starting) }
}

// What both fidelities of a lane decide about numbers of instances.
extension RouterRules {
  /// Whether a gateway may ask for one more instance.
  ///
  /// A draining one still counts towards the limit, which protects what lies behind a service; but
  /// it serves nobody who waits, so that a service of draining ones starts from zero.
  @inlinable public func mayStart(_ instances: InstanceCounts) -> Bool {
    guard instances.total < maximumInstances else { return false }
    switch startRule {
    case .onDemand: return true
    case .fromZero: return instances.usable + instances.starting == 0
    case .never: return false
    }
  }

  /// Usable instances to give up so that `target` stay, or the least number if that is more.
  @inlinable public func surplus(_ instances: InstanceCounts, over target: Int) -> Int {
    max(0, Int(instances.usable) - max(target, minimumInstances))
  }
}
