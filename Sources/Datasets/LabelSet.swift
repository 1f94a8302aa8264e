/// The classes of one task: what a sample's label counts through.
public struct LabelSet: Hashable, Sendable, Codable {
  /// The task's name: the column's in a manifest, `class` for class folders.
  public let name: String
  /// The names of the classes; a label is a position in this list.
  public let classes: [String]

  /// A task with classes in the given order.
  public init(name: String, classes: [String]) {
    self.name = name
    self.classes = classes
  }

  /// A task whose classes are put into their order: as numbers where all are whole numbers, by their bytes otherwise.
  init(name: String, found: some Collection<String>) {
    let distinct = Set(found)
    let numbered = distinct.compactMap { name in Int(name).map { (number: $0, name: name) } }
    if numbered.count == distinct.count {
      let sorted = numbered.sorted { $0.number != $1.number ? $0.number < $1.number : $0.name.precedesInBytes($1.name) }
      self.init(name: name, classes: sorted.map(\.name))
    } else {
      self.init(name: name, classes: distinct.sorted { $0.precedesInBytes($1) })
    }
  }

  /// The label of every class.
  var labels: [String: Int] {
    Dictionary(zip(classes, classes.indices), uniquingKeysWith: { first, _ in first })
  }
}

extension String {
  /// Whether this string comes first when both are compared byte by byte in UTF-8, whatever the locale.
  func precedesInBytes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
