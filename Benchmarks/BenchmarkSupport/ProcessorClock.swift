import Glibc

/// Processor time of this process: what others do on the machine is not in it, except through
/// caches.
public enum ProcessorClock {
  public static var nanoseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
