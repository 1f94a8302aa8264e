import Datasets
import Foundation
import Testing

@Suite struct PictureLoaderTests {
  private static let good = ["colour.png", "colour.jpg", "still.gif", "lossy.webp", "plain.tif", "24-bits.bmp"]
  private let decoder = PictureDecoder(size: 20)

  private func dataset(_ names: [String]) -> Dataset {
    Dataset(
      root: Fixtures.folder, tasks: [LabelSet(name: "class", classes: ["a", "b"])],
      samples: names.map { Sample(path: $0, labels: [0]) })
  }

  private func floats(_ batches: PictureBatches, batchSize: Int) throws -> [(samples: [Int], values: [Float])] {
    let output = UnsafeMutableBufferPointer<Float>.allocate(capacity: batchSize * decoder.byteCount)
    defer { output.deallocate() }
    var all: [(samples: [Int], values: [Float])] = []
    while let samples = try batches.next(into: output) {
      all.append((Array(samples), Array(output[0..<samples.count * decoder.byteCount])))
    }
    return all
  }

  @Test(arguments: [1, 3], [1, 4, 100])
  func batchesComeInOrderWhateverThreadsDecode(threadCount: Int, batchSize: Int) throws {
    let names = (0..<50).map { PictureLoaderTests.good[$0 * 7 % 6] }
    let loader = PictureLoader(dataset(names), decoder: decoder, threadCount: threadCount)
    let order = SampleOrder.shuffled(Array(names.indices), seed: 9, epoch: 0)
    let batches = loader.batches(of: order, batchSize: batchSize, prefetchCount: 1)
    #expect(batches.remainingCount == (50 + batchSize - 1) / batchSize)
    let all = try floats(batches, batchSize: batchSize)
    #expect(batches.remainingCount == 0)
    #expect(all.flatMap(\.samples) == order)
    let expected = try order.flatMap { try decoder.bytes(Fixtures.path(names[$0])).map(Float.init) }
    #expect(all.flatMap(\.values) == expected)
  }

  @Test func theFirstBadPictureInOrderIsTheErrorWhateverThreadsDecode() throws {
    let names = Array(repeating: "colour.png", count: 20) + ["bad-text.jpg", "bad-empty.png"]
    for threadCount in [1, 2, 4] {
      let loader = PictureLoader(dataset(names), decoder: decoder, threadCount: threadCount)
      let batches = loader.batches(of: Array(names.indices), batchSize: 5)
      let error = datasetError { _ = try floats(batches, batchSize: 5) }
      #expect(error?.subject == Fixtures.path("bad-text.jpg"))
    }
  }

  @Test func lettingGoOfBatchesEndsTheirThreads() {
    let names = Array(repeating: "colour.png", count: 100)
    for _ in 0..<20 {
      let loader = PictureLoader(dataset(names), decoder: decoder, threadCount: 3)
      _ = loader.batches(of: Array(names.indices), batchSize: 2)
    }
  }

  @Test func noSamplesMakeNoBatches() throws {
    let loader = PictureLoader(dataset([]), decoder: decoder, threadCount: 2)
    #expect(try floats(loader.batches(of: [], batchSize: 4), batchSize: 4).isEmpty)
    #expect(try PictureCheck(loader).failures.isEmpty)
  }

  @Test func cacheServesPicturesWhoseFilesAreGone() throws {
    let folder = try TemporaryFolder()
    for name in PictureLoaderTests.good { try folder.copy(name, to: name) }
    let samples = PictureLoaderTests.good.map { Sample(path: $0, labels: [0]) }
    let dataset = Dataset(
      root: folder.path, tasks: [LabelSet(name: "class", classes: ["a", "b"])], samples: samples)
    let cache = PictureCache(decoder, byteLimit: 4 * decoder.byteCount)
    let loader = PictureLoader(dataset, decoder: decoder, cache: cache, threadCount: 1)
    #expect(try PictureCheck(loader).failures.isEmpty)
    #expect(cache.count == 4)
    let before = try floats(loader.batches(of: [0, 1, 2, 3], batchSize: 4), batchSize: 4)
    try FileManager.default.removeItem(atPath: folder.path)
    let after = try floats(loader.batches(of: [0, 1, 2, 3], batchSize: 4), batchSize: 4)
    #expect(before.map(\.values) == after.map(\.values))
    let error = datasetError { _ = try floats(loader.batches(of: [4], batchSize: 1), batchSize: 1) }
    #expect(error?.code == .picture)
  }

  @Test func badFilesAreLeftOutUpToTheLimit() throws {
    let names = Array(repeating: "colour.png", count: 8) + ["bad-text.jpg", "bad-truncated.jpg"]
    let loader = PictureLoader(dataset(names), decoder: decoder, threadCount: 2)
    let check = try PictureCheck(loader, policy: .count(2))
    #expect(check.failures.map(\.subject) == [Fixtures.path("bad-text.jpg"), Fixtures.path("bad-truncated.jpg")])
    #expect(check.dataset.samples.map(\.path) == Array(repeating: "colour.png", count: 8))
    #expect(try PictureCheck(loader, policy: .share(0.2)).failures.count == 2)
    #expect(datasetError { _ = try PictureCheck(loader, policy: .share(0.1)) }?.code == .tooManyBadFiles)
  }

  @Test func tooManyBadFilesAreOneSentenceThatNamesFive() {
    let names = ["colour.png"] + Array(repeating: "bad-text.jpg", count: 6) + ["bad-empty.png"]
    let loader = PictureLoader(dataset(names), decoder: decoder, threadCount: 2)
    let error = datasetError { _ = try PictureCheck(loader) }
    let text = "bad-text.jpg (expected a JPEG, PNG, WebP, GIF, TIFF or BMP picture, found text)"
    #expect(
      error?.description
        == "\(Fixtures.folder): 7 of 8 pictures cannot be read, and at most 1 may be left out: "
        + Array(repeating: text, count: 5).joined(separator: ", ") + " and 2 more")
  }

  @Test func policiesAreParsedAndCount() throws {
    #expect(BadFilePolicy.standard.limit(of: 10) == 1)
    #expect(BadFilePolicy.standard.limit(of: 350) == 3)
    #expect(try BadFilePolicy(parsing: "0").limit(of: 350) == 0)
    #expect(try BadFilePolicy(parsing: "2%").limit(of: 350) == 7)
    for text in ["", "-1", "x", "101%", "%", "nan%"] {
      #expect(datasetError { _ = try BadFilePolicy(parsing: text) }?.code == .option, "\(text)")
    }
  }
}
