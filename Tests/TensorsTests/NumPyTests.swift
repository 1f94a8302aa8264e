import Foundation
import Tensors
import Testing

@Suite("Arrays of NumPy")
struct NumPyTests {
  @Test("come back as they were written", arguments: ElementType.allCases.filter { $0 != .bf16 })
  func roundTrip(type: ElementType) throws {
    let numbers = Tensor([0, 1, 2.5, 3, 100, 7], shape: [2, 3]).converted(to: type)
    let bytes = try #require(numbers.npyBytes)
    #expect(try Tensor(npy: bytes, name: "x.npy") == numbers)
  }

  @Test("have the bytes that numpy.save writes")
  func bytes() throws {
    let bytes = try #require(Tensor([1, 2], shape: [2]).npyBytes)
    var expected = Data([0x93])
    expected.append(contentsOf: "NUMPY".utf8)
    expected.append(contentsOf: [1, 0, 0x76, 0])
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    expected.append(contentsOf: header.utf8)
    expected.append(contentsOf: String(repeating: " ", count: 118 - header.utf8.count - 1).utf8)
    expected.append(UInt8(ascii: "\n"))
    expected.append(contentsOf: [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])
    #expect(bytes == expected)
  }

  @Test("may have no axes, or axes without extent", arguments: [[], [0], [3, 0, 2], [1]])
  func shapes(extents: [Int]) throws {
    let numbers = Tensor(zeros: Shape(extents), elementType: .f64)
    #expect(try Tensor(npy: try #require(numbers.npyBytes), name: "x.npy") == numbers)
  }

  @Test("begin with numbers at a multiple of 64 bytes whatever the header's length", arguments: 1...40)
  func alignment(rank: Int) throws {
    let numbers = Tensor(zeros: Shape(Array(repeating: 1, count: rank)), elementType: .u8)
    #expect((try #require(numbers.npyBytes).count - 1) % 64 == 0)
  }

  @Test(
    "are refused in one sentence",
    arguments: [
      ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "little-endian"),
      ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "little-endian"),
      ("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }", "Fortran order"),
      ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "records"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "expected 8 bytes"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "no whole number"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 8), }", "too large"),
      ("{'descr': '<f4', 'fortran_order': False, }", "expected descr, fortran_order and shape"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } __import__", "something follows"),
      ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "twice"),
      ("print", "no dictionary"),
    ])
  func refusals(header: String, reason: String) throws {
    var bytes = Data([0x93])
    bytes.append(contentsOf: "NUMPY".utf8)
    bytes.append(contentsOf: [1, 0, UInt8(header.utf8.count), 0])
    bytes.append(contentsOf: header.utf8)
    bytes.append(contentsOf: [0, 0, 0, 0])
    let error = #expect(throws: NumPyError.self) { try Tensor(npy: bytes, name: "x.npy") }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test("may be cut anywhere without more than an error")
  func truncation() throws {
    let whole = try #require(Tensor([1, 2, 3], shape: [3]).npyBytes)
    for count in 0..<whole.count {
      #expect(throws: NumPyError.self) { try Tensor(npy: whole.prefix(count), name: "x.npy") }
    }
  }

  @Test("that are not there are named")
  func missing() {
    let error = #expect(throws: NumPyError.self) { try Tensor(npy: "/nowhere/x.npy") }
    #expect(error?.description == "/nowhere/x.npy: cannot be read: No such file or directory")
  }
}
