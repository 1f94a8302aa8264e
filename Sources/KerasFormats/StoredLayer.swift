import Graphs
import Tensors

/// The weights of one layer as they lie in a file.
struct StoredLayer {
  /// One array.
  struct Array {
    /// The name that the file gives it: `conv1/kernel:0`, or a number.
    var name: String
    /// The array itself, not yet read.
    var dataset: StoredArray
  }

  /// The layer's name; nil in files that know only its class.
  var name: String?
  /// Where the file keeps the layer.
  var place: String
  /// The arrays in the order of the file.
  var arrays: [Array]
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
  /// The parameter in the graph.
  var path: ParameterPath
  /// Its name inside the file's layer: `kernel`, or `conv1/kernel` in a nested network.
  var name: String
  /// Its extents.
  var shape: Shape
  /// Whether it counts something, which Keras stores as a whole number.
  var isCount: Bool
}
