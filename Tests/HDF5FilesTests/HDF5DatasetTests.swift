import HDF5Files
import Tensors
import Testing

@Suite struct HDF5DatasetTests {
  @Test(arguments: [
    ("f2", ElementType.f16), ("f4", .f32), ("f8", .f64), ("i1", .i8), ("i2", .i16), ("i4", .i32), ("i8", .i64),
    ("u1", .u8), ("u2", .u16), ("u4", .u32), ("u8", .u64),
  ])
  func everyNumberIsReadInBothByteOrders(code: String, elementType: ElementType) throws {
    let root = try Fixture.root("types")
    for order in ["little", "big"] {
      let dataset = try root.dataset("\(order)/\(code)")
      #expect(dataset.shape == [3, 4])
      #expect(dataset.elementType == elementType)
      #expect(try dataset.read().elementType == elementType)
      #expect(try dataset.read().floats == Fixture.ramp(12, signed: !code.hasPrefix("u")))
    }
  }

  @Test func brainFloatsAreOpaqueBytesWithAnAttribute() throws {
    let root = try Fixture.root("types")
    #expect(try root.dataset("brain").elementType == .bf16)
    #expect(try root.dataset("brain").read().floats == Fixture.ramp(12))
    #expect(try root.dataset("brain_float").read().elementType == .bf16)
    #expect(try root.dataset("brain_float").read().floats == Fixture.ramp(12))
  }

  @Test func booleansAreBytes() throws {
    let tensor = try Fixture.root("types").dataset("bool").read()
    #expect(tensor.elementType == .u8)
    #expect(tensor.floats == [1, 0, 1])
  }

  @Test func scalarsAndEmptyArraysAreRead() throws {
    let root = try Fixture.root("types")
    #expect(try root.dataset("scalar").read() == Tensor([2.5], shape: []))
    #expect(try root.dataset("empty").read() == Tensor([], shape: [0, 5]))
  }

  @Test(arguments: [
    ("compound", "a compound type"), ("complex", "a compound type"), ("reference", "references"),
    ("varying", "sequences of varying length"), ("opaque", "two opaque bytes each"),
    ("odd_integer", "integers of 24 bits in 4 bytes"),
  ])
  func otherTypesAreRefusedByName(name: String, words: String) throws {
    let dataset = try Fixture.root("types").dataset(name)
    #expect(dataset.elementType == nil)
    let error = failure { try dataset.read() }
    #expect(error?.code == .unsupportedType)
    #expect(error?.description == "\(Fixture.path("types")): /\(name) holds \(words) where numbers are expected")
  }

  @Test(arguments: [
    "contiguous", "compact", "chunked", "deflate", "shuffle", "fletcher32", "shuffle_deflate", "all", "one_chunk",
    "rows", "wide_chunk", "growing", "big_all", "half", "checksum_first",
  ])
  func everyLayoutAndFilterGivesTheSameNumbers(name: String) throws {
    let tensor = try Fixture.root("layouts").dataset(name).read()
    #expect(tensor.shape == [7, 5, 3])
    #expect(tensor.floats == Fixture.ramp(105))
  }

  @Test func anOddChecksumAndSkippedFiltersAreRead() throws {
    let root = try Fixture.root("layouts")
    #expect(try root.dataset("bytes").read().floats == Fixture.ramp(11, signed: false))
    #expect(try root.dataset("skipped").read().floats == Fixture.ramp(4))
  }

  @Test(arguments: ["fixed", "extensible", "tree", "single", "implicit"])
  func theNewestFormatsChunkIndexesAreRead(name: String) throws {
    #expect(try Fixture.root("latest").dataset(name).read().floats == Fixture.ramp(105))
  }

  @Test(arguments: [
    ("null_padded", ["kernel", "b", "weights8"]), ("null_terminated", ["kernel", "b", "weights"]),
    ("space_padded", ["kernel", "two words", ""]), ("utf8", ["grün", "重み"]), ("not_utf8", ["gr\u{fffd}n"]),
    ("variable", ["kernel", "", "grün 重み"]), ("variable_ascii", ["kernel", "b"]),
    ("variable_packed", ["aaaaaaaaa", "b", "aaaaaaaaa", "b", "aaaaaaaaa", "b", "aaaaaaaaa", "b"]),
    ("variable_scalar", ["alone"]),
  ])
  func stringsOfEveryKindAreRead(name: String, strings: [String]) throws {
    let dataset = try Fixture.root("strings").dataset(name)
    #expect(try dataset.readStrings() == strings)
    #expect(failure { try dataset.read() }?.code == .unsupportedType)
  }

  @Test func numbersAreNoStrings() throws {
    let error = failure { try Fixture.root("types").dataset("little/f4").readStrings() }
    #expect(error?.code == .unsupportedType)
    #expect(error?.detail == "holds numbers (f32) where strings are expected")
  }

  @Test func aUserBlockBeforeTheFileIsSkipped() throws {
    #expect(try Fixture.root("user_block").dataset("data").read().floats == Fixture.ramp(12))
  }
}
