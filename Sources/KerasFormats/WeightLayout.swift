import Graphs
import Tensors

/// In which order and under which names Keras keeps the weights of a network.
struct WeightLayout {
  private let graph: Graph
  private let model: ModelDescription

  /// The layout of a graph that was read from, or is written as, a description.
  init(_ model: ModelDescription, graph: Graph) {
    self.graph = graph
    self.model = model
  }

  /// The layers of a legacy HDF5 file: those of the outermost network, with all weights of a nested one in one list.
  ///
  /// A nested network lists what can train first, then everything else, both in the order of its layers.
  func legacyLayers() -> [ExpectedLayer] {
    LayerOrder.positions(of: model).map { position in
      let layer = model.layers[position]
      let all = parameters(of: layer, isTrainable: true, prefix: nil)
      let parameters = all.filter(\.isTrainable) + all.filter { !$0.isTrainable }
      return ExpectedLayer(name: layer.name, place: layer.name, parameters: parameters.map(\.parameter))
    }
  }

  private func parameters(
    of layer: LayerDescription, isTrainable: Bool, prefix: String?
  ) -> [(parameter: ExpectedParameter, isTrainable: Bool)] {
    let isTrainable = isTrainable && layer.isTrainable
    switch layer.content {
    case .input: return []
    case .layer:
      return graph.parameters(of: layer.path).map { parameter in
        let name = prefix.map { "\($0)/\(parameter.name)" } ?? parameter.name
        return (
          expected(parameter, of: layer, name: name),
          isTrainable && parameter.isTrainable
        )
      }
    case .model(let inner):
      return LayerOrder.positions(of: inner).flatMap { position in
        let layer = inner.layers[position]
        return parameters(
          of: layer, isTrainable: isTrainable, prefix: prefix.map { "\($0)/\(layer.name)" } ?? layer.name)
      }
    }
  }

  /// The layers of a Keras 3 weights file: each in a group named after its class and a running number.
  func storeLayers() -> [ExpectedLayer] {
    var result: [ExpectedLayer] = []
    appendStoreLayers(of: model, place: "layers", prefix: "", to: &result)
    return result
  }

  private func appendStoreLayers(
    of model: ModelDescription, place: String, prefix: String, to result: inout [ExpectedLayer]
  ) {
    var counts: [String: Int] = [:]
    for position in LayerOrder.positions(of: model) {
      let layer = model.layers[position]
      // A Sequential does not count its input among its layers; an input has no weights, so it may be counted.
      let base = layer.className.snakeCased
      let count = counts[base, default: 0]
      counts[base] = count + 1
      let group = "\(place)/\(count == 0 ? base : "\(base)_\(count)")"
      let parameters = graph.parameters(of: layer.path).map { expected($0, of: layer, name: $0.name) }
      result.append(ExpectedLayer(name: prefix + layer.name, place: group, parameters: parameters))
      if case .model(let inner) = layer.content {
        appendStoreLayers(of: inner, place: "\(group)/layers", prefix: "\(prefix)\(layer.name)/", to: &result)
      }
    }
  }
}

extension WeightLayout {
  private func expected(_ parameter: Parameter, of layer: LayerDescription, name: String) -> ExpectedParameter {
    ExpectedParameter(
      path: ParameterPath(layer.path, parameter.name), name: name, shape: parameter.shape,
      isCount: parameter.role == .count, kernel: kernel(parameter.name, of: layer.path),
      isChannelsFirst: layer.isChannelsFirst)
  }

  private func kernel(_ variable: String, of name: String) -> ExpectedParameter.Kernel {
    guard variable.hasSuffix("kernel"), let layer = graph[layer: name] else { return .none }
    switch type(of: layer).kind {
    case "Conv1D", "Conv2D": return .convolution
    case "Conv1DTranspose", "Conv2DTranspose": return .transposedConvolution
    case "SeparableConv1D", "SeparableConv2D": return .separable
    case Dense.kind: return graph.imageBehindFlatten(before: name).map { .behindFlatten($0) } ?? .none
    default: return .none
    }
  }
}

extension Graph {
  /// The image whose elements come into a layer one after the other; nil if its input is something else.
  fileprivate func imageBehindFlatten(before layer: String) -> Shape? {
    var node = firstNode(of: layer).flatMap { nodes[$0].inputs.first }
    while let current = node, nodes[current].outputShape.rank == 1 {
      guard let before = nodes[current].inputs.first else { return nil }
      if self.layer(of: current) is Flatten {
        return nodes[before].outputShape.rank == 3 ? nodes[before].outputShape : nil
      }
      // What keeps the number of elements, such as an activation, keeps their order too.
      guard nodes[before].outputShape == nodes[current].outputShape, parameters(of: nodes[current].layer).isEmpty else {
        return nil
      }
      node = before
    }
    return nil
  }
}

extension LayerDescription {
  /// Keras 3's class name.
  var className: String {
    switch content {
    case .input: Input.kind
    case .layer(let layer): (try? layer.record().kind) ?? type(of: layer).kind
    case .model(let model): model.kind.rawValue
    }
  }
}
