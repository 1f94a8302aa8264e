import Graphs

/// Reads Keras's JSON of a network, as Keras 2 and Keras 3 write it.
struct ModelReader {
  /// Whether an older Keras wrote the file: some names meant other things then.
  let isKeras2: Bool

  /// A reader for JSON whose version is known from the file around it, or is guessed from its words.
  init(kerasVersion: String?, json: JSON) throws(WeightError) {
    let version = kerasVersion ?? json["keras_version"]?.string
    if let major = version?.split(separator: ".").first.flatMap({ Int($0) }) {
      guard major >= 2 else {
        throw WeightError(
          .invalidArchitecture, object: "Keras \(version ?? "1")", detail: "wrote this; Keras 2 and 3 are read")
      }
      isKeras2 = major == 2
    } else {
      isKeras2 = !Self.speaksKeras3(json, depth: 0)
    }
  }

  /// The network that the JSON describes.
  ///
  /// - Throws: ``WeightError`` with `invalidArchitecture` or `unsupportedLayer`.
  func model(_ json: JSON) throws(WeightError) -> ModelDescription {
    guard let kind = json["class_name"]?.string, let config = json["config"] else {
      throw WeightError(.invalidArchitecture, object: "the network", detail: "has no class_name and config")
    }
    guard Self.modelKinds.contains(kind) else {
      throw WeightError(
        .unsupportedLayer, object: "the network",
        detail: "is of class \(kind); only Functional and Sequential networks can be read without their Python code")
    }
    return try model(config, kind: kind, path: "")
  }

  private static let modelKinds: Set = ["Functional", "Model", "Network", "Sequential"]

  private static func speaksKeras3(_ json: JSON, depth: Int) -> Bool {
    guard depth < 8, let config = json["config"] else { return false }
    for layer in (config["layers"] ?? config).array ?? [] {
      if layer["config"]?["batch_shape"] != nil || layer["inbound_nodes"]?.array?.first?.object != nil { return true }
      if speaksKeras3(layer, depth: depth + 1) { return true }
    }
    return false
  }

  private func model(_ config: JSON, kind: String, path: String) throws(WeightError) -> ModelDescription {
    // The first releases of Keras 2 wrote a Sequential's layers without anything around them.
    guard let layers = (config["layers"] ?? config).array else {
      throw WeightError(
        .invalidArchitecture, object: path.isEmpty ? "the network" : "layer \(path)", detail: "has no list of layers")
    }
    let name = config["name"]?.string ?? kind.lowercased()
    let isTrainable = config["trainable"]?.bool ?? true
    guard layers.count <= ModelDescription.maximumLayerCount else {
      throw WeightError(
        .tooLarge, object: "network \(name)",
        detail: "has \(layers.count) layers, more than the \(ModelDescription.maximumLayerCount) that are read")
    }
    var model = ModelDescription(
      name: name, kind: kind == "Sequential" ? .sequential : .functional, layers: [], inputs: [], outputs: [])
    for json in layers {
      var layer = try layer(json, path: path)
      layer.isTrainable = layer.isTrainable && isTrainable
      model.layers.append(layer)
    }
    if model.kind == .sequential {
      try model.chain(buildInputShape: config["build_input_shape"], firstConfig: layers.first?["config"], path: path)
    } else {
      try connect(&model, layers: layers, config: config)
    }
    var names: Set<String> = []
    for layer in model.layers where !names.insert(layer.name).inserted {
      throw WeightError(.invalidArchitecture, object: "layer \(layer.path)", detail: "stands twice in the network")
    }
    return model
  }
}

// MARK: - Layers

