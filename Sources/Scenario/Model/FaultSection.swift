import Primitives

/// What goes wrong, and when.
public struct FaultSection: Sendable {
  public var name: String
  public var at: Nanoseconds
  /// One of these: a Worker Manager, a Dispatcher, a consumer, broker, gateway or HostAgent of a
  /// zone is crashed, a whole zone is lost, or something else happens.
  public var workerManager: Int?
  public var dispatcher: Int?
  public var consumer: (zone: String, index: Int)?
  public var broker: (zone: String, index: Int)?
  public var gateway: (zone: String, index: Int)?
  /// HostAgents of machines of a zone.
  public var agents: (zone: String, which: FaultNodes)?
  public var zone: String?
  /// Machines of a zone: one by its number, or a share of them.
  public var nodes: (zone: String, which: FaultNodes)?
  public var effect: FaultEffect?
  /// The Coordinator is crashed.
  public var isOfCoordinator = false
  /// Where there are regions and nothing else says so: the cluster that it is in.
  public var cluster: String?
  /// How long; nil: to the end.
  public var restartAfter: Nanoseconds?
  /// For so long it grows, evenly, from nothing.
  public var ramp = Nanoseconds.zero
  /// Its place in the document, and the line that it begins in; 0: it is not of a file.
  public internal(set) var index = 0
  public internal(set) var line = 0
  /// Nobody wrote it: it goes with a cluster that is lost.
  var isPartOfLoss = false
  /// From one beginning to the next, and how often it comes.
  public var every = Nanoseconds.zero
  public var times = 1

  public init(name: String, at: Nanoseconds) {
    self.name = name
    self.at = at
  }

  /// When it begins, each time.
  public var beginnings: [Nanoseconds] { (0..<times).map { at + every * Int64($0) } }

  /// How often a fault may come.
  static let mostTimes = 1000

  /// What a push, the n-th time it comes, and its roll-back are among the things that the API of
  /// its region is asked for; beyond those of `changes`.
  public func numbers(ofTime time: Int) -> (push: UInt32, rollBack: UInt32) {
    let first = (UInt32(1) << 31) + UInt32(2 * (index * Self.mostTimes + time))
    return (first, first + 1)
  }

  /// Whether calls end with it that wait for a processor.
  var losesCalls: Bool {
    if case .losePods? = effect { return true }
    return zone != nil || nodes != nil || gateway != nil
  }

  /// What it is called in reports: by what happens to its target, else by its name, or by what
  /// happens where it has none.
  public var title: String {
    guard let target else { return name == "fault" ? effect?.text ?? name : name }
    if zone != nil || nodes != nil { return "the loss of \(target)" }
    return effect == nil ? "a crash of \(target)" : "a stop of \(target)"
  }

  /// What goes down, as scenarios call it.
  public var target: String? {
    if let workerManager { return "worker-manager-\(workerManager)" }
    if let dispatcher { return "dispatcher-\(dispatcher)" }
    if isOfCoordinator { return "coordinator" }
    if let consumer { return "consumer-\(consumer.index) of \(consumer.zone)" }
    if let broker { return "broker-\(broker.index) of \(broker.zone)" }
    if let gateway { return "gateway-\(gateway.index) of \(gateway.zone)" }
    if let (zone, which) = agents { return "host-agent of \(which.text) of \(zone)" }
    if let (zone, which) = nodes { return "\(which.text) of \(zone)" }
    return zone ?? effect?.target
  }
}

/// Which machines of a zone.
public enum FaultNodes: Sendable, Equatable {
  case one(Int)
  /// The first of them, as many as the share, at least one.
  case share(Double)

  var text: String {
    switch self {
    case .one(let number): "node-\(number)"
    case .share(let share): "\(Quantity.plain(share * 100))%"
    }
  }

  /// Their numbers in a zone with so many.
  public func numbers(of count: Int) -> Range<Int> {
    switch self {
    case .one(let number): number..<number + 1
    case .share(let share): 0..<min(count, max(1, Int((share * Double(count)).rounded())))
    }
  }
}
