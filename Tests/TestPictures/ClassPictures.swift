import Foundation

/// Small pictures that a machine can tell apart, for the tests of the library and of the command.
package enum ClassPictures {
  /// Fills a folder with bitmaps: the channel `colour` is bright, if there is such a one, and each picture has a pattern
  /// of its own.
  package static func write(colour: Int, count: Int, side: Int, to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for number in 0..<count {
      let bytes = bitmap(side: side) { x, y in
        let stripe = ((x + y * (number + 1)) / 4).isMultiple(of: 2) ? 40 : 0
        return (0..<3).map { UInt8(($0 == colour ? 180 : 30) + stripe) }
      }
      try bytes.write(to: URL(fileURLWithPath: "\(folder)/picture\(number).bmp"))
    }
  }

  /// A square bitmap of 24 bits a pixel, bottom row first, blue first.
  private static func bitmap(side: Int, _ colour: (_ x: Int, _ y: Int) -> [UInt8]) -> Data {
    let rowLength = (side * 3 + 3) / 4 * 4
    var bytes = Data("BM".utf8)
    func append(_ value: Int, _ count: Int) {
      for byte in 0..<count { bytes.append(UInt8(value >> (8 * byte) & 0xff)) }
    }
    append(54 + rowLength * side, 4)
    append(0, 4)
    append(54, 4)
    for (value, count) in [(40, 4), (side, 4), (side, 4), (1, 2), (24, 2), (0, 4), (rowLength * side, 4)] {
      append(value, count)
    }
    for _ in 0..<4 { append(0, 4) }
    for y in (0..<side).reversed() {
      for x in 0..<side { bytes.append(contentsOf: colour(x, y).reversed()) }
      append(0, rowLength - side * 3)
    }
    return bytes
  }
}