extension ModelReader {
  private func layer(_ json: JSON, path: String) throws(WeightError) -> LayerDescription {
    guard let kind = json["class_name"]?.string, let config = json["config"] else {
      throw WeightError(
        .invalidArchitecture, object: path.isEmpty ? "the network" : "layer \(path)",
        detail: "holds a layer without class_name and config")
    }
    guard let name = json["name"]?.string ?? config["name"]?.string ?? (kind == "Sequential" ? "sequential" : nil)
    else {
      throw WeightError(.invalidArchitecture, object: "a layer of class \(kind)", detail: "has no name")
    }
    let place = path.isEmpty ? name : "\(path)/\(name)"
    try Self.checkName(name, place: place)
    let options = LayerOptions(layer: place, kind: kind, isKeras2: isKeras2, values: config.object ?? [:])
    try Self.refuseForeign(json, options)
    var result = LayerDescription(
      name: name, path: place, content: .input(dimensions: nil), calls: [],
      isTrainable: config["trainable"]?.bool ?? true)
    if kind == "InputLayer" {
      for word in ["sparse", "ragged"] { try options.refuse(word, unless: [false], reason: "which is not supported") }
      result.content = .input(dimensions: try Self.dimensions(options["batch_shape"] ?? options["batch_input_shape"]))
      result.calls = [[]]
    } else if Self.modelKinds.contains(kind) {
      result.content = .model(try model(config, kind: kind, path: place))
    } else {
      guard let type = LayerRegistry.kind(of: kind) else {
        throw options.failure(.unsupportedLayer, "is of a class that is not known; no foreign code is run")
      }
      try Self.checkCommon(options)
      result.content = .layer(try type.init(options))
      result.channelAxis = try type.channelAxis(options)
    }
    return result
  }

  private static func checkName(_ name: String, place: String) throws(WeightError) {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !name.isEmpty, name.utf8.count <= 4096, !name.unicodeScalars.contains(where: { $0.value < 0x20 }),
      !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." })
    else {
      throw WeightError(
        .invalidArchitecture, object: "layer \(place.prefix(200))", detail: "has a name that no path can carry")
    }
  }

  /// Refuses what only Python code could explain.
  private static func refuseForeign(_ json: JSON, _ options: LayerOptions) throws(WeightError) {
    if options.kind == "Lambda" {
      throw options.failure(.unsupportedLayer, "holds Python code, which is never run")
    }
    let registered = json["registered_name"]?.string ?? ""
    let module = json["module"]?.string ?? "keras"
    let isOurs = ["keras", "tf_keras", "tensorflow", "builtins"].contains { module == $0 || module.hasPrefix("\($0).") }
    guard isOurs, !registered.contains(">") else {
      throw options.failure(
        .unsupportedLayer, "is a custom layer (\(registered.isEmpty ? module : registered)), whose code is never run")
    }
  }

  private static func checkCommon(_ options: LayerOptions) throws(WeightError) {
    for key in ["data_format", "dim_ordering"] {
      if let format = options[key]?.string, format == "channels_first" || format == "th" {
        throw options.failure(
          .unsupportedLayer, "has its channels first; save the model with data_format channels_last to use it here")
      }
    }
    let type = options["dtype"]
    guard let name = type?.string ?? type?["config"]?["name"]?.string else { return }
    let known = ["float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"]
    guard known.contains(name) else {
      throw options.failure(.unsupportedLayer, "computes in \(name); only floating-point networks are read")
    }
  }

  /// The extents of one sample, from a shape with the batch before it; nil where the JSON holds no such shape.
  fileprivate static func dimensions(_ shape: JSON?) throws(WeightError) -> [Int?]? {
    guard let extents = shape?.array, !extents.isEmpty else { return nil }
    var result: [Int?] = []
    for extent in extents.dropFirst() {
      if extent.isNull {
        result.append(nil)
      } else if let number = extent.integer {
        guard number >= 0 else {
          throw WeightError(.invalidArchitecture, object: "the input", detail: "has the extent \(number)")
        }
        result.append(number)
      } else {
        return nil
      }
    }
    return result
  }
}

// MARK: - Connections

