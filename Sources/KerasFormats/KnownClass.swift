/// Reads a custom class as a known one of which it is said to be nothing but another name.
enum KnownClass {
  /// The layer of this JSON with the known class in place of the custom one; other JSON comes back as it is.
  ///
  /// - Parameter classes: Known classes by custom ones.
  /// - Throws: ``WeightError`` with `unsupportedLayer` where the known class is none.
  static func named(_ json: JSON, by classes: [String: String], path: String) throws(WeightError) -> JSON {
    guard !classes.isEmpty, let kind = json["class_name"]?.string, var object = json.object else { return json }
    // Legacy files put the registered name, `package>Class`, in place of the class.
    let names = [
      json["registered_name"]?.string ?? kind, kind, kind.split(separator: ">").last.map(String.init) ?? kind,
    ]
    guard let known = names.lazy.compactMap({ classes[$0] }).first else { return json }
    guard LayerRegistry.kind(of: known) != nil else {
      let name = json["name"]?.string ?? json["config"]?["name"]?.string ?? ""
      let near = LayerRegistry.classNames.nearest(to: known, count: 5).joined(separator: ", ")
      throw WeightError(
        .unsupportedLayer, object: "layer \(path.isEmpty ? name : "\(path)/\(name)") (\(kind))",
        detail: "cannot be read as \(known), which is no known class; the nearest are \(near)")
    }
    object["class_name"] = .string(known)
    object["module"] = "keras.layers"
    object["registered_name"] = .string(known)
    return .object(object)
  }

  /// Options of every layer that change nothing about what it computes.
  private static let harmless: Set = [
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "batch_size", "input_shape", "input_dtype",
    "autocast", "data_format", "dim_ordering", "init", "weights", "seed", "activity_regularizer", "input_dim",
    "input_length", "build_input_shape", "synchronized", "quantization_config", "lora_rank", "lora_alpha",
  ]

  /// Refuses a custom layer with options that the known class does not have: it is more than another name.
  static func checkOptions(_ options: LayerOptions, customKind: String) throws(WeightError) {
    let endings = ["_initializer", "_regularizer", "_constraint", "_init"]
    let strange = options.values.members.map(\.key).filter { key in
      !options.lookups.keys.contains(key) && !harmless.contains(key) && !endings.contains { key.hasSuffix($0) }
    }
    guard strange.isEmpty else {
      throw WeightError(
        .unsupportedLayer, object: "layer \(options.layer) (\(customKind))",
        detail: "cannot be read as \(options.kind), which has no option \(strange.joined(separator: ", "))")
    }
  }
}

extension LayerOptions {
  /// The names of the options that have been looked up; shared by copies of the options.
  final class Lookups {
    var keys: Set<String> = []
  }
}
