import Graphs

/// Says the layers of Keras 1 in the words of Keras 2.
///
/// Options that Keras 2 names in the same way stay as they are, so that a description that mixes both is read too.
struct Keras1Layer {
  private let kind: String
  private let name: String
  private var options: JSONObject
  /// The order of axes that the network's layers have where they do not say it themselves.
  private let networkOrdering: String

  /// The layer of this JSON as Keras 2 would write it.
  ///
  /// - Parameter networkOrdering: `th` or `tf`, as the other layers of the network say.
  /// - Throws: ``WeightError`` with `unsupportedLayer` for what Keras 2 dropped.
  static func modernized(_ json: JSON, networkOrdering: String?) throws(WeightError) -> JSON {
    guard let kind = json["class_name"]?.string, let config = json["config"]?.object else { return json }
    var layer = Keras1Layer(
      kind: kind, name: json["name"]?.string ?? config["name"]?.string ?? kind, options: config,
      networkOrdering: networkOrdering ?? "tf")
    let modernKind = try layer.modernize()
    var result = json.object ?? [:]
    result["class_name"] = .string(modernKind)
    result["config"] = .object(layer.options)
    return .object(result)
  }

  /// The order of axes that the first layer with an opinion has, in a network or in those inside it.
  static func ordering(in json: JSON, depth: Int = 0) -> String? {
    guard depth < 16, let config = json["config"] else { return nil }
    if let ordering = config["dim_ordering"]?.string { return ordering }
    for layer in (config["layers"] ?? config).array ?? [] {
      if let ordering = ordering(in: layer, depth: depth + 1) { return ordering }
    }
    return nil
  }

  private func refusal(_ detail: String) -> WeightError {
    WeightError(.unsupportedLayer, object: "layer \(name) (\(kind))", detail: detail)
  }

  private static let dropped: Set = [
    "Highway", "MaxoutDense", "ParametricSoftplus", "SReLU", "TimeDistributedDense", "TimeDistributedMerge",
    "GraphLayer", "AutoEncoder", "Siamese",
  ]

  /// Changes the options and returns the class that has them today.
  private mutating func modernize() throws(WeightError) -> String {
    if Self.dropped.contains(kind) { throw refusal("is a layer of Keras 1 that no later Keras has") }
    rename("bias", to: "use_bias")
    rename("border_mode", to: "padding")
    if options["padding"] == "full" { throw refusal("has border_mode \"full\", which no later Keras has") }
    try renameOrdering()
    switch kind {
    case "Convolution1D", "AtrousConvolution1D":
      rename("nb_filter", to: "filters")
      rename("filter_length", to: "kernel_size")
      rename("subsample_length", to: "strides")
      rename("atrous_rate", to: "dilation_rate")
      return "Conv1D"
    case "Convolution2D", "AtrousConvolution2D", "Deconvolution2D", "SeparableConvolution2D":
      rename("nb_filter", to: "filters")
      rename("subsample", to: "strides")
      rename("atrous_rate", to: "dilation_rate")
      if let rows = options["nb_row"], let columns = options["nb_col"] { options["kernel_size"] = [rows, columns] }
      remove(["nb_row", "nb_col"])
      switch kind {
      // Its declared output shape stays: see `DeclaredSize`.
      case "Deconvolution2D": return "Conv2DTranspose"
      case "SeparableConvolution2D": return "SeparableConv2D"
      default: return "Conv2D"
      }
    case "Dense": rename("output_dim", to: "units")
    case "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout": rename("p", to: "rate")
    case "GaussianNoise": rename("sigma", to: "stddev")
    case "MaxPooling1D", "AveragePooling1D":
      rename("pool_length", to: "pool_size")
      rename("stride", to: "strides")
    case "UpSampling1D": rename("length", to: "size")
    case "ZeroPadding2D": spreadPadding()
    case "BatchNormalization": try checkNormalization()
    case "Merge": return try mergingKind()
    default: break
    }
    return kind
  }

  private mutating func rename(_ old: String, to new: String) {
    guard let index = options.members.firstIndex(where: { $0.key == old }) else { return }
    if options[new] == nil { options.members[index].key = new }
  }

  private mutating func remove(_ keys: [String]) { options.members.removeAll { keys.contains($0.key) } }

  /// Layers without kernels never wrote down their order of axes, although they have one.
  private static let silentKinds: Set = ["ZeroPadding2D", "Cropping2D", "UpSampling2D", "SpatialDropout2D"]

