extension String {
  /// A class name as Keras turns it into a name of layers and groups: `DepthwiseConv2D` into `depthwise_conv2d`.
  package var snakeCased: String {
    let scalars = Array(unicodeScalars.filter { $0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" })
    // Keras puts an underscore before a capital that small letters follow, then between a small letter and a capital.
    var words: [Unicode.Scalar] = []
    var index = 0
    while index < scalars.count {
      let isWord =
        index > 0 && index + 1 < scalars.count && scalars[index].isCapital && scalars[index + 1].isSmall
        && words.last != "_"
      if isWord { words.append("_") }
      words.append(scalars[index])
      index += 1
    }
    var result = ""
    for (index, scalar) in words.enumerated() {
      if index > 0, words[index - 1].isSmall, scalar.isCapital { result += "_" }
      result += String(scalar).lowercased()
    }
    return result
  }
}

extension Unicode.Scalar {
  fileprivate var isCapital: Bool { ("A"..."Z").contains(self) }
  fileprivate var isSmall: Bool { ("a"..."z").contains(self) }
}
