import Graphs

/// A network as Keras describes it: layers, some of them networks themselves, and how they are connected.
///
/// It stands between Keras's JSON and ``Graph`` in both directions, and says in which order and under which names the
/// weights lie in a file.
struct ModelDescription {
  /// How Keras writes the network down.
  enum Kind: String {
    /// Layers with explicit connections.
    case functional = "Functional"
    /// A chain of layers.
    case sequential = "Sequential"
  }

  /// The network's own name.
  var name: String
  /// How Keras writes it down.
  var kind: Kind
  /// All layers; inputs are layers too.
  var layers: [LayerDescription]
  /// The outputs of the layers that values are fed to, in order.
  var inputs: [TensorReference]
  /// The results, in order.
  var outputs: [TensorReference]
  /// The extents of one sample of what is passed between layers, nil where any will do; empty for what was read.
  var shapes: [TensorReference: [Int?]] = [:]
}

/// One layer of a network with all its applications.
struct LayerDescription {
  /// What the layer does.
  indirect enum Content {
    /// A place for values from outside, of one sample's extents as far as they are known.
    case input(dimensions: [Int?]?)
    /// A computation.
    case layer(any KerasLayer)
    /// A network of its own.
    case model(ModelDescription)
  }

  /// The name in Keras's file, unique among its siblings.
  var name: String
  /// The name in the graph, which carries the names of all parents; the module's path for a network.
  var path: String
  /// What the layer does.
  var content: Content
  /// The inputs of every application.
  var calls: [[TensorReference]]
  /// Whether the file says that the layer may train.
  var isTrainable = true
  /// Whether the layer says that its channels come first, or last; nil if it does not say.
  var isChannelsFirst: Bool?
  /// The height and width of the output that a transposed convolution of Keras 1 declares.
  var declaredSize: Size2D?
}

/// One output of one application of a layer.
struct TensorReference: Hashable {
  /// The position of the layer in its network.
  var layer: Int
  /// Which application of it.
  var call: Int
  /// Which of its outputs; only networks have several.
  var output: Int
}
