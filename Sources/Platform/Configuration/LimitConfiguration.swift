import ControlPlane
import Policies
import Primitives
import SimulationKernel

/// What a service may be asked for, whatever its instances bear. Numbers are those of the whole
/// service, in all its zones.
public struct LimitConfiguration: Sendable {
  /// Requests a second; nil: without bound.
  public var rate: QuotaAmount?
  /// Requests that may come at once beyond the first.
  public var burst: Int64 = 0
  /// Requests under way, those that wait at a gateway among them; nil: without bound.
  public var concurrency: Int?
  /// Finds how many may be under way at each gateway, with a state of its own there; nil: nobody
  /// does.
  public var adaptive: (@Sendable (StreamKey, Instant) -> any AdaptiveLimit)?
  /// How its consumers narrow what they have outstanding; nil: they do not.
  public var backpressure: BackpressureWindow.Rules?
  /// A zone's share follows the traffic that the balancer sends it; else all have the same.
  public var followsTraffic = false

  public init() {}
}

/// What some services call for each of their requests, and what it bears.
public struct DownstreamConfiguration: Sendable {
  public var name: String
  /// Calls a second; what comes beyond them is answered with an error.
  public var capacityPerSecond: Double
  /// What the Coordinator hands out to consumers that call it; nil: they are not limited.
  public var central: CentralLimit?

  public struct CentralLimit: Sendable {
    public var amount: QuotaAmount
    public var rules = QuotaServer.Rules()
    /// How often the downstream tells the Coordinator what it bears, of which the limit is as large
    /// a part as at first; nil: never.
    public var reports: Nanoseconds?

    public init(_ amount: QuotaAmount) { self.amount = amount }
  }

  public init(name: String, capacityPerSecond: Double) {
    self.name = name
    self.capacityPerSecond = capacityPerSecond
  }
}

/// How gateways refuse the less important when they have too much to do.
public struct SheddingConfiguration: Sendable, Equatable {
  /// Of what a gateway bears, what may be taken in.
  public var mark = 1.0
  /// Percent of that by importance, none above the one before it.
  public var shares = [100, 95, 90, 80]

  public init() {}
}

/// The limits of one gateway's or consumer's part of a lane.
struct PartLimits: Sendable, Equatable {
  var rate: QuotaAmount?
  var burst: Int64 = 0
  var concurrency: Int?
}

extension ServiceConfiguration {
  /// What one of `parts` gateways or consumers of a zone may let in.
  ///
  /// All have the same share of the rate, in whole millionths of a request a second, rounded down.
  /// The bucket, which holds one more than the burst, is divided evenly, and each has room for one
  /// at least; so has each for one request under way.
  ///
  /// - Parameter traffic: the zone's share of the traffic as a multiple of an even one.
  func limits(lane position: Int, part: Int, of parts: Int, traffic: Double = 1) -> PartLimits {
    guard let limits else { return PartLimits() }
    let all = zones.count * parts
    let place = position * parts + part
    func share(_ total: Int) -> Int {
      let even = EvenShare.of(total, at: place, among: all)
      return max(1, traffic == 1 ? even : Int((Double(even) * traffic).rounded()))
    }
    let millionths = Int64((traffic * 1e6).rounded())
    return PartLimits(
      rate: limits.rate?.scaled(millionths, over: Int64(all) * 1_000_000),
      burst: Int64(share(Int(clamping: limits.burst) + 1) - 1),
      concurrency: limits.concurrency.map(share))
  }
}
