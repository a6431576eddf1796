/// The share of a node that is asked for. (Cluster Autoscaler, `simulator/utilization/info.go`.)
public enum NodeUtilization {
  public enum Kind: Sendable, Equatable {
    case ordinary
    /// On every node.
    case daemon
    /// Made by the node itself.
    case mirror
    /// On its way out for longer than it was given.
    case longTerminating
  }

  public struct Pod: Sendable, Equatable {
    public var cpuMilli: Int64
    public var memory: Int64
    public var kind: Kind

    public init(cpuMilli: Int64, memory: Int64, kind: Kind = .ordinary) {
      self.cpuMilli = cpuMilli
      self.memory = memory
      self.kind = kind
    }
  }

  /// The greater of the shares of CPU and memory. Pods that are skipped count neither as used nor
  /// as room.
  public static func of(
    _ pods: [Pod], cpuMilli: Int64, memory: Int64, skippingDaemons: Bool = false,
    skippingMirrors: Bool = false
  ) -> Double {
    var used: (cpu: Int64, memory: Int64) = (0, 0)
    var room = (cpu: cpuMilli, memory: memory)
    for pod in pods where pod.kind != .longTerminating {
      let isSkipped =
        (pod.kind == .daemon && skippingDaemons) || (pod.kind == .mirror && skippingMirrors)
      if isSkipped {
        room.cpu -= pod.cpuMilli
        room.memory -= pod.memory
      } else {
        used.cpu += pod.cpuMilli
        used.memory += pod.memory
      }
    }
    return max(share(used.cpu, of: room.cpu), share(used.memory, of: room.memory))
  }

  private static func share(_ used: Int64, of room: Int64) -> Double {
    room > 0 ? Double(used) / Double(room) : 0
  }
}
