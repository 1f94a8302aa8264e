import Tensors

/// Lays zeros before and after a sequence.
///
/// ## Shapes
/// - input: `[L, C]`
/// - output: `[before + L + after, C]`
public struct ZeroPadding1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "ZeroPadding1D"

  /// Steps that are added before the sequence.
  public var before: Int
  /// Steps that are added after the sequence.
  public var after: Int

  /// Zeros at both ends.
  public init(before: Int = 1, after: Int = 1) {
    self.before = before
    self.after = after
  }

  /// The frame of an image of one row.
  public var planar: any Layer { ZeroPadding2D(padding: Insets2D(left: before, right: after)) }
}

/// Cuts steps off the ends of a sequence.
///
/// ## Shapes
/// - input: `[L, C]`
/// - output: `[L − before − after, C]`
public struct Cropping1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "Cropping1D"

  /// Steps that are taken away at the start.
  public var before: Int
  /// Steps that are taken away at the end.
  public var after: Int

  /// A cut at both ends.
  public init(before: Int = 1, after: Int = 1) {
    self.before = before
    self.after = after
  }

  /// The cut of an image of one row.
  public var planar: any Layer { Cropping2D(cropping: Insets2D(left: before, right: after)) }
}

/// Repeats every step of a sequence.
///
/// ## Shapes
/// - input: `[L, C]`
/// - output: `[L · size, C]`
public struct UpSampling1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "UpSampling1D"

  /// How many steps each becomes.
  public var size: Int

  /// An enlargement.
  public init(size: Int = 2) { self.size = size }

  /// The enlargement of an image of one row.
  public var planar: any Layer { UpSampling2D(size: Size2D(1, size)) }
}
