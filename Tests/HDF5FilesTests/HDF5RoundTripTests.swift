import Foundation
import HDF5Files
import Tensors
import Testing

@Suite struct HDF5RoundTripTests {
  @Test(arguments: ElementType.allCases)
  func everyElementTypeComesBack(elementType: ElementType) throws {
    let tensor = Tensor(Fixture.ramp(60, signed: false), shape: [3, 4, 5]).converted(to: elementType)
    let packed = HDF5Storage.chunked(dimensions: [2, 3, 5], checksum: true)
    let bytes = try HDF5File.bytes(name: "x") { root in
      try root.write(tensor, named: "a/contiguous")
      try root.write(tensor, named: "a/packed", storage: packed)
      try root.write(tensor, named: "chosen", storage: .chunked())
      try root.attributes.set(.numbers(tensor), named: "numbers")
    }
    let root = try HDF5File(reading: bytes, name: "x").root
    for name in ["a/contiguous", "a/packed", "chosen"] {
      #expect(try root.dataset(name).elementType == elementType)
      #expect(try root.dataset(name).read() == tensor)
    }
    if elementType != .bf16 { #expect(try root.attributes["numbers"] == .numbers(tensor)) }
  }

  @Test func scalarsAndEmptyArraysComeBackFromEveryStorage() throws {
    let scalar = Tensor([2], shape: [])
    let empty = Tensor([], shape: [0, 3])
    let bytes = try HDF5File.bytes(name: "x") { root in
      for (name, storage) in [("plain", HDF5Storage.contiguous), ("packed", .chunked())] {
        try root.write(scalar, named: "\(name)/scalar", storage: storage)
        try root.write(empty, named: "\(name)/empty", storage: storage)
      }
    }
    let root = try HDF5File(reading: bytes, name: "x").root
    for name in ["plain", "packed"] {
      #expect(try root.dataset("\(name)/scalar").read() == scalar)
      #expect(try root.dataset("\(name)/empty").read() == empty)
    }
  }

  @Test func attributesComeBack() throws {
    let long = String(repeating: "grün ", count: 40_000)
    let names = (0..<3000).map { "layer \($0)" + String(repeating: "x", count: 40) }
    let bytes = try HDF5File.bytes(name: "x") { root in
      let attributes = try root.createGroup("group").attributes
      try attributes.set(.string("kernel"), named: "string")
      try attributes.set(.string(""), named: "empty")
      try attributes.set(.string(long), named: "long")
      try attributes.set(.strings(["conv/kernel:0", "b", ""]), named: "list")
      try attributes.set(.strings([]), named: "none")
      try attributes.set(.strings(names), named: "many")
      try attributes.set(.integer(-7), named: "integer")
      try attributes.set(.number(0.1), named: "number")
    }
    let attributes = try HDF5File(reading: bytes, name: "x").root.group("group").attributes
    #expect(try attributes["string"] == .string("kernel"))
    #expect(try attributes["empty"] == .string(""))
    #expect(try attributes["long"] == .string(long))
    #expect(try attributes["list"] == .strings(["conv/kernel:0", "b", ""]))
    #expect(try attributes["none"]?.strings == [])
    #expect(try attributes["many"] == .strings(names))
    #expect(try attributes["integer"]?.integer == -7)
    #expect(try attributes["number"]?.number == 0.1)
    #expect(try attributes.names() == ["empty", "integer", "list", "long", "many", "none", "number", "string"])
  }

  @Test func whatAnAttributeCannotHoldIsSaid() throws {
    let many = (0..<5000).map { "layer with a long enough name \($0)" }
    let error = failure {
      try HDF5File.bytes(name: "x.h5") { try $0.attributes.set(.strings(many), named: "layer_names") }
    }
    #expect(error?.code == .tooLarge)
    #expect(
      error?.description
        == "x.h5: / attribute \"layer_names\" takes 80000 bytes, more than the 64512 that an attribute has room for")
  }

