/// Command lines as text that a POSIX shell takes apart into the same words.
public enum ShellWords {
  private static let plain = Set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./-".unicodeScalars)

  public static func text(_ words: [String]) -> String {
    words.map(quoted).joined(separator: " ")
  }

  /// As it is where nothing in it means anything to a shell, else in single quotes.
  public static func quoted(_ word: String) -> String {
    if !word.isEmpty, word.unicodeScalars.allSatisfy(plain.contains) { return word }
    return "'"
      + word.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }

  /// A command that does the same again, in place of the results that it has written.
  public static func again(_ words: [String]) -> String {
    guard words.count > 1, !words.contains("--force") else { return text(words) }
    var words = words
    // What follows `--` is no option.
    words.insert("--force", at: words.contains("--") ? 2 : words.count)
    return text(words)
  }
}
