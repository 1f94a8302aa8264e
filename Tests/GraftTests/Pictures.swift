import Foundation

/// A folder for one test, removed with its owner.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("graft-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Pictures that a machine can tell apart.
enum Pictures {
  /// Fills a folder with class folders of small bitmaps: each class has a colour of its own, each picture a pattern.
  static func write(classes: [String], count: Int, side: Int = 32, to folder: String) throws {
    for (label, name) in classes.enumerated() {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
      for number in 0..<count {
        let bytes = bitmap(side: side) { x, y in
          let stripe = ((x + y * (number + 1)) / 4).isMultiple(of: 2) ? 40 : 0
          return (0..<3).map { UInt8(($0 == label % 3 ? 180 : 30) + stripe) }
        }
        try bytes.write(to: URL(fileURLWithPath: "\(folder)/\(name)/picture\(number).bmp"))
      }
    }
  }

  /// A square bitmap of 24 bits a pixel, bottom row first, blue first.
  static func bitmap(side: Int, _ colour: (_ x: Int, _ y: Int) -> [UInt8]) -> Data {
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