  @Test func takenAndImpossibleNamesAreRefused() throws {
    let tensor = Tensor([1], shape: [1])
    for names in [["a", "a"], ["a/b", "a"], ["a", "a/b"], [""], ["."], ["a/./b"], ["zero\0byte"]] {
      let error = failure {
        try HDF5File.bytes(name: "x") { root in for name in names { try root.write(tensor, named: name) } }
      }
      #expect(error?.code == .invalidName || error?.code == .wrongKind, "\(names)")
    }
  }

  @Test func equalContentsMakeEqualBytes() throws {
    func make() throws -> [UInt8] {
      try HDF5File.bytes(name: "x") { root in
        try root.write(Tensor([1, 2, 3], shape: [3]), named: "group/data", storage: .chunked())
        try root.attributes.set(.string("text"), named: "text")
        try root.attributes.set(.strings(["a", "bc"]), named: "names")
      }
    }
    let first = try make()
    // Times in the file would count seconds.
    Thread.sleep(forTimeInterval: 1.1)
    #expect(try make() == first)
  }

  @Test func twoImagesOfOneNameAreTwoFiles() throws {
    let files = try [Float(1), 2].map { value in
      let bytes = try HDF5File.bytes(name: "same") { try $0.write(Tensor([value], shape: [1]), named: "data") }
      return try HDF5File(reading: bytes, name: "same")
    }
    #expect(try files.map { try $0.root.dataset("data").read().floats } == [[1], [2]])
  }

  @Test func manyThreadsMayReadOneFile() async throws {
    let file = try HDF5File(readingFrom: Fixture.path("layouts"))
    let sums = try await withThrowingTaskGroup(of: [Float].self) { group in
      for name in ["contiguous", "all", "chunked", "compact"] {
        for _ in 0..<8 { group.addTask { try file.root.dataset(name).read().floats } }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(sums.count == 32)
    #expect(sums.allSatisfy { $0 == Fixture.ramp(105) })
  }
}

@Suite struct WholeFileTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)

  private func withFolder(_ body: () throws -> Void) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body()
  }

  private var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  @Test func aFileIsReplacedWhole() throws {
    try withFolder {
      let path = folder.appending(path: "a.h5").path
      for value in [Float(1), 2] {
        try HDF5File.write(to: path) { try $0.write(Tensor([value], shape: [1]), named: "data") }
        #expect(try HDF5File(readingFrom: path).root.dataset("data").read().floats == [value])
      }
      #expect(names == ["a.h5"])
    }
  }

  @Test func aFailureLeavesTheOldFile() throws {
    struct Stop: Error {}
    try withFolder {
      let path = folder.appending(path: "a.h5").path
      try HDF5File.write(to: path) { try $0.write(Tensor([1], shape: [1]), named: "data") }
      #expect(throws: Stop.self) { try HDF5File.write(to: path) { _ in throw Stop() } }
      #expect(names == ["a.h5"])
      #expect(try HDF5File(readingFrom: path).root.dataset("data").read().floats == [1])
    }
  }

  @Test func aLinkIsWrittenThrough() throws {
    try withFolder {
      let link = folder.appending(path: "link.h5").path
      try Data().write(to: folder.appending(path: "a.h5"))
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "a.h5")
      try HDF5File.write(to: link) { try $0.createGroup("g") }
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "a.h5")
      #expect(try HDF5File(readingFrom: link).root.members().map(\.name) == ["g"])
    }
  }

  @Test func placesThatCannotBeWrittenAreNamed() throws {
    try withFolder {
      let path = folder.path
      #expect(
        failure { try HDF5File.write(to: path) { _ in } }?.description
          == "\(path) is a folder and cannot be written as a file")
      #expect(
        failure { try HDF5File.write(to: "\(path)/no/a.h5") { _ in } }?.description
          == "\(path)/no/a.h5 cannot be written: the folder \(path)/no does not exist")
      #expect(failure { try HDF5File.write(to: "/dev/null") { _ in } }?.code == .notAFile)
    }
  }
}
