import Graphs
import HDF5Files
import Tensors

/// The weights of one layer as they lie in a file.
struct StoredLayer {
  /// One array.
  struct Array {
    /// The name that the file gives it: `conv1/kernel:0`, or a number.
    var name: String
    /// The array itself, not yet read.
    var dataset: HDF5Dataset
  }

  /// The layer's name; nil in files that know only its class.
  var name: String?
  /// Where the file keeps the layer.
  var place: String
  /// The arrays in the order of the file.
  var arrays: [Array]

  /// What a person would call one of the arrays: the layer's name and the last part of the array's.
  func label(of array: Array) -> String {
    let variable = array.name.split(separator: "/").last ?? ""
    return "\(name ?? place)/\(variable.hasSuffix(":0") ? variable.dropLast(2) : variable)"
  }
}

/// The parameters of one layer of a network, as a file should hold them.
struct ExpectedLayer {
  /// The layer's name in the file.
  var name: String
  /// Where a file that knows only classes keeps it.
  var place: String
  /// The parameters in the order of the file, each with the name of its layer inside this one.
  var parameters: [ExpectedParameter]
}

/// One parameter of a network, as a file should hold it.
struct ExpectedParameter {
  /// What a parameter is multiplied with, as far as older files store it otherwise.
  enum Kernel: Hashable {
    /// Nothing that was ever stored otherwise.
    case none
    /// The windows of a convolution.
    case convolution
    /// The windows of a transposed convolution.
    case transposedConvolution
    /// One of the two kernels of a separable convolution.
    case separable
    /// The elements of an image `[H, W, C]` one after the other.
    case behindFlatten(Shape)
  }

  /// The parameter in the graph.
  var path: ParameterPath
  /// Its name inside the file's layer: `kernel`, or `conv1/kernel` in a nested network.
  var name: String
  /// Its extents.
  var shape: Shape
  /// Whether it counts something, which Keras stores as a whole number.
  var isCount: Bool
  /// What it is multiplied with.
  var kernel = Kernel.none
  /// Whether the layer says that it has its channels first, or last; nil if nobody says.
  var isChannelsFirst: Bool?
}
