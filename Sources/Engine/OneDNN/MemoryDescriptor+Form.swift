import CDNNL

extension MemoryDescriptor {
  /// Extents and layout in words, for the table of a plan.
  struct Form: Hashable {
    /// oneDNN's order of axes: `[N, C, H, W]`, `[O, I, H, W]`.
    var dimensions: [Int]
    /// oneDNN's name of the layout, such as `nChw8c`: axes from the outermost to the innermost, those in blocks as
    /// capitals, and then the blocks.
    var layout: String
  }

  /// - Parameter letters: What the axes are called.
  func form(calling letters: String) -> Form? {
    let none = [Int64](repeating: 0, count: Int(DNNL_MAX_NDIMS))
    var (extents, strides, blocks, axes) = (none, none, none, none)
    var blockCount: Int32 = 0
    let rank = Int(graft_md_form(handle, &extents, &strides, &blocks, &axes, &blockCount))
    let letters = Array(letters)
    guard rank > 0, rank <= letters.count else { return nil }
    let blocked = Set(axes.prefix(Int(blockCount)))
    // An axis of one element may have any stride; of two with the same the first is the outer one.
    let order = (0..<rank).sorted { (-strides[$0], $0) < (-strides[$1], $1) }
    let outer = order.map { blocked.contains(Int64($0)) ? letters[$0].uppercased() : String(letters[$0]) }
    let inner = (0..<Int(blockCount)).map { "\(blocks[$0])\(letters[Int(axes[$0])])" }
    return Form(dimensions: extents.prefix(rank).map(Int.init), layout: (outer + inner).joined())
  }
}
