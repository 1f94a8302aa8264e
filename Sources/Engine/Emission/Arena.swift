import CKernels

/// One allocation for all buffers of a plan, where buffers that do not live at the same time share their place.
struct Arena {
  /// Where each buffer will lie, before there is any memory.
  struct Layout {
    fileprivate let offsets: [(buffer: Buffer, offset: Int)]
    /// Whether buffers may lie where others have lain before.
    fileprivate let isShared: Bool
    /// The memory that it takes.
    let byteCount: Int

    /// Finds every buffer its place.
    ///
    /// Large buffers choose first, each the lowest place that is free for its whole life; that comes close to the least
    /// possible for lives as nested as those of a forward and a backward pass.
    init(of buffers: [Buffer], sharing: Bool) {
      struct Placed {
        var offset: Int
        var end: Int
        var life: ClosedRange<Int>
      }
      var placed: [Placed] = []
      var offsets: [(buffer: Buffer, offset: Int)] = []
      var total = 0
      let open = buffers.enumerated().filter { !$0.element.isPlaced }
        .sorted { ($1.element.byteCount, $0.offset) < ($0.element.byteCount, $1.offset) }
      for (_, buffer) in open {
        let life = buffer.isPersistent || !sharing ? 0...Int.max : buffer.life ?? 0...0
        let size = Layout.room(for: buffer)
        var offset = 0
        // `placed` is kept in order of offset, so the first gap that is wide enough is the lowest.
        for other in placed where other.life.overlaps(life) {
          if other.offset >= offset + size { break }
          offset = max(offset, other.end)
        }
        let entry = Placed(offset: offset, end: offset + size, life: life)
        let position = placed.firstIndex { $0.offset > offset } ?? placed.count
        placed.insert(entry, at: position)
        offsets.append((buffer, offset))
        total = max(total, entry.end)
      }
      self.offsets = offsets
      isShared = sharing
      byteCount = total
    }

    /// What a buffer takes, with at least a cache line behind it.
    fileprivate static func room(for buffer: Buffer) -> Int { (buffer.byteCount + 127) / 64 * 64 }
  }

  let memory: AlignedMemory

  /// Takes the memory, and gives every buffer its place.
  init(_ layout: Layout) throws(EngineError) {
    memory = try AlignedMemory(byteCount: layout.byteCount, subject: "plan")
    guard let base = memory.bytes.baseAddress else { return }
    for (buffer, offset) in layout.offsets { buffer.setPlace(base + offset) }
    guard !layout.isShared else { return }
    for (buffer, offset) in layout.offsets {
      graft_guard(base + offset + buffer.byteCount, Layout.room(for: buffer) - buffer.byteCount)
    }
  }

  var byteCount: Int { memory.bytes.count }
}
