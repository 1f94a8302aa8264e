/// Which parameters train, said without knowing the network: resolved against a graph it becomes a set of paths.
public indirect enum ParameterSelection: Hashable, Sendable {
  /// Everything.
  case all
  /// Nothing.
  case none
  /// The layers of the tasks' heads.
  case head
  /// Everything but the heads.
  case trunk
  /// The last stages of the trunk, counted from its output.
  case stages(last: Int)
  /// Consecutive stages of the trunk, both ends among them.
  case stageRange(from: String, through: String)
  /// One stage of the trunk.
  case stage(String)
  /// The last layers of the trunk that have something to train, counted from its output.
  case layers(last: Int)
  /// One layer.
  case layer(String)
  /// The layers whose names match.
  case layersMatching(NamePattern)
  /// A layer of the trunk and everything behind it up to the answers: what Keras's users freeze up to.
  case from(layer: String)
  /// The parameters whose paths, such as `block1_conv1/kernel`, match.
  case parametersMatching(NamePattern)
  /// The layers of a kind, by Keras's name with or without underscores: `batch_normalization`.
  case kind(String)
  /// Everything that is only added: biases, and the betas of normalisations.
  case bias
  /// The gammas and betas of normalisations.
  case normalization
  /// What is in either.
  case union(ParameterSelection, ParameterSelection)
  /// What is in the first and not in the second.
  case subtraction(ParameterSelection, ParameterSelection)
  /// What is in both.
  case intersection(ParameterSelection, ParameterSelection)

  /// Several layers by name; `none` for an empty list.
  public static func layers(_ names: [String]) -> ParameterSelection { union(of: names.map { .layer($0) }) }

  /// What is in any of several selections; `none` for an empty list.
  public static func union(of selections: some Sequence<ParameterSelection>) -> ParameterSelection {
    var iterator = selections.makeIterator()
    guard var result = iterator.next() else { return .none }
    while let next = iterator.next() { result = result + next }
    return result
  }

  /// What is in either selection.
  public static func + (left: ParameterSelection, right: ParameterSelection) -> ParameterSelection {
    .union(left, right)
  }

  /// What is in the first selection and not in the second.
  public static func - (left: ParameterSelection, right: ParameterSelection) -> ParameterSelection {
    .subtraction(left, right)
  }

  /// What is in both selections.
  public static func & (left: ParameterSelection, right: ParameterSelection) -> ParameterSelection {
    .intersection(left, right)
  }
}
