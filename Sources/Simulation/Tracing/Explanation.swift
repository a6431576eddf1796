import ControlPlane
import Platform
import Primitives

/// Why an invocation went as it did: where its time went, and what was decided with what.
public struct Explanation {
  /// A stretch of an invocation's time. Parts follow on one another without a gap, so that their
  /// sum is the latency that the run has recorded.
  public struct Part: Equatable {
    /// What it is, in a word or two, and where.
    public var name: String
    public var place: String
    public var from: Instant
    public var to: Instant
    public var length: Nanoseconds { to - from }
  }

  /// Something that was decided or has happened.
  public struct Step {
    public var at: Instant
    public var place: String
    public var what: String
  }

  /// What became of an invocation.
  public enum Outcome: Equatable {
    case ended(TracedEnd.Outcome)
    /// The run is over, or nobody looked longer.
    case open
  }

  public let entry: InvocationLog.Entry
  public let parts: [Part]
  public let steps: [Step]

  public init(
    _ entry: InvocationLog.Entry, deeds: [InvocationLog.Deed], names: ComponentNames,
    isExact: Bool
  ) {
    self.entry = entry
    let course = InvocationCourse(entry, deeds: deeds, names: names, isExact: isExact)
    parts = course.parts()
    steps = course.steps()
  }

  public var outcome: Outcome { entry.outcome }
  /// As the run records it; nil while it is open.
  public var latency: Nanoseconds? { entry.latency }
  public var path: InvocationPath { InvocationPath(entry) }
}

/// How an invocation came to its instance.
public enum InvocationPath: String, CaseIterable {
  /// An instance was free as it came.
  case warm
  /// It waited and got an instance that became free, or that a route told of.
  case waited
  case coldPool = "cold_pool"
  case coldFallback = "cold_fallback"
  case coldVirtual = "cold_virtual_node"
  case coldIsolate = "cold_isolate"
  /// It came to none.
  case none

  public init(_ entry: InvocationLog.Entry) {
    guard let call = entry.firstCall else {
      self = .none
      return
    }
    guard call.isCold else {
      self = call.waited ? .waited : .warm
      return
    }
    self =
      switch call.path {
      case .pool: .coldPool
      case .fallback: .coldFallback
      case .virtualNode: .coldVirtual
      case .isolate: .coldIsolate
      }
  }
}

extension InvocationLog.Entry {
  public var outcome: Explanation.Outcome {
    guard isOver, let last = ends.last else { return .open }
    return .ended(last.outcome)
  }

  public var latency: Nanoseconds? {
    guard isOver, let last = ends.last else { return nil }
    return last.at - arrival.at + last.wayThrough
  }

  /// From its coming to the first call of an instance; of a client's request, of one that it waited
  /// for.
  public var wait: Nanoseconds? { firstCall.map { $0.at - arrival.at } }

  var firstCall: TracedCall? {
    attempts.isEmpty ? calls.first : ClientAttempt.all(of: self).lazy.compactMap(\.call).first
  }
}
