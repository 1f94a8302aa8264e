import Tensors

/// The largest value in each window of a sequence, per channel.
///
/// ## Shapes
/// - input: `[L, C]`
/// - output: `[L', C]`
public struct MaxPooling1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "MaxPooling1D"

  /// The length of the window.
  public var poolSize: Int
  /// Distance between windows.
  public var stride: Int
  /// How the ends are treated; what is outside never wins.
  public var padding: Padding

  /// A pooling whose windows lie side by side unless another stride is given.
  public init(poolSize: Int = 2, stride: Int? = nil, padding: Padding = .valid) {
    self.poolSize = poolSize
    self.stride = stride ?? poolSize
    self.padding = padding
  }

  /// The pooling of an image of one row.
  public var planar: any Layer {
    MaxPooling2D(poolSize: Size2D(1, poolSize), strides: Size2D(1, stride), padding: padding)
  }
}

/// The mean of each window of a sequence, per channel; steps outside the sequence do not count.
///
/// ## Shapes
/// - input: `[L, C]`
/// - output: `[L', C]`
public struct AveragePooling1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "AveragePooling1D"

  /// The length of the window.
  public var poolSize: Int
  /// Distance between windows.
  public var stride: Int
  /// How the ends are treated.
  public var padding: Padding

  /// A pooling whose windows lie side by side unless another stride is given.
  public init(poolSize: Int = 2, stride: Int? = nil, padding: Padding = .valid) {
    self.poolSize = poolSize
    self.stride = stride ?? poolSize
    self.padding = padding
  }

  /// The pooling of an image of one row.
  public var planar: any Layer {
    AveragePooling2D(poolSize: Size2D(1, poolSize), strides: Size2D(1, stride), padding: padding)
  }
}

/// The mean of every channel over the whole sequence.
///
/// ## Shapes
/// - input: `[L, C]`
/// - output: `[C]`, or `[1, C]` where the axis is kept
public struct GlobalAveragePooling1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "GlobalAveragePooling1D"

  /// Whether the axis of the sequence remains, with extent 1.
  public var keepsAxes: Bool

  /// A pooling over the whole sequence.
  public init(keepsAxes: Bool = false) { self.keepsAxes = keepsAxes }

  /// The pooling of an image of one row.
  public var planar: any Layer { GlobalAveragePooling2D(keepsAxes: keepsAxes) }
}

/// The largest value of every channel over the whole sequence.
///
/// ## Shapes
/// - input: `[L, C]`
/// - output: `[C]`, or `[1, C]` where the axis is kept
public struct GlobalMaxPooling1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "GlobalMaxPooling1D"

  /// Whether the axis of the sequence remains, with extent 1.
  public var keepsAxes: Bool

  /// A pooling over the whole sequence.
  public init(keepsAxes: Bool = false) { self.keepsAxes = keepsAxes }

  /// The pooling of an image of one row.
  public var planar: any Layer { GlobalMaxPooling2D(keepsAxes: keepsAxes) }
}
