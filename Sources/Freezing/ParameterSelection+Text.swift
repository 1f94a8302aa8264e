extension ParameterSelection: CustomStringConvertible {
  /// The selection as it is written in a schedule: `head + stages:last 2`.
  public var description: String {
    switch self {
    case .all: "all"
    case .none: "none"
    case .head: "head"
    case .trunk: "trunk"
    case .bias: "bias"
    case .normalization: "normalization"
    case .stages(let last): "stages:last \(last)"
    case .stageRange(let first, let last): "stages:\(first.asSelectionName)..\(last.asSelectionName)"
    case .stage(let name): "stage:\(name.asSelectionName)"
    case .layers(let last): "layers:last \(last)"
    case .layer(let name): "layer:\(name.asSelectionName)"
    case .layersMatching(let pattern): "layer:\(pattern)"
    case .from(let layer): "from:\(layer.asSelectionName)"
    case .parametersMatching(let pattern): "parameter:\(pattern)"
    case .kind(let name): "kind:\(name.asSelectionName)"
    case .union(let left, let right): "\(left) + \(right.asOperand)"
    case .subtraction(let left, let right): "\(left) - \(right.asOperand)"
    case .intersection(let left, let right): "\(left) & \(right.asOperand)"
    }
  }

  /// With parentheses where it would otherwise be read as two operands.
  private var asOperand: String {
    switch self {
    case .union, .subtraction, .intersection: "(\(self))"
    default: description
    }
  }

  /// Reads a selection.
  ///
  /// The words are
  ///
  /// - `all`, `none`, `head`, `trunk`, `bias` and `normalization`,
  /// - `stage:NAME`, `stages:last N` and `stages:NAME..NAME`,
  /// - `layer:NAME`, `layer:/PATTERN/`, `layers:last N` and `from:NAME`,
  /// - `parameter:/PATTERN/` and `kind:NAME`,
  ///
  /// joined from left to right by ` + `, ` - ` and ` & ` with spaces around them, with parentheses where needed. A name
  /// with spaces, parentheses, quotes or two dots stands in double quotes, with a backslash before a quote or backslash
  /// inside. A pattern (``NamePattern``) stands between slashes, with a backslash before a slash inside.
  ///
  /// - Throws: `ScheduleError.Code.syntax` saying what was expected.
  public init(_ text: String) throws(ScheduleError) {
    var parser = SelectionParser(text)
    self = try parser.parse()
  }
}

extension ParameterSelection: Codable {
  /// Reads the selection from its text.
  public init(from decoder: any Decoder) throws {
    self = try ParameterSelection(decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the selection's text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension String {
  /// The name as it stands in a selection, in quotes where it would not be read as one name.
  fileprivate var asSelectionName: String {
    // A leading slash is kept free for patterns.
    let isSpecial =
      isEmpty || hasPrefix("/") || hasSuffix(".") || contains("..")
      || contains { $0.isWhitespace || "()\"\\".contains($0) }
    if !isSpecial { return self }
    let escaped = map { "\"\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    return "\"\(escaped)\""
  }
}
