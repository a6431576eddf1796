/// The clock on the wall at a place: when the run begins, and by how much local time differs from
/// universal time.
public struct CivilClock: Sendable, Equatable {
  public struct Offset: Sendable, Equatable {
    /// Seconds since 1970 from which it holds.
    public var from: Int64
    /// Seconds that local time is ahead.
    public var seconds: Int64

    public init(from: Int64, seconds: Int64) {
      self.from = from
      self.seconds = seconds
    }
  }

  /// Seconds since 1970 at the origin of instants.
  public let origin: Int64
  /// In the order of their beginnings; the first holds before as well.
  public let offsets: [Offset]

  /// Without offsets local time is universal time.
  public init(origin: Int64, offsets: [Offset] = []) {
    self.origin = origin
    self.offsets =
      offsets.isEmpty ? [Offset(from: 0, seconds: 0)] : offsets.sorted { $0.from < $1.from }
  }

  /// Seconds since 1970 at an instant.
  public func seconds(at instant: Instant) -> Int64 {
    origin + CivilDay.floored(instant.nanoseconds, 1_000_000_000)
  }

  /// Seconds since 1970 at which a schedule comes next, strictly after. Local times that an offset
  /// skips do not come; those that it repeats come twice.
  public func next(_ schedule: CronSchedule, after seconds: Int64) -> Int64? {
    var index = offsets.lastIndex { $0.from <= seconds } ?? 0
    var begin = seconds
    while true {
      let offset = offsets[index].seconds
      let isLast = index + 1 == offsets.count
      if let local = schedule.next(after: begin + offset),
        isLast || local - offset < offsets[index + 1].from
      {
        return local - offset
      }
      if isLast { return nil }
      index += 1
      // The first second of the new offset may be one itself.
      begin = offsets[index].from - 1
    }
  }

  public func instant(ofSeconds seconds: Int64) -> Instant {
    let (nanoseconds, isBeyond) = (seconds - origin).multipliedReportingOverflow(
      by: 1_000_000_000)
    return isBeyond ? .distantFuture : Instant(nanoseconds: nanoseconds)
  }
}
