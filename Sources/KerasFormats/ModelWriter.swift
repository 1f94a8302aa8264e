import Graphs

/// Writes a network as Keras 3's JSON.
struct ModelWriter {
  /// The layers that are written as frozen, by their names in the graph.
  let frozenLayers: Set<String>

  /// The JSON of the outermost network.
  ///
  /// - Throws: ``WeightError`` with `inexpressible`, naming the layer.
  func json(_ model: ModelDescription) throws(WeightError) -> JSON { .object(try object(model)) }

  private func object(_ model: ModelDescription) throws(WeightError) -> JSONObject {
    switch model.kind {
    case .functional:
      [
        "module": "keras.src.models.functional", "class_name": "Functional", "config": try functional(model),
        "registered_name": "Functional",
      ]
    case .sequential:
      ["module": "keras", "class_name": "Sequential", "config": try sequential(model), "registered_name": nil]
    }
  }

  private func functional(_ model: ModelDescription) throws(WeightError) -> JSON {
    var layers: [JSON] = []
    for layer in model.layers {
      var object = try object(layer)
      let more = try record(of: layer)?.arguments ?? []
      object["name"] = .string(layer.name)
      let isList = if case .layer(let value) = layer.content { value.takesList } else { false }
      object["inbound_nodes"] = .array(
        layer.calls.filter { !$0.isEmpty }.map { call in
          let tensors = call.map { tensor($0, in: model) }
          let arguments = isList || tensors.count > 1 ? [.array(tensors)] : tensors
          return ["args": .array(arguments + more), "kwargs": [:]]
        })
      layers.append(.object(object))
    }
    return [
      "name": .string(model.name), "trainable": true, "layers": .array(layers),
      "input_layers": places(model.inputs, in: model), "output_layers": places(model.outputs, in: model),
    ]
  }

  private func sequential(_ model: ModelDescription) throws(WeightError) -> JSON {
    var layers: [JSON] = []
    for layer in model.layers { layers.append(.object(try object(layer))) }
    return [
      "name": .string(model.name), "trainable": true, "dtype": Self.precision, "layers": .array(layers),
      "build_input_shape": Self.batched(model.inputs.first.flatMap { model.shapes[$0] } ?? []),
    ]
  }

  private static let precision: JSON = [
    "module": "keras", "class_name": "DTypePolicy", "config": ["name": "float32"], "registered_name": nil,
  ]

  private func object(_ layer: LayerDescription) throws(WeightError) -> JSONObject {
    var kind = Input.kind
    var module = "keras.layers"
    var config: JSONObject = [:]
    switch layer.content {
    case .model(let model): return try object(model)
    case .input(let dimensions):
      config = [
        "batch_shape": Self.batched(dimensions ?? []), "dtype": "float32", "sparse": false,
        "name": .string(layer.name),
      ]
    case .layer:
      guard let record = try record(of: layer) else { break }
      (kind, module) = (record.kind, record.module)
      config = ["name": .string(layer.name)]
      if !record.isOperation {
        if record.takesTrainable { config["trainable"] = .bool(!frozenLayers.contains(layer.path)) }
        config["dtype"] = Self.precision
      }
      config.members += record.options.members
    }
    return [
      "module": .string(module), "class_name": .string(kind), "config": .object(config),
      "registered_name": module == "keras.layers" ? nil : .string(kind),
    ]
  }

  /// What a layer is in Keras's words; nil for inputs and networks.
  private func record(of layer: LayerDescription) throws(WeightError) -> LayerRecord? {
    guard case .layer(let value) = layer.content else { return nil }
    do throws(WeightError) {
      return try value.record()
    } catch {
      throw WeightError(error.code, object: "layer \(layer.path)", detail: error.detail)
    }
  }

  private static func batched(_ dimensions: [Int?]) -> JSON {
    .array([.null] + dimensions.map { $0.map { .integer($0) } ?? .null })
  }

  private func tensor(_ reference: TensorReference, in model: ModelDescription) -> JSON {
    [
      "class_name": "__keras_tensor__",
      "config": [
        "shape": Self.batched(model.shapes[reference] ?? []), "dtype": "float32",
        "keras_history": [
          .string(model.layers[reference.layer].name), .integer(reference.call), .integer(reference.output),
        ],
      ],
    ]
  }

  /// Inputs or outputs: one alone stands without a list around it, as its structure is that of the model's arguments.
  private func places(_ references: [TensorReference], in model: ModelDescription) -> JSON {
    let places = references.map { reference -> JSON in
      let layer = model.layers[reference.layer]
      // Here the making of a nested functional network counts as its first application.
      var call = reference.call
      if case .model(let inner) = layer.content, inner.kind == .functional { call += 1 }
      return [.string(layer.name), .integer(call), .integer(reference.output)]
    }
    return places.count == 1 ? places[0] : .array(places)
  }
}

extension KerasLayer {
  /// Whether Keras calls the layer with a list of tensors.
  fileprivate var takesList: Bool { Self.self is any MergingLayer.Type }
}
