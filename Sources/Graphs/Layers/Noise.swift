import Tensors

/// Passes its input on as it is.
///
/// Also what is left of layers that do nothing in inference and whose purpose belongs to the training data: Keras's
/// random augmentation, activity regularisation, and masks of zeros. They stay inactive while a graph trains too.
public struct Identity: Layer {
  /// Keras's name of this kind.
  public static let kind = "Identity"

  /// A layer that does nothing.
  public init() {}

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape { try single(inputs) }
}

/// Sets whole channels of an image to zero while training and scales the rest up; does nothing in inference.
///
/// Tompson et al., 2014.
public struct SpatialDropout2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "SpatialDropout2D"

  /// The share of channels that are dropped, 0 ≤ rate < 1.
  public var rate: Float

  /// A dropout of channels.
  public init(rate: Float) { self.rate = rate }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard rate >= 0, rate < 1 else { throw Self.invalid("rate must be at least 0 and below 1, but is \(rate)") }
    return try image(inputs)
  }
}

/// Sets whole channels of a sequence to zero while training and scales the rest up; does nothing in inference.
public struct SpatialDropout1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "SpatialDropout1D"

  /// The share of channels that are dropped, 0 ≤ rate < 1.
  public var rate: Float

  /// A dropout of channels.
  public init(rate: Float) { self.rate = rate }

  /// The dropout of an image of one row.
  public var planar: any Layer { SpatialDropout2D(rate: rate) }
}

/// Adds normally distributed numbers while training; does nothing in inference.
public struct GaussianNoise: Layer {
  /// Keras's name of this kind.
  public static let kind = "GaussianNoise"

  /// The deviation of what is added.
  public var deviation: Float

  /// Noise of the given deviation.
  public init(deviation: Float) { self.deviation = deviation }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard deviation >= 0, deviation.isFinite else {
      throw Self.invalid("stddev must be zero or more, but is \(deviation)")
    }
    return try single(inputs)
  }
}

/// Multiplies by numbers of mean 1 and variance rate/(1 − rate) while training; does nothing in inference.
///
/// Srivastava et al., 2014.
public struct GaussianDropout: Layer {
  /// Keras's name of this kind.
  public static let kind = "GaussianDropout"

  /// The share of elements whose dropout would have the same variance, 0 ≤ rate < 1.
  public var rate: Float

  /// Noise that stands for a dropout of the given share.
  public init(rate: Float) { self.rate = rate }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard rate >= 0, rate < 1 else { throw Self.invalid("rate must be at least 0 and below 1, but is \(rate)") }
    return try single(inputs)
  }
}

/// Sets a share of its elements to the least value of `selu` while training, and keeps mean and variance; does nothing
/// in inference.
///
/// Klambauer et al., 2017.
public struct AlphaDropout: Layer {
  /// Keras's name of this kind.
  public static let kind = "AlphaDropout"

  /// The share of elements that are dropped, 0 ≤ rate < 1.
  public var rate: Float

  /// A dropout of the given share.
  public init(rate: Float) { self.rate = rate }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard rate >= 0, rate < 1 else { throw Self.invalid("rate must be at least 0 and below 1, but is \(rate)") }
    return try single(inputs)
  }
}

extension Layer {
  /// Whether the layer puts out other numbers each time where it trains: dropout and noise of any kind.
  public var isRandomInTraining: Bool {
    switch self {
    case let layer as Dropout: layer.rate > 0
    case let layer as SpatialDropout1D: layer.rate > 0
    case let layer as SpatialDropout2D: layer.rate > 0
    case let layer as GaussianNoise: layer.deviation > 0
    case let layer as GaussianDropout: layer.rate > 0
    case let layer as AlphaDropout: layer.rate > 0
    default: false
    }
  }
}