extension ModelReader {
  private func connect(_ model: inout ModelDescription, layers: [JSON], config: JSON) throws(WeightError) {
    var places: [String: Int] = [:]
    for (index, layer) in model.layers.enumerated() { places[layer.name] = index }
    let callCounts = layers.indices.map { index in
      max(layers[index]["inbound_nodes"]?.array?.count ?? 0, model.layers[index].calls.count)
    }
    let finder = ReferenceFinder(model: model, places: places, callCounts: callCounts, isKeras2: isKeras2)
    for (index, json) in layers.enumerated() where model.layers[index].calls.isEmpty {
      for node in json["inbound_nodes"]?.array ?? [] {
        model.layers[index].calls.append(try finder.inputs(of: node, layer: model.layers[index]))
      }
    }
    model.inputs = try finder.references(in: config["input_layers"] ?? .null, key: "input_layers")
    model.outputs = try finder.references(in: config["output_layers"] ?? .null, key: "output_layers")
    for input in model.inputs {
      guard case .input = model.layers[input.layer].content else {
        throw WeightError(
          .invalidArchitecture, object: "layer \(model.layers[input.layer].path)", detail: "is an input of no InputLayer")
      }
    }
    guard !model.outputs.isEmpty else {
      throw WeightError(.invalidArchitecture, object: "network \(model.name)", detail: "has no outputs")
    }
  }
}

/// Turns Keras's ways to name a tensor into references.
private struct ReferenceFinder {
  let model: ModelDescription
  let places: [String: Int]
  let callCounts: [Int]
  let isKeras2: Bool

  /// The tensors that one application of a layer takes.
  func inputs(of node: JSON, layer: LayerDescription) throws(WeightError) -> [TensorReference] {
    if node.object != nil {
      var result: [TensorReference] = []
      for argument in node["args"]?.array ?? [] { try append(argument, to: &result, layer) }
      for member in node["kwargs"]?.object?.members ?? [] {
        try append(named: member.key, member.value, to: &result, layer)
      }
      return result
    }
    guard let list = node.array else {
      throw WeightError(.invalidArchitecture, object: "layer \(layer.path)", detail: "has inbound_nodes of no known form")
    }
    let tensors = list.first?.string == nil ? list : [node]
    var result: [TensorReference] = []
    for tensor in tensors {
      result.append(try reference(tensor))
      for member in tensor.array?.dropFirst(3).first?.object?.members ?? [] {
        var further: [TensorReference] = []
        try append(named: member.key, member.value, to: &further, layer)
        result += further
      }
    }
    return result
  }

  private func append(
    named key: String, _ value: JSON, to result: inout [TensorReference], _ layer: LayerDescription
  ) throws(WeightError) {
    switch (key, value) {
    case (_, .null), ("training", .bool(false)): return
    case ("inputs", _): try append(value, to: &result, layer)
    case ("training", _) where !Self.dependsOnTraining(layer): return
    default:
      throw WeightError(
        .unsupportedLayer, object: "layer \(layer.path)",
        detail: "is called with \(key) = \(value.spoken), which is not supported")
    }
  }

  private static func dependsOnTraining(_ layer: LayerDescription) -> Bool {
    switch layer.content {
    case .layer(let layer): layer is Dropout || layer is BatchNormalization
    case .model, .input: true
    }
  }

  private func append(
    _ value: JSON, to result: inout [TensorReference], _ layer: LayerDescription
  ) throws(WeightError) {
    if value.isNull { return }
    if let list = value.array {
      for element in list { try append(element, to: &result, layer) }
      return
    }
    guard value["class_name"]?.string == "__keras_tensor__", let history = value["config"]?["keras_history"]?.array,
      history.count == 3, let name = history[0].string, let call = history[1].integer, let output = history[2].integer
    else {
      throw WeightError(
        .unsupportedLayer, object: "layer \(layer.path)",
        detail: "is called with \(value.spoken), where only outputs of other layers are supported")
    }
    result.append(try reference(name, call: call, output: output))
  }

