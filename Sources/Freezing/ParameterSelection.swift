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
  /// One stage of the trunk.
  case stage(String)
  /// One layer.
  case layer(String)
  /// What is in either.
  case union(ParameterSelection, ParameterSelection)
  /// What is in the first and not in the second.
  case subtraction(ParameterSelection, ParameterSelection)

  /// Several layers by name; `none` for an empty list.
  public static func layers(_ names: [String]) -> ParameterSelection {
    guard let first = names.first else { return .none }
    return names.dropFirst().reduce(.layer(first)) { $0 + .layer($1) }
  }

  /// What is in either selection.
  public static func + (left: ParameterSelection, right: ParameterSelection) -> ParameterSelection {
    .union(left, right)
  }

  /// What is in the first selection and not in the second.
  public static func - (left: ParameterSelection, right: ParameterSelection) -> ParameterSelection {
    .subtraction(left, right)
  }
}
