import Primitives
import Scenario
import Workload

extension ScenarioMapping {
  /// Requests that a replication is expected to have, warm-up included, without retries.
  /// - Complexity: linear in the services of traces and their blocks.
  public func expectedRequests(replication: Int) -> Double {
    document.services.reduce(0) { $0 + expected($1, replication) }
  }

  private func expected(_ section: ServiceSection, _ replication: Int) -> Double {
    let arrivals = section.arrivals
    let seconds = document.duration.seconds
    switch arrivals.process {
    case .list: return Double(arrivals.times.count * section.count)
    case .trace:
      guard let trace = traces.trace(of: section.name) else { return 0 }
      let window = TraceWindow(section, of: trace, in: document, replication: replication)
      let begin = Double(window.part?.lowerBound ?? 0)
      let end = min(begin + seconds, Double(window.part?.upperBound ?? .max))
      return trace.services.reduce(0) { $0 + $1.demand.invocations(from: begin, to: end) }
    case .timer:
      guard let timer = arrivals.timer else { return 0 }
      let firings = timer.firings(within: document.duration).count
      return Double(firings) * Double(timer.requests) * Double(section.count)
    case .profile:
      return mean(of: arrivals.profile) * seconds * Double(section.count)
    case .poisson, .exactPoisson, .diurnal, .bytefaas:
      let rate = arrivals.totalRatePerSecond ?? arrivals.ratePerSecond * Double(section.count)
      guard arrivals.process == .diurnal || arrivals.process == .bytefaas else {
        return rate * seconds
      }
      let curve = Intensity.daily(
        arrivals.curve == "offline" ? .offline : .online, peakPerSecond: rate)
      return mean(of: curve) * seconds
    }
  }

  /// A curve is smooth over minutes: a thousand instants are enough for an estimate.
  private func mean(of curve: Intensity) -> Double {
    let seconds = document.duration.seconds
    return (0..<1000).reduce(0.0) { sum, step in
      sum + curve.perSecond(Int((Double(step) + 0.5) / 1000 * seconds)) / 1000
    }
  }
}

extension TraceDemand {
  /// Invocations between two instants, in seconds; of a block that one of them cuts, its share.
  public func invocations(from begin: Double, to end: Double) -> Double {
    switch self {
    case .points(let points):
      return Double(
        points.count { (begin..<max(begin, end)).contains(Double($0.nanoseconds) * 1e-9) })
    case .counts(let counts, let seconds):
      let width = Double(seconds)
      return counts.enumerated().reduce(0) { sum, item in
        let start = Double(item.offset) * width
        let shared = min(end, start + width) - max(begin, start)
        return sum + Double(item.element) * max(0, shared) / width
      }
    }
  }
}
