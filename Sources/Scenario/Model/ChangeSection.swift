import Primitives

/// Something that a user or an operator asks the control-plane API of a region for.
public struct ChangeSection: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// A service's least and greatest number of instances, in each of its clusters.
    case limits(service: String, least: Int?, most: Int?)
    /// A zone or cluster is taken out of the balancer's hands for a time; nil: for good.
    case drain(String, lasts: Nanoseconds?)
    /// What could not be read.
    case nothing
  }

  public var name: String
  public var at: Nanoseconds
  public var kind = Kind.nothing
  /// Its place in the document.
  var index: Int

  /// The numbers of what the API is asked for: the second is the end of a drain.
  public var numbers: [Int] { [2 * index, 2 * index + 1] }
  /// When each of them is asked for.
  public var times: [Nanoseconds] {
    if case .drain(_, let lasts?) = kind { return [at, at + lasts] }
    return [at]
  }
}

/// The control-plane API of a region.
public struct APISection: Sendable, Equatable {
  public var handling = Nanoseconds.zero
  public var repeatAfter = Nanoseconds.zero
  public var askAgain = Nanoseconds.zero
}
