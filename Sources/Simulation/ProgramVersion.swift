/// Which program made a results file.
public enum ProgramVersion {
  /// Results of another version are not verified against this one. It changes with every change of
  /// what a run does, which golden digests watch.
  public static let text = "0.13.0"
}