  /// The tensors in a list, or in lists or objects of them.
  func references(in value: JSON, key: String) throws(WeightError) -> [TensorReference] {
    if let object = value.object {
      var result: [TensorReference] = []
      for member in object.members.sorted(by: { $0.key < $1.key }) {
        result += try references(in: member.value, key: key)
      }
      return result
    }
    guard let list = value.array else {
      throw WeightError(.invalidArchitecture, object: "network \(model.name)", detail: "has no \(key)")
    }
    if list.first?.string != nil { return [try reference(value)] }
    var result: [TensorReference] = []
    for element in list { result += try references(in: element, key: key) }
    return result
  }

  private func reference(_ list: JSON) throws(WeightError) -> TensorReference {
    guard let parts = list.array, parts.count >= 3, let name = parts[0].string, let call = parts[1].integer,
      let output = parts[2].integer
    else {
      throw WeightError(
        .invalidArchitecture, object: "network \(model.name)", detail: "names a tensor by \(list.spoken)")
    }
    guard let place = places[name] else { throw unknown(name) }
    // In lists a nested network's own making counts as its first application, unless it was made without an input.
    var isCounted = false
    if case .model(let inner) = model.layers[place].content {
      isCounted = inner.kind == .functional || (isKeras2 && inner.knowsInput)
    }
    let shifted = isCounted && (0..<callCounts[place]).contains(call - 1) ? call - 1 : call
    return try reference(name, call: shifted, output: output)
  }

  private func reference(_ name: String, call: Int, output: Int) throws(WeightError) -> TensorReference {
    guard let place = places[name] else { throw unknown(name) }
    var outputCount = 1
    if case .model(let inner) = model.layers[place].content { outputCount = inner.outputs.count }
    guard (0..<callCounts[place]).contains(call), (0..<outputCount).contains(output) else {
      throw WeightError(
        .invalidArchitecture, object: "layer \(name)",
        detail: "has no output \(output) of application \(call), which another layer asks for")
    }
    return TensorReference(layer: place, call: call, output: output)
  }

  private func unknown(_ name: String) -> WeightError {
    WeightError(.invalidArchitecture, object: "layer \(name.prefix(200))", detail: "is named as an input, but is not there")
  }
}

extension ModelDescription {
  /// More layers than this in one network are refused.
  static let maximumLayerCount = 20_000

  /// Whether the shape of the first input is written down.
  fileprivate var knowsInput: Bool {
    guard let input = inputs.first, case .input(let dimensions) = layers[input.layer].content else { return false }
    return dimensions != nil
  }

  /// Connects the layers one behind the other, with an input before them.
  fileprivate mutating func chain(buildInputShape: JSON?, firstConfig: JSON?, path: String) throws(WeightError) {
    guard let first = layers.first else {
      throw WeightError(.invalidArchitecture, object: "network \(name)", detail: "has no layers")
    }
    if case .input(let dimensions) = first.content {
      if dimensions == nil {
        layers[0].content = .input(dimensions: try ModelReader.dimensions(buildInputShape))
      }
    } else {
      var dimensions = try ModelReader.dimensions(firstConfig?["batch_input_shape"] ?? firstConfig?["batch_shape"])
      if dimensions == nil { dimensions = try ModelReader.dimensions(buildInputShape) }
      if dimensions == nil, case .model(let inner) = first.content, let input = inner.inputs.first,
        case .input(let innerDimensions) = inner.layers[input.layer].content
      {
        dimensions = innerDimensions
      }
      let inputName = "\(first.name)_input"
      layers.insert(
        LayerDescription(
          name: inputName, path: path.isEmpty ? inputName : "\(path)/\(inputName)",
          content: .input(dimensions: dimensions), calls: [[]]),
        at: 0)
    }
    for index in layers.indices.dropFirst() {
      layers[index].calls = [[TensorReference(layer: index - 1, call: 0, output: 0)]]
    }
    inputs = [TensorReference(layer: 0, call: 0, output: 0)]
    outputs = [TensorReference(layer: layers.count - 1, call: 0, output: 0)]
  }
}
