import Graphs

/// Reads Keras's JSON of a network, as Keras 1, 2 and 3 write it.
struct ModelReader {
  /// Whether Keras 1 wrote the file, in whose layers most options have other names.
  let isKeras1: Bool
  /// Whether an older Keras than 3 wrote the file: some names meant other things then.
  let isKeras2: Bool
  /// Known classes by the names of custom classes.
  let knownClasses: [String: String]
  /// The order of axes that the layers of a file of Keras 1 have where they do not say it themselves.
  private let networkOrdering: String?

  /// A reader for JSON whose version is known from the file around it, or is guessed from its words.
  ///
  /// - Parameter isKeras1: Whether a file without a version is one of Keras 1.
  init(kerasVersion: String?, json: JSON, isKeras1: Bool = false, options: LoadOptions = .strict) {
    let version = kerasVersion ?? json["keras_version"]?.string
    if let major = version?.split(separator: ".").first.flatMap({ Int($0) }) {
      self.isKeras1 = major < 2
      isKeras2 = major < 3
    } else {
      self.isKeras1 = isKeras1
      isKeras2 = isKeras1 || !Self.speaksKeras3(json, depth: 0)
    }
    networkOrdering = self.isKeras1 ? Keras1Layer.ordering(in: json) : nil
    knownClasses = options.knownClasses
  }