  private mutating func renameOrdering() throws(WeightError) {
    guard options["dim_ordering"] != nil || Self.silentKinds.contains(kind) else { return }
    let ordering = options["dim_ordering"]?.string ?? networkOrdering
    guard let format = ["th": "channels_first", "tf": "channels_last", "default": nil][ordering] else {
      throw refusal("has dim_ordering \"\(ordering)\"; only th and tf are known")
    }
    let known = format ?? (networkOrdering == "th" ? "channels_first" : "channels_last")
    remove(["dim_ordering"])
    if options["data_format"] == nil { options["data_format"] = .string(known) }
  }

  /// Four numbers, or names, stood for the four sides.
  private mutating func spreadPadding() {
    if let sides = options["padding"]?.array, sides.count == 4 {
      options["padding"] = [.array(Array(sides[..<2])), .array(Array(sides[2...]))]
    } else if let sides = options["padding"]?.object {
      func side(_ name: String) -> JSON { sides["\(name)_pad"] ?? 0 }
      options["padding"] = [[side("top"), side("bottom")], [side("left"), side("right")]]
    }
  }

  private func checkNormalization() throws(WeightError) {
    guard let mode = options["mode"]?.integer, mode != 0 else { return }
    let what = mode == 1 ? "normalises each sample by itself" : "takes its statistics from the batch in inference too"
    throw refusal("has mode \(mode), which \(what) and which no later Keras has")
  }

  private mutating func mergingKind() throws(WeightError) -> String {
    guard (options["mode_type"]?.string ?? "raw") == "raw", let mode = options["mode"]?.string else {
      throw refusal("merges by Python code, which is never run")
    }
    remove(["output_shape", "output_mask", "arguments"])
    switch mode {
    case "sum": return "Add"
    case "mul": return "Multiply"
    case "ave": return "Average"
    case "max": return "Maximum"
    case "concat":
      rename("concat_axis", to: "axis")
      return "Concatenate"
    case "dot":
      rename("dot_axes", to: "axes")
      return "Dot"
    default: throw refusal("merges by mode \"\(mode)\", which no later Keras has")
    }
  }
}

// MARK: - Chains that begin with a merge

extension Keras1Layer {
  /// A Sequential that begins with a merge of other Sequentials, as the functional network that it is; nil for any other.
  ///
  /// Keras 1 saved the weights of such a network as if the branches' layers were its own.
  static func functional(mergingChain config: JSON, name: String) throws(WeightError) -> JSON? {
    guard let layers = config.array, layers.first?["class_name"]?.string == "Merge",
      layers.first?["config"]?["layers"] != nil
    else { return nil }
    var network = Branches()
    let last = try network.append(layers, depth: 0)
    let inputs = network.inputs.map { JSON.array([.string($0), 0, 0]) }
    return [
      "name": .string(name), "layers": .array(network.layers), "input_layers": .array(inputs),
      "output_layers": [[.string(last), 0, 0]],
    ]
  }

  /// Layers of several chains in one list.
  private struct Branches {
    var layers: [JSON] = []
    var inputs: [String] = []

    /// Adds a chain and returns the name of its last layer.
    mutating func append(_ chain: [JSON], depth: Int) throws(WeightError) -> String {
      guard depth < 16, let first = chain.first else {
        throw WeightError(.invalidArchitecture, object: "the network", detail: "merges a chain without layers")
      }
      var before: [String] = []
      if let branches = first["config"]?["layers"]?.array, first["class_name"]?.string == "Merge" {
        for branch in branches {
          guard branch["class_name"]?.string == "Sequential", let inner = branch["config"]?.array else {
            throw WeightError(
              .unsupportedLayer, object: "the network",
              detail: "merges a \(branch["class_name"]?.string ?? "branch"), where only Sequential is supported")
          }
          before.append(try append(inner, depth: depth + 1))
        }
      } else {
        let name = "\(try Self.name(of: first))_input"
        layers.append([
          "class_name": "InputLayer", "name": .string(name),
          "config": ["name": .string(name), "batch_input_shape": first["config"]?["batch_input_shape"] ?? .null],
          "inbound_nodes": [],
        ])
        inputs.append(name)
        before = [name]
      }
      for layer in chain {
        let name = try Self.name(of: layer)
        var object = layer.object ?? [:]
        object["name"] = .string(name)
        object["inbound_nodes"] = [.array(before.map { [.string($0), 0, 0] })]
        layers.append(.object(object))
        before = [name]
      }
      return before[0]
    }

    private static func name(of layer: JSON) throws(WeightError) -> String {
      guard let name = layer["config"]?["name"]?.string else {
        throw WeightError(
          .invalidArchitecture, object: "a layer of class \(layer["class_name"]?.string ?? "?")", detail: "has no name")
      }
      return name
    }
  }
}
