/// A mark on a node that keeps pods away which do not tolerate it.
public struct Taint: Sendable, Equatable {
  public enum Effect: String, Sendable {
    case noSchedule = "NoSchedule"
    case preferNoSchedule = "PreferNoSchedule"
    case noExecute = "NoExecute"
  }

  public var key: String
  public var value: String
  public var effect: Effect

  public init(key: String, value: String, effect: Effect) {
    self.key = key
    self.value = value
    self.effect = effect
  }
}

/// What a pod puts up with.
public struct Toleration: Sendable, Equatable {
  /// Empty: any key, where `anyValue` holds.
  public var key: String
  /// Nil: any value.
  public var value: String?
  /// Nil: any effect.
  public var effect: Taint.Effect?

  public init(key: String, value: String?, effect: Taint.Effect?) {
    self.key = key
    self.value = value
    self.effect = effect
  }

  public func tolerates(_ taint: Taint) -> Bool {
    (effect == nil || effect == taint.effect) && (key.isEmpty || key == taint.key)
      && (value == nil || value == taint.value)
  }
}

/// Kubernetes' filter and score by taints (TaintToleration).
public enum TaintRules {
  /// Whether nothing forbids the pod to be there.
  public static func isSchedulable(_ taints: [Taint], _ tolerations: [Toleration]) -> Bool {
    taints.allSatisfy { taint in
      taint.effect == .preferNoSchedule || tolerations.contains { $0.tolerates(taint) }
    }
  }

  /// Taints that would rather not have the pod and are not tolerated.
  public static func intolerable(_ taints: [Taint], _ tolerations: [Toleration]) -> Int {
    let soft = tolerations.filter { $0.effect == nil || $0.effect == .preferNoSchedule }
    return taints.count { taint in
      taint.effect == .preferNoSchedule && !soft.contains { $0.tolerates(taint) }
    }
  }

  /// Scores from the counts of `intolerable` by node: fewest get 100.
  public static func scores(_ counts: [Int]) -> [Int] {
    let most = counts.max() ?? 0
    return counts.map { most == 0 ? 100 : 100 - $0 * 100 / most }
  }
}
