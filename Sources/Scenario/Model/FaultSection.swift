import Primitives

/// What goes wrong, and when.
public struct FaultSection: Sendable {
  public var name: String
  public var at: Nanoseconds
  /// One of these: a Worker Manager, a Dispatcher, a consumer or a broker of a zone is crashed, a
  /// whole zone is lost, or something else happens.
  public var workerManager: Int?
  public var dispatcher: Int?
  public var consumer: (zone: String, index: Int)?
  public var broker: (zone: String, index: Int)?
  public var zone: String?
  public var effect: FaultEffect?
  /// Where there are regions and nothing else says so: the cluster that it is in.
  public var cluster: String?
  /// How long; nil: to the end.
  public var restartAfter: Nanoseconds?

  public init(name: String, at: Nanoseconds) {
    self.name = name
    self.at = at
  }

  /// What goes down, as scenarios call it.
  public var target: String? {
    if let workerManager { return "worker-manager-\(workerManager)" }
    if let dispatcher { return "dispatcher-\(dispatcher)" }
    if let consumer { return "consumer-\(consumer.index) of \(consumer.zone)" }
    if let broker { return "broker-\(broker.index) of \(broker.zone)" }
    return zone ?? effect?.target
  }
}
