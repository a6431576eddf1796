extension FaultSection {
  /// What goes down, as scenarios call it.
  public var target: String? {
    if let workerManager { return "worker-manager-\(workerManager)" }
    if let dispatcher { return "dispatcher-\(dispatcher)" }
    if let consumer { return "consumer-\(consumer.index) of \(consumer.zone)" }
    return zone
  }
}
