import Datasets
import Foundation
import Testing

@Suite struct AugmentationTests {
  private let task = LabelSet(name: "class", classes: ["a", "b"])

  private func pictures(
    _ augmentation: Augmentation, seed: UInt64 = 1, variant: Int = 0, name: String = "large.png", count: Int = 16,
    threadCount: Int = 1, fit: Fit = .crop, cache: PictureCache? = nil
  ) throws -> [[UInt8]] {
    let samples = (0..<count).map { _ in Sample(path: name, labels: [0]) }
    let dataset = Dataset(root: Fixtures.folder, tasks: [task], samples: samples)
    let decoder = PictureDecoder(width: 24, height: 16, fit: fit)
    let loader = PictureLoader(dataset, decoder: decoder, cache: cache, threadCount: threadCount)
    let batches = loader.batches(
      of: Array(0..<count), batchSize: 5, augmentation: augmentation, seed: seed, variant: variant)
    var all: [[UInt8]] = []
    let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 5 * decoder.byteCount)
    defer { output.deallocate() }
    while let batch = try batches.next(into: output) {
      for place in 0..<batch.count {
        all.append(Array(output[place * decoder.byteCount..<(place + 1) * decoder.byteCount]))
      }
    }
    return all
  }

  @Test func noneLeavesPicturesAlone() throws {
    let plain = try PictureDecoder(width: 24, height: 16).bytes(Fixtures.path("large.png"))
    #expect(try pictures(.none).allSatisfy { $0 == plain })
  }

  @Test func flipMirrorsAboutHalf() throws {
    let plain = try PictureDecoder(width: 24, height: 16).bytes(Fixtures.path("large.png"))
    var mirrored: [UInt8] = []
    for y in 0..<16 {
      for x in (0..<24).reversed() { mirrored += plain[(y * 24 + x) * 3..<(y * 24 + x) * 3 + 3] }
    }
    let all = try pictures(.flip, count: 64)
    let mirroredCount = all.count { $0 == mirrored }
    #expect(all.allSatisfy { $0 == plain || $0 == mirrored })
    #expect(16...48 ~= mirroredCount)
  }

  @Test(arguments: Augmentation.names, Fit.allCases)
  func variationDependsOnSeedVariantAndSampleAlone(name: String, fit: Fit) throws {
    let augmentation = try Augmentation(named: name)
    let first = try pictures(augmentation, fit: fit)
    #expect(try pictures(augmentation, threadCount: 3, fit: fit) == first)
    let decoder = PictureDecoder(width: 24, height: 16, fit: fit)
    let cache = PictureCache(decoder)
    #expect(try pictures(augmentation, fit: fit, cache: cache) == first)
    #expect(try pictures(augmentation, threadCount: 2, fit: fit, cache: cache) == first)
    if augmentation != .none {
      #expect(try pictures(augmentation, seed: 2, fit: fit) != first)
      #expect(try pictures(augmentation, variant: 1, fit: fit) != first)
      #expect(Set(first).count > 1)
    }
  }

  @Test(arguments: ["standard", "strong"])
  func cropsShowPartsOfThePictureAtItsPlace(name: String) throws {
    var augmentation = try Augmentation(named: name)
    (augmentation.brightness, augmentation.contrast, augmentation.saturation) = (0, 0, 0)
    augmentation.flipProbability = 0
    // Red grows from 30 to 230 from left to right in the picture, green from 20 to 200 downwards.
    for picture in try pictures(augmentation, count: 64) {
      let (left, right) = (Int(picture[0]), Int(picture[23 * 3]))
      let (top, bottom) = (Int(picture[1]), Int(picture[15 * 24 * 3 + 1]))
      #expect(28...232 ~= left && 28...232 ~= right && 18...202 ~= top && 18...202 ~= bottom)
      let area = name == "standard" ? 0.6 : 0.25
      #expect(Double(right - left) >= 200 * (area * 0.75).squareRoot() - 12, "\(left) to \(right)")
      #expect(right > left && bottom >= top)
    }
  }

  @Test func colourChangesStayMild() throws {
    let plain = try PictureDecoder(width: 24, height: 16).bytes(Fixtures.path("large.png"))
    var augmentation = Augmentation.standard
    augmentation.cropArea = nil
    augmentation.flipProbability = 0
    let all = try pictures(augmentation, count: 64)
    #expect(Set(all).count == 64)
    // Three factors of at most a tenth each: 1.1 of 1.1 of 1.1 is a third, of at most 255.
    #expect(all.allSatisfy { largestDifference($0, plain) <= 85 })
    #expect(all.allSatisfy { $0 != plain })
  }

  @Test func brightnessScalesEveryPixel() throws {
    let plain = try PictureDecoder(width: 24, height: 16).bytes(Fixtures.path("large.png"))
    var augmentation = Augmentation.none
    augmentation.brightness = 0.2
    let bright = try #require(plain.firstIndex { 190...210 ~= $0 })
    for picture in try pictures(augmentation, count: 16) {
      let factor = Double(picture[bright]) / Double(plain[bright])
      #expect(0.79...1.21 ~= factor)
      // Half a step of rounding, and half a step in the value that the factor is read from.
      let differences = zip(picture, plain).map { abs(Double($0) - min(255, factor * Double($1))) }
      #expect(differences.allSatisfy { $0 <= 1.2 })
    }
  }

  @Test func aNameThatDoesNotExistIsAnError() {
    let error = datasetError { _ = try Augmentation(named: "wild") }
    #expect(error?.description == "augment: expected one of none, flip, standard, strong, found \"wild\"")
    #expect(
      datasetError { _ = try Fit(named: "wide") }?.description
        == "fit: expected one of crop, squash, pad, found \"wide\"")
  }
}
