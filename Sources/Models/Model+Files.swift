import Graphs
import KerasFormats
import Tensors

extension Model {
  /// Opens a model: a file of Graft, or any whole-model file of Keras, whose classes have no names then.
  ///
  /// - Parameters:
  ///   - path: A `.keras` or whole-model `.h5` file.
  ///   - imageSize: Height and width of pictures where the file leaves them open.
  ///   - mode: Whether the file is read here or in a process without rights.
  /// - Throws: `WeightError` where the file cannot be read, ``ModelError`` where its `graft.json` does not fit.
  public static func read(
    _ path: String, imageSize: Size2D? = nil, mode: ReadingMode = .inProcess
  ) throws -> Model {
    let file = try KerasFiles.read(path, inputSize: imageSize, mode: mode)
    var graph = file.graph
    guard let bytes = file.architecture.graftDocument else { return Model(graph: graph, weights: file.weights) }
    let document = try ModelDocument(json: bytes, name: path)
    // Where a network takes any size, its file does not say which one it was made for.
    let shape: Shape = [document.picture.height, document.picture.width, 3]
    if let input = graph.inputs.first, let layer = graph.layer(of: input) as? Input, !layer.freeAxes.isEmpty,
      document.picture.height > 0, document.picture.width > 0
    {
      graph = try graph.resized(to: shape)
    }
    try document.check(against: graph, name: path)
    let names = Set(graph.layerNames)
    graph.stages = document.stages.map { stage in
      Stage(name: stage.name, layers: stage.layers.filter(names.contains))
    }
    return Model(graph: graph, weights: file.weights, document: document)
  }

  /// Writes the model as a file that stock Keras 3 opens, whole or not at all.
  ///
  /// - Parameter format: `keras` or `wholeModelH5`.
  /// - Throws: `WeightError`, or ``ModelError`` where the document cannot be written as JSON.
  public func write(to path: String, format: KerasFormat = .keras) throws {
    try KerasFiles.write(graph, weights: weights, to: path, format: format, graftDocument: try document?.json())
  }
}
