import Datasets
import Foundation
import Testing

@Suite struct PictureDecoderTests {
  @Test func everyCommittedPictureIsTested() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Fixtures.folder)
    let known = Set(Fixtures.goldens.keys.map { $0.split(separator: ":").last.map(String.init) ?? $0 })
    #expect(names.filter { !$0.hasPrefix("bad-") && $0 != "goldens.json" && !known.contains($0) } == [])
    #expect(Fixtures.goldens.count > 50)
  }

  @Test(arguments: Fixtures.goldens.keys.filter { !$0.contains(":") }.sorted())
  func pictureIsDecodedAsPillowDoes(name: String) throws {
    let golden = try #require(Fixtures.goldens[name])
    let bytes = try PictureDecoder(width: golden.width, height: golden.height).bytes(Fixtures.path(name))
    #expect(bytes.count == golden.bytes.count)
    let difference = largestDifference(bytes, golden.bytes)
    #expect(difference <= golden.tolerance, "differs by \(difference)")
  }

  @Test(arguments: Fixtures.goldens.keys.filter { $0.contains(":") }.sorted())
  func pictureIsFramedAndScaledAsPillowDoes(name: String) throws {
    let golden = try #require(Fixtures.goldens[name])
    let words = name.split(separator: ":").map(String.init)
    let decoder = PictureDecoder(width: golden.width, height: golden.height, fit: try Fit(named: words[0]))
    let difference = largestDifference(try decoder.bytes(Fixtures.path(words[1])), golden.bytes)
    #expect(difference <= golden.tolerance, "differs by \(difference)")
  }

  @Test(arguments: [
    ("bad-text.jpg", "expected a JPEG, PNG, WebP, GIF, TIFF or BMP picture, found text"),
    ("bad-svg.png", "expected a JPEG, PNG, WebP, GIF, TIFF or BMP picture, found text"),
    ("bad-empty.png", "expected a JPEG, PNG, WebP, GIF, TIFF or BMP picture, found an empty file"),
    ("bad-pdf.jpg", "expected a JPEG, PNG, WebP, GIF, TIFF or BMP picture, found a PDF"),
    ("bad-random.gif", "expected a JPEG, PNG, WebP, GIF, TIFF or BMP picture, found data of no known kind"),
    ("bad-truncated.png", "the PNG data is damaged or ends early"),
    ("bad-truncated-below-the-crop.png", "the PNG data is damaged or ends early"),
    ("bad-checksum.png", "the PNG data is damaged or ends early"),
    ("bad-truncated.jpg", "the JPEG data is damaged or ends early"),
    ("bad-truncated.webp", "the WebP data is damaged or ends early"),
    ("bad-truncated.gif", "the GIF data is damaged or ends early"),
    ("bad-truncated.tif", "the TIFF data is damaged or ends early"),
    ("bad-truncated.tiff", "the TIFF data is damaged or ends early"),
    ("bad-truncated.bmp", "the BMP data ends early: 64x48 pixels of 24 bits do not fit"),
    ("bad-huge.png", "declares 100000x100000 pixels, more than the 268435456 that are allowed"),
    ("bad-huge.bmp", "the BMP data ends early: 100000x100000 pixels of 24 bits do not fit"),
    ("bad-huge-negative.bmp", "the BMP data ends early: 2x2147483648 pixels of 24 bits do not fit"),
    ("bad-rle.bmp", "expected a BMP without compression, found RLE8; save it as PNG or uncompressed BMP"),
    ("bad-palette.bmp", "a BMP pixel has colour 9 of a palette of 5"),
    ("bad-mask.bmp", "expected one run of bits as the BMP's mask of red, found 0xff00ff"),
    ("bad-strip.png", "has 1x500 pixels, a strip too thin to be shown to a model"),
  ])
  func badPictureIsRefusedWithASentence(name: String, detail: String) {
    let error = datasetError { _ = try PictureDecoder(size: 32).picture(at: Fixtures.path(name)) }
    #expect(error?.code == .picture)
    #expect(error?.subject == Fixtures.path(name))
    #expect(error?.detail.hasPrefix(detail) == true, "\(error?.detail ?? "no error")")
  }

  @Test func everyBadPictureIsTested() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Fixtures.folder).filter { $0.hasPrefix("bad-") }
    #expect(names.count == 21)
  }

  @Test func missingFilesFoldersAndPipesAreRefused() throws {
    let folder = try TemporaryFolder()
    mkfifo(folder.path + "/pipe.jpg", 0o600)
    try FileManager.default.createDirectory(atPath: folder.path + "/folder.jpg", withIntermediateDirectories: true)
    let details = ["none.jpg", "folder.jpg", "pipe.jpg"].map { name in
      datasetError { _ = try PictureDecoder(size: 8).picture(at: folder.path + "/" + name) }?.detail
    }
    #expect(
      details == [
        "the file cannot be opened: No such file or directory", "expected a file, found a folder",
        "expected a file, found a device or pipe",
      ])
  }

  @Test func pixelLimitHolds() {
    var decoder = PictureDecoder(size: 8)
    decoder.pixelLimit = 24 * 16 - 1
    for name in ["colour.png", "colour.jpg", "still.gif", "lossy.webp", "plain.tif"] {
      let error = datasetError { _ = try decoder.picture(at: Fixtures.path(name)) }
      #expect(error?.detail == "declares 24x16 pixels, more than the 383 that are allowed")
    }
  }

  @Test(arguments: Fit.allCases)
  func everyShapeOfPictureFillsEveryShapeOfOutput(fit: Fit) throws {
    for name in ["large.png", "orientation-6.jpg", "24-bits.bmp", "lossy.webp"] {
      for (width, height) in [(1, 1), (1, 40), (40, 1), (7, 5), (64, 64), (300, 10), (96, 64)] {
        let bytes = try PictureDecoder(width: width, height: height, fit: fit).bytes(Fixtures.path(name))
        #expect(bytes.count == width * height * 3)
        #expect(bytes.contains { $0 < 240 }, "\(name) at \(width)x\(height) is white")
      }
    }
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func damagedBytesAreAPictureOrAnErrorButNoCrash(seed: UInt64) throws {
    let folder = try TemporaryFolder()
    var decoder = PictureDecoder(size: 16)
    decoder.pixelLimit = 1 << 20
    for (number, name) in Fixtures.goldens.keys.filter({ !$0.contains(":") }).sorted().enumerated() {
      var generator = SeededGenerator(seed: seed, UInt64(number))
      var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Fixtures.path(name))))
      // Headers are where damage leads furthest.
      for _ in 0..<3 { bytes[generator.index(below: min(80, bytes.count))] = UInt8(generator.index(below: 256)) }
      bytes[generator.index(below: bytes.count)] ^= UInt8(1 << generator.index(below: 8))
      if seed.isMultiple(of: 2) { bytes.removeLast(generator.index(below: bytes.count)) }
      let path = folder.path + "/" + name
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let error = datasetError { _ = try decoder.picture(at: path) }
      #expect(error == nil || error?.code == .picture && error?.subject == path)
    }
  }

  @Test func messagesBelongToTheirFilesWhateverThreadsRun() throws {
    let names = ["bad-truncated.png", "bad-truncated.jpg", "bad-truncated.webp", "bad-truncated.gif", "colour.png"]
    let decoder = PictureDecoder(size: 16)
    func detail(_ name: String) -> String? {
      datasetError { _ = try decoder.picture(at: Fixtures.path(name)) }?.detail
    }
    let alone = names.map(detail)
    let samples = (0..<200).map { Sample(path: names[$0 % names.count], labels: [0]) }
    let task = LabelSet(name: "class", classes: ["a", "b"])
    let dataset = Dataset(root: Fixtures.folder, tasks: [task], samples: samples)
    let check = try PictureCheck(PictureLoader(dataset, decoder: decoder, threadCount: 4), policy: .count(200))
    #expect(check.failures.count == 160)
    #expect(check.failures.map(\.detail) == (0..<200).compactMap { alone[$0 % names.count] })
  }
}
