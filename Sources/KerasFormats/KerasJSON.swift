import Graphs

/// A network without weights as Keras's JSON.
public enum KerasJSON {
  /// The height and width of images where the JSON leaves them open and the caller has no wish.
  public static let usualSize = Size2D(224)

  /// The graph that JSON of Keras 1, 2 or 3 describes.
  ///
  /// Nothing in the JSON is ever run: Lambda and custom layers are refused by name.
  ///
  /// - Parameters:
  ///   - inputSize: Height and width of images where the JSON leaves them open.
  ///   - options: Known classes in place of custom ones; the rest is of no use here.
  /// - Throws: ``WeightError`` with `invalidArchitecture`, `unsupportedLayer`, `tooLarge` or `damaged`.
  public static func graph(
    from json: String, inputSize: Size2D? = nil, options: LoadOptions = .strict
  ) throws(WeightError) -> Graph {
    let value = try parse(Array(json.utf8), object: nil)
    let model = try ModelReader(kerasVersion: nil, json: value, options: options).model(value)
    return try GraphBuilder.graph(of: model, openSize: inputSize ?? usualSize)
  }

  /// Keras 3's JSON of a graph, which `keras.models.model_from_json` opens.
  ///
  /// Networks that were nested are nested again. A slash in a layer's name, which Keras 3 does not allow, becomes an
  /// underscore.
  ///
  /// - Throws: ``WeightError`` with `inexpressible`.
  public static func json(for graph: Graph, frozenLayers: Set<String> = []) throws(WeightError) -> String {
    try ModelWriter(frozenLayers: frozenLayers).json(ModelNester.description(of: graph)).text
  }

  /// Keras's names of all kinds of layers that are read and written.
  public static var layerKinds: [String] { LayerRegistry.kinds.map { $0.kind } }

  /// The value that bytes of JSON stand for.
  static func parse(_ bytes: [UInt8], object: String?) throws(WeightError) -> JSON {
    do throws(JSONFailure) {
      return try JSON(parsing: bytes)
    } catch {
      throw WeightError(
        .damaged, object: object, detail: "is no JSON that can be read: \(error.detail) (byte \(error.offset))")
    }
  }
}