  /// The network that the JSON describes.
  ///
  /// - Throws: ``WeightError`` with `invalidArchitecture` or `unsupportedLayer`.
  func model(_ json: JSON) throws(WeightError) -> ModelDescription {
    guard let kind = json["class_name"]?.string, let config = json["config"] else {
      throw WeightError(.invalidArchitecture, object: "the network", detail: "has no class_name and config")
    }
    guard kind != "Graph" else {
      throw WeightError(
        .unsupportedLayer, object: "the network",
        detail: "is of class Graph, which Keras 1 itself dropped; only Model and Sequential are read")
    }
    guard Self.modelKinds.contains(kind) else {
      throw WeightError(
        .unsupportedLayer, object: "the network",
        detail: "is of class \(Self.customName(of: json) ?? kind); only Functional and Sequential networks can be read "
          + "without their Python code")
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

  private func model(_ stored: JSON, kind: String, path: String) throws(WeightError) -> ModelDescription {
    var (config, kind) = (stored, kind)
    let ownName = config["name"]?.string ?? path.split(separator: "/").last.map(String.init) ?? kind.lowercased()
    if isKeras1, kind == "Sequential", let network = try Keras1Layer.functional(mergingChain: config, name: ownName) {
      (config, kind) = (network, "Functional")
    }
    // The first releases of Keras 2 wrote a Sequential's layers without anything around them.
    guard let saved = (config["layers"] ?? config).array else {
      throw WeightError(
        .invalidArchitecture, object: path.isEmpty ? "the network" : "layer \(path)", detail: "has no list of layers")
    }
    var layers: [JSON] = []
    layers.reserveCapacity(saved.count)
    for json in saved { layers.append(try OperatorNode.asLayer(json)) }
    let name = ownName
    let isTrainable = config["trainable"]?.bool ?? true
    guard layers.count <= ModelDescription.maximumLayerCount else {
      throw WeightError(
        .tooLarge, object: "network \(name)",
        detail: "has \(layers.count) layers, more than the \(ModelDescription.maximumLayerCount) that are read")
    }
    var model = ModelDescription(
      name: name, kind: kind == "Sequential" ? .sequential : .functional, layers: [], inputs: [], outputs: [])
    var unnamedCount = 0
    for json in layers {
      var layer = try layer(json, path: path, unnamedCount: &unnamedCount)
      layer.isTrainable = layer.isTrainable && isTrainable
      model.layers.append(layer)
    }
    if model.kind == .sequential {
      try model.chain(buildInputShape: config["build_input_shape"], firstConfig: layers.first?["config"], path: path)
    } else {
      try connect(&model, layers: layers, config: config)
      model.joinPickedPlaces()
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
  private func layer(
    _ saved: JSON, path: String, unnamedCount: inout Int
  ) throws(WeightError) -> LayerDescription {
    let known = try KnownClass.named(saved, by: knownClasses, path: path)
    let json = isKeras1 ? try Keras1Layer.modernized(known, networkOrdering: networkOrdering) : known
    guard let kind = json["class_name"]?.string, let config = json["config"] else {
      throw WeightError(
        .invalidArchitecture, object: path.isEmpty ? "the network" : "layer \(path)",
        detail: "holds a layer without class_name and config")
    }
    var wish = json["name"]?.string ?? config["name"]?.string
    if wish == nil, kind == "Sequential" {
      // A list of layers has no place for a name; these are the names that Keras gives.
      unnamedCount += 1
      wish = "sequential_\(unnamedCount)"
    }
    guard let name = wish else {
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
      let isOperation = json["module"]?.string == OperatorNode.module
      guard let type = isOperation ? LayerRegistry.kind(ofOperation: kind) : LayerRegistry.kind(of: kind) else {
        throw options.failure(.unsupportedLayer, "is of a class that is not known; no foreign code is run")
      }
      try Self.checkType(options)
      result.isChannelsFirst = try Self.isChannelsFirst(options)
      let value = try type.init(options)
      result.content = .layer(value)
      if isKeras1, let transposed = value as? Conv2DTranspose {
        result.declaredSize = try DeclaredSize.read(
          options, filters: transposed.filters, isChannelsFirst: result.isChannelsFirst ?? false)
      }
      if !knownClasses.isEmpty, let customKind = saved["class_name"]?.string, known != saved {
        try KnownClass.checkOptions(options, customKind: customKind)
      }
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
    guard let custom = customName(of: json) else { return }
    throw options.failure(
      .unsupportedLayer,
      "is a custom layer (\(custom)), whose code is never run; if it is only another name of a known class, say which")
  }

  /// The name under which a class was registered that is none of Keras's own; nil for those.
  private static func customName(of json: JSON) -> String? {
    let kind = json["class_name"]?.string ?? ""
    let registered = json["registered_name"]?.string ?? (kind.contains(">") ? kind : "")
    let module = json["module"]?.string ?? "keras"
    let isOurs = ["keras", "tf_keras", "tensorflow", "builtins"].contains { module == $0 || module.hasPrefix("\($0).") }
    if isOurs && !registered.contains(">") { return nil }
    return registered.isEmpty ? module : registered
  }

  /// Whether a layer says that its channels come first, or last; nil if it does not say.
  private static func isChannelsFirst(_ options: LayerOptions) throws(WeightError) -> Bool? {
    switch options["data_format"]?.string {
    case "channels_first": return true
    case "channels_last": return false
    case nil: return nil
    case let format?:
      throw options.failure(
        .unsupportedLayer, "has data_format \"\(format)\"; only channels_first and channels_last are known")
    }
  }

  private static func checkType(_ options: LayerOptions) throws(WeightError) {
    let type = options["dtype"]
    guard let name = type?.string ?? type?["config"]?["name"]?.string else { return }
    let known = ["float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"]
    guard known.contains(name) else {
      throw options.failure(.unsupportedLayer, "computes in \(name); only floating-point networks are read")
    }
  }

  /// The extents of one sample, from a shape with the batch before it; nil where the JSON holds no such shape.
  static func dimensions(_ shape: JSON?) throws(WeightError) -> [Int?]? {
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
          .invalidArchitecture, object: "layer \(model.layers[input.layer].path)",
          detail: "is an input of no InputLayer")
      }
    }
    guard !model.outputs.isEmpty else {
      throw WeightError(.invalidArchitecture, object: "network \(model.name)", detail: "has no outputs")
    }
  }
}

// MARK: - Chains

extension ModelDescription {
  /// More layers than this in one network are refused.
  static let maximumLayerCount = 20_000

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
