import Graphs
import Tensors

/// What the Keras that wrote a file means by the arrays in it.
struct WeightDialect: Hashable {
  /// Whether Keras 1 wrote the file, whose kernels have axes in other orders.
  var isKeras1 = false
  /// Whether the file's kernels have the channels first; nil where that is not known for the file as a whole.
  var isChannelsFirst: Bool?
  /// Whether the backend turned kernels by 180 degrees when it applied them.
  var turnsKernels = false

  /// How an array of these extents becomes a parameter; nil if it cannot.
  ///
  /// Keras 2's own rules for older files: channels first means `[filters, channels, rows, columns]`, and Theano's kernels
  /// are turned.
  func conversion(from stored: Shape, to parameter: ExpectedParameter) -> ArrayConversion? {
    var conversion: ArrayConversion?
    let isFirst = isKeras1 && (parameter.isChannelsFirst ?? isChannelsFirst ?? false)
    switch parameter.kernel {
    case .convolution where isKeras1 && stored.rank == 4, .separable where isKeras1 && stored.rank == 4:
      conversion = ArrayConversion(stored, order: isFirst ? [2, 3, 1, 0] : [0, 1, 2, 3], into: parameter.shape)
    case .transposedConvolution where isKeras1 && stored.rank == 4:
      conversion = ArrayConversion(stored, order: isFirst ? [2, 3, 0, 1] : [0, 1, 3, 2], into: parameter.shape)
    case .behindFlatten(let image) where isFirst && stored == parameter.shape && parameter.isChannelsFirst == nil:
      conversion = ArrayConversion(rowsBehind: image, of: stored)
    default:
      conversion = stored == parameter.shape ? ArrayConversion(keeping: stored) : nil
    }
    guard turnsKernels, var turned = conversion,
      [.convolution, .transposedConvolution].contains(parameter.kernel), turned.order.count > 2
    else { return conversion }
    turned.reversed = Set(0..<turned.order.count - 2)
    return turned
  }
}
