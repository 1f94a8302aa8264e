import Graphs

/// A kind of layer that Keras's JSON can say and that can be said in Keras's JSON.
protocol KerasLayer: Layer {
  /// The class names in Keras that mean this kind.
  static var kerasClasses: [String] { get }
  /// The axis of a batch that the layer works along and that has to be the last one; nil if it asks for none.
  static func channelAxis(_ options: LayerOptions) throws(WeightError) -> Int?
  /// The layer that the options describe.
  init(_ options: LayerOptions) throws(WeightError)
  /// The class and options that describe the layer to Keras 3.
  func record() throws(WeightError) -> LayerRecord
}

extension KerasLayer {
  static var kerasClasses: [String] { [kind] }
  static func channelAxis(_ options: LayerOptions) throws(WeightError) -> Int? { nil }
}

/// The class and options of a layer in Keras's words, without its name.
struct LayerRecord {
  /// Keras's class name.
  var kind: String
  /// The options that differ from layer to layer of the class.
  var options: JSONObject
  /// The Python module that has the class.
  var module: String

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
    AveragePooling2D.self,
    BatchNormalization.self,
    Concatenate.self,
    Conv2D.self,
    Cropping2D.self,
    Dense.self,
    DepthwiseConv2D.self,
    Dropout.self,
    Flatten.self,
    GlobalAveragePooling2D.self,
    GlobalMaxPooling2D.self,
    LayerNormalization.self,
    LayerScale.self,
    MaxPooling2D.self,
    Multiply.self,
    Normalization.self,
    Permute.self,
    Rescaling.self,
    Reshape.self,
    ScaledAdd.self,
    SeparableConv2D.self,
    UpSampling2D.self,
    ZeroPadding2D.self,
  ]

  private static let kindsByClass: [String: any KerasLayer.Type] = {
    var result: [String: any KerasLayer.Type] = [:]
    for kind in kinds {
      for name in kind.kerasClasses { result[name] = kind }
    }
    return result
  }()

  /// The kind of a class name of Keras.
  static func kind(of className: String) -> (any KerasLayer.Type)? { kindsByClass[className] }
}
