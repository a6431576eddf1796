import Primitives

/// How far a fault has come that grows evenly.
struct FaultGrowth: Sendable, Equatable {
  /// In lanes a factor stays for a step, at what it is in the step's middle.
  static let mostSteps: Int64 = 60

  var start: Instant
  var ramp: Nanoseconds

  /// From 0 to 1.
  func level(at now: Instant) -> Double {
    guard ramp > .zero else { return 1 }
    return min(1, max(0, (now - start).seconds / ramp.seconds))
  }

  /// A factor that grows from 1 on, or a share that falls from it.
  func grown(_ factor: Double, at now: Instant) -> Double {
    let level = level(at: now)
    return level < 1 ? 1 + (factor - 1) * level : factor
  }

  /// Steps of a second, or as many as there may be.
  private var stepCount: Int64 {
    guard ramp > .zero else { return 0 }
    return min(Self.mostSteps, (ramp.count + 999_999_999) / 1_000_000_000)
  }

  /// Where steps begin, the first at the start, and the end of the growth.
  var edges: [Instant] {
    let count = stepCount
    guard count > 0 else { return [start] }
    return (0...count).map {
      start + Nanoseconds(ramp.count / count * $0 + ramp.count % count * $0 / count)
    }
  }

  /// A factor by steps, whose mean over the growth is that of the factor itself.
  func stepped(_ factor: Double, at now: Instant) -> Double {
    let edges = edges
    guard let step = edges.lastIndex(where: { $0 <= now }), step + 1 < edges.count else {
      return now < start ? 1 : factor
    }
    return grown(factor, at: edges[step] + (edges[step + 1] - edges[step]) / 2)
  }
}
