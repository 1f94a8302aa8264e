import CKernels
import Tensors

/// Rows of numbers that move from one array to another: where they start and how far apart they are.
struct RowCopy {
  var counts: (outer: Int, inner: Int)
  var row: Int
  var source: (start: Int, outer: Int, inner: Int)
  var target: (start: Int, outer: Int, inner: Int)

  /// The same rows on the way back.
  var reversed: RowCopy { RowCopy(counts: counts, row: row, source: target, target: source) }

  func run(from x: UnsafeRawPointer, to y: UnsafeMutableRawPointer, _ type: NumberType = .f32) {
    let (x, y) = (x + self.source.start * type.byteCount, y + self.target.start * type.byteCount)
    withStrides(target.outer, target.inner) { target in
      withStrides(source.outer, source.inner) { source in
        withStrides(counts.outer, counts.inner) { counts in
          graft_copy_rows(y, target, x, source, counts, row, type.kernel)
        }
      }
    }
  }

  private func withStrides(_ first: Int, _ second: Int, _ body: (UnsafePointer<Int>) -> Void) {
    withUnsafePointer(to: (first, second)) { pointer in
      pointer.withMemoryRebound(to: Int.self, capacity: 2) { body($0) }
    }
  }
}

extension Emitter {
  /// The extents of an image's array in its layout: samples, blocks, rows, columns, width of a block.
  func extents(_ activation: Activation) -> (samples: Int, blocks: Int, rows: Int, columns: Int, width: Int) {
    let view = view(activation)
    return (view.samples, view.blocks, activation.shape[0], activation.shape[1], view.width)
  }
}
