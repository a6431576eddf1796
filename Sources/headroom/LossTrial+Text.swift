import Planning
import Primitives
import Reporting

extension LossTrial {
  /// Which time of a trial is judged.
  static var judgedText: String {
    "each is judged from a second before the loss to half an hour after its end, or to the end of "
      + "the run"
  }

  /// When it had recovered, as a table has it.
  var recoveredText: String {
    if let seconds = timeline.secondsToRecover { return "+ " + TextForm.time(seconds: seconds) }
    return at + outage >= window.upperBound ? "not seen" : "not"
  }
}
