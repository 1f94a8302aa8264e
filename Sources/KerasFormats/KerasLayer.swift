import Graphs

/// A kind of layer that Keras's JSON can say and that can be said in Keras's JSON.
protocol KerasLayer: Layer {
  /// The class names in Keras that mean this kind.
  static var kerasClasses: [String] { get }
  /// The same layer for inputs with so many axes of a sample, said in the one way in which graphs say it.
  func canonical(rank: Int) -> any KerasLayer
  /// The layer that the options describe.
  init(_ options: LayerOptions) throws(WeightError)
  /// Whether the layer does the same to every element, so that the order of the axes does not matter to it.
  var followsAxes: Bool { get }
  /// The same layer for values whose channels were moved from the first axis of a sample to the last; nil where it has to
  /// be applied to Keras's own order.
  func turned(rank: Int) -> (any KerasLayer)?
  /// The class and options that describe the layer to Keras 3.
  func record() throws(WeightError) -> LayerRecord
}

extension KerasLayer {
  static var kerasClasses: [String] { [kind] }
  var followsAxes: Bool { false }
  func turned(rank: Int) -> (any KerasLayer)? { followsAxes ? self : nil }
  func canonical(rank: Int) -> any KerasLayer { self }
}

/// The class and options of a layer in Keras's words, without its name.
struct LayerRecord {
  /// Keras's class name.
  var kind: String
  /// The options that differ from layer to layer of the class.
  var options: JSONObject
  /// The Python module that has the class.
  var module: String
  /// Whether Keras has this as an operation, which has no options of a layer.
  var isOperation = false
  /// Whether the class takes the option `trainable`.
  var takesTrainable = true
  /// What an operation is called with behind its tensors.
  var arguments: [JSON] = []

  init(_ kind: String, _ options: JSONObject = [:], module: String = "keras.layers") {
    self.kind = kind
    self.options = options
    self.module = module
  }
}

/// All kinds that Keras's files may hold.
enum LayerRegistry {
  /// One line a kind.
  static let kinds: [any KerasLayer.Type] = [
    Activation.self,
    Add.self,
    AlphaDropout.self,
    Average.self,
    AveragePooling1D.self,
    AveragePooling2D.self,
    BatchNormalization.self,
    CenterCrop.self,
    Concatenate.self,
    Conv1D.self,
    Conv1DTranspose.self,
    Conv2D.self,
    Conv2DTranspose.self,
    Cropping1D.self,
    Cropping2D.self,
    Dense.self,
    DepthwiseConv1D.self,
    DepthwiseConv2D.self,
    Dot.self,
    Dropout.self,
    Flatten.self,
    GaussianDropout.self,
    GaussianNoise.self,
    GlobalAveragePooling1D.self,
    GlobalAveragePooling2D.self,
    GlobalMaxPooling1D.self,
    GlobalMaxPooling2D.self,
    GroupNormalization.self,
    Identity.self,
    LayerNormalization.self,
    LayerScale.self,
    MaxPooling1D.self,
    MaxPooling2D.self,
    Maximum.self,
    Minimum.self,
    Multiply.self,
    Normalization.self,
    PReLU.self,
    Permute.self,
    RMSNormalization.self,
    Reduction.self,
    RepeatVector.self,
    Rescaling.self,
    Reshape.self,
    Resizing.self,
    ScaledAdd.self,
    SeparableConv1D.self,
    SeparableConv2D.self,
    Slicing.self,
    Softmax.self,
    SpatialDropout1D.self,
    SpatialDropout2D.self,
    Stack.self,
    Subtract.self,
    UnitNormalization.self,
    UpSampling1D.self,
    UpSampling2D.self,
    ZeroPadding1D.self,
    ZeroPadding2D.self,
  ]

  private static let kindsByClass = table(of: kinds.filter { !($0 is any OperatorLayer.Type) })

  private static let kindsByOperation =
    table(of: kinds.filter { $0 is any OperatorLayer.Type }).merging(["Clip": Activation.self]) { own, _ in own }

  private static func table(of kinds: [any KerasLayer.Type]) -> [String: any KerasLayer.Type] {
    var result: [String: any KerasLayer.Type] = [:]
    for kind in kinds {
      for name in kind.kerasClasses { result[name] = kind }
    }
    return result
  }

  /// All class names of Keras that are known, in alphabetical order.
  static var classNames: [String] { kindsByClass.keys.sorted() }

  /// The kind of a class name of Keras.
  static func kind(of className: String) -> (any KerasLayer.Type)? { kindsByClass[className] }

  /// The kind that computes what one of Keras's operations does.
  static func kind(ofOperation name: String) -> (any KerasLayer.Type)? { kindsByOperation[name] }
}
