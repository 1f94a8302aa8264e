import Backbones
import Graphs
import KerasFormats

extension Backbone {
  /// Loads the trunk of a pretrained network.
  ///
  /// A file may hold a network of any kind with its weights, or the weights alone of a family that is known. Whatever a
  /// known family does to pictures before its first layer becomes a part of the network.
  ///
  /// - Parameters:
  ///   - name: The name of a model in `pretrained/`, or the path of a `.h5`, `.weights.h5` or `.keras` file.
  ///   - folders: Where names are looked for; the usual folders if nil.
  ///   - family: The family that the file's weights belong to; see ``Backbone/init(_:size:family:cutAt:options:mode:)``.
  ///   - cutLayer: The last layer of the trunk; see ``Backbone/init(_:size:family:cutAt:options:mode:)``.
  ///   - options: How the file's arrays find their places; everything must fit unless they say otherwise.
  ///   - mode: How a file is read that is not a pretrained one.
  /// - Throws: `BackboneError` where nothing has this name, the file is not the one that its manifest describes, or it
  ///   cannot be read.
  public static func load(
    _ name: String, in folders: PretrainedFolders? = nil, family: BackboneFamily? = nil, cutAt cutLayer: String? = nil,
    options: LoadOptions = .strict, mode: ReadingMode = .inProcess
  ) throws(BackboneError) -> Backbone {
    let places = if let folders { folders } else { try PretrainedFolders() }
    let source = try places.resolve(name)
    if case .pretrained(let entry) = source { try entry.verify() }
    return try Backbone(source, family: family, cutAt: cutLayer, options: options, mode: mode)
  }

  /// The size of the pictures that it was trained on.
  public var imageSize: Size2D {
    if let model { return model.inputSize }
    guard let input = graph.inputs.first, graph.nodes[input].outputShape.rank == 3 else { return Size2D(224) }
    return Size2D(graph.nodes[input].outputShape[0], graph.nodes[input].outputShape[1])
  }

  /// The name by which people know it: the model's in its manifest, the file otherwise.
  public var name: String { model?.name ?? path }
}
