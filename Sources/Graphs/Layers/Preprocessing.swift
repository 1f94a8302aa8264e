import Tensors

/// Scales and shifts every element: y = x·scale + offset, with one number or one for each channel.
public struct Rescaling: Layer {
  /// Keras's name of this kind.
  public static let kind = "Rescaling"

  /// One factor, or one for each channel.
  public var scale: [Float]
  /// One summand, or one for each channel.
  public var offset: [Float]

  /// A fixed linear function of every element.
  public init(scale: [Float], offset: [Float] = [0]) {
    self.scale = scale
    self.offset = offset
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    let channels = input.rank > 0 ? input[-1] : 1
    for (name, values) in [("scale", scale), ("offset", offset)] where values.count != 1 && values.count != channels {
      throw Self.unfit("\(name) has \(values.count) numbers for \(channels) channels")
    }
    return input
  }
}

/// Brings every channel to mean 0 and deviation 1 by fixed statistics: y = (x − mean) / max(√variance, 1e-7).
///
/// Inverted it does the opposite: y = mean + x·max(√variance, 1e-7).
public struct Normalization: Layer {
  /// Keras's name of this kind.
  public static let kind = "Normalization"

  /// The axes of one sample that have statistics of their own, counted from the first; none where all numbers share
  /// one mean.
  public var axes: [Int]
  /// Whether normal numbers come in and others out.
  public var inverts: Bool
  /// The fixed statistics; nil where they are stored among the weights.
  public var statistics: Statistics?

  /// A mean and a variance: one number each, or one for each element of the axes.
  public struct Statistics: Hashable, Sendable {
    /// What is subtracted.
    public var mean: [Float]
    /// Whose root is divided by.
    public var variance: [Float]

    /// Statistics given as numbers.
    public init(mean: [Float], variance: [Float]) {
      self.mean = mean
      self.variance = variance
    }
  }

  /// A normalisation of each channel unless other axes are given, by the given statistics or by those among the weights.
  public init(_ statistics: Statistics? = nil, axes: [Int] = [-1], inverts: Bool = false) {
    self.statistics = statistics
    self.axes = axes
    self.inverts = inverts
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    if !axes.isEmpty { _ = try resolved(axes, in: input) }
    if let statistics {
      let count = axes.reduce(1) { $0 * input[$1] }
      for (name, values) in [("mean", statistics.mean), ("variance", statistics.variance)]
      where values.count != 1 && values.count != count {
        throw Self.unfit("\(name) has \(values.count) numbers for \(count) channels")
      }
    }
    return input
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    let input = try outputShape(for: inputs)
    guard statistics == nil else { return [] }
    let shape = axes.isEmpty ? [] : Shape(try resolved(axes, in: input).map { input[$0] })
    return [Parameter("mean", shape, .mean), Parameter("variance", shape, .variance), Parameter("count", [], .count)]
  }
}
