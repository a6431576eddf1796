/// A number divided over several, as evenly as whole numbers allow: what is left over goes to the
/// first, so that the shares add up to the number exactly and a smaller number has no larger share
/// anywhere.
public enum EvenShare {
  /// Precondition: `index` lies below `count`, and neither number is negative.
  @inlinable public static func of(_ total: Int, at index: Int, among count: Int) -> Int {
    total / count + (index < total % count ? 1 : 0)
  }
}
