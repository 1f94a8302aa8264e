import Graphs
import Tasks
import Tensors

extension Model {
  /// A model whose trunk is a backbone without its classifier, with a fresh head for each task.
  ///
  /// Every head begins with all classes alike: the kernels of the output layers are zero, as in BiT (Kolesnikov et al.,
  /// 2020). Random ones leave noise in the answers that a few pictures a class cannot train away.
  ///
  /// - Parameters:
  ///   - backbone: A network for pictures, RGB from 0 to 255; what follows its last stage is left out.
  ///   - weights: The backbone's weights.
  ///   - imageSize: Height and width of the pictures that go in.
  ///   - fit: How pictures are brought to that size, for the model's document.
  ///   - seed: What the first weights of whatever else a head has are drawn from.
  /// - Throws: ``ModelError`` with code `unfitTasks`, `unfitSize` or `noTrunk`.
  public static func fineTuning(
    _ backbone: Graph, weights: Weights, tasks: [TaskDescription], imageSize: Size2D,
    head: ClassificationHead = ClassificationHead(), fit: String = "crop",
    provenance: ModelDocument.Provenance? = nil, seed: UInt64
  ) throws(ModelError) -> Model {
    do throws(TaskError) {
      try tasks.validate()
    } catch {
      throw ModelError(.unfitTasks, subject: "tasks", detail: error.description)
    }
    let trunk = try trunk(of: backbone, imageSize: imageSize)
    do throws(GraphError) {
      var graph = trunk
      graph.modules = []
      let heads = try graph.addHeads(for: tasks, at: trunk.outputs[0], like: head)
      let trunkLayers = Set(trunk.layerNames)
      var values = Weights(weights.tensors.filter { trunkLayers.contains($0.key.layer) })
      let fresh = graph.layerNames.filter { !trunkLayers.contains($0) }
      for (path, tensor) in Weights.initial(for: graph, layers: fresh, seed: seed).tensors { values[path] = tensor }
      for head in heads {
        for parameter in graph.parameters(of: head.outputLayer) {
          values[ParameterPath(head.outputLayer, parameter.name)] = Tensor(zeros: parameter.shape)
        }
      }
      try values.check(against: graph)
      let document = ModelDocument(
        tasks: tasks, heads: heads,
        picture: ModelDocument.Picture(height: imageSize.height, width: imageSize.width, fit: fit),
        stages: graph.stages, provenance: provenance)
      return Model(graph: graph, weights: values, document: document)
    } catch {
      throw ModelError(.noTrunk, subject: "backbone \(backbone.name)", detail: error.description)
    }
  }

  /// The part of a backbone up to the end of its last stage, for pictures of the given size.
  private static func trunk(of backbone: Graph, imageSize: Size2D) throws(ModelError) -> Graph {
    let shape: Shape = [imageSize.height, imageSize.width, 3]
    let subject = "backbone \(backbone.name)"
    guard let input = backbone.inputs.first, backbone.inputs.count == 1, backbone.nodes[input].outputShape.rank == 3,
      backbone.nodes[input].outputShape[2] == 3
    else {
      let found = backbone.inputs.map { backbone.nodes[$0].outputShape.description }.joined(separator: ", ")
      throw ModelError(.noTrunk, subject: subject, detail: "expected one input of RGB pictures, found \(found)")
    }
    guard let end = backbone.trunkEnd else {
      throw ModelError(
        .noTrunk, subject: subject,
        detail: "has no layer with an image of more than one pixel that a head could stand on"
      )
    }
    // Cut first: the classifier that is left out may insist on the old size.
    var trunk = backbone.cut(at: [end])
    do throws(GraphError) {
      trunk = try trunk.resized(to: shape)
    } catch {
      throw ModelError(
        .unfitSize, subject: subject,
        detail: "cannot take pictures of \(imageSize.height) x \(imageSize.width): \(error)")
    }
    if trunk.stages.isEmpty { trunk.stages = trunk.stagesByResolution() }
    return trunk
  }
}
