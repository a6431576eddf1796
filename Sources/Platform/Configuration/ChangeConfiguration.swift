import ControlPlane
import Primitives

/// Something that a user or an operator asks the control-plane API of a region for, as one of its
/// clusters has it.
public struct ChangeConfiguration: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// Services may have, and keep, so many instances in the cluster from then on; nil: as before.
    case limits([ServiceID], least: Int?, most: Int?)
    /// Zones are taken out of the balancer's hands, or given back.
    case drain([ZoneID], Bool)
  }

  /// In the order of asking, the same in all clusters that it concerns.
  public var number: UInt32
  public var name: String
  public var kind: Kind
  /// When it is asked for.
  public var at: Instant

  public init(number: UInt32, name: String, kind: Kind, at: Instant) {
    self.number = number
    self.name = name
    self.kind = kind
    self.at = at
  }
}

/// The control-plane API of a region.
public struct RegionAPIConfiguration: Sendable, Equatable {
  public var rules = RegionAPI.Rules()
  /// Time that it spends on a message, one after the other.
  public var handling = Nanoseconds.milliseconds(50)
  /// Whoever has no answer asks again after this.
  public var askAgain = Nanoseconds.seconds(5)

  public init() {}
}
