import Foundation
import HDF5Files
import Tensors
import Testing

private let stockPython = ProcessInfo.processInfo.environment["GRAFT_PYTHON"].flatMap {
  FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
}

/// What other programs make of the files that we write; needs an interpreter with h5py, named by `GRAFT_PYTHON`.
@Suite(.enabled(if: stockPython != nil))
struct StockReaderTests {
  @Test func h5pyReadsWhatWeWrite() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).h5").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let ramp = Tensor(Fixture.ramp(60, signed: false), shape: [3, 4, 5])
    let long = String(repeating: "grün ", count: 40_000)
    let many = (0..<3000).map { "layer \($0)" + String(repeating: "x", count: 40) }
    try HDF5File.write(to: path) { root in
      for type in ElementType.allCases {
        try root.write(ramp.converted(to: type), named: "plain/\(type.rawValue)")
        try root.write(ramp.converted(to: type), named: "packed/\(type.rawValue)", storage: .chunked(checksum: true))
      }
      try root.write(Tensor([2.5], shape: []), named: "scalar")
      try root.attributes.set(.string(long), named: "long")
      try root.attributes.set(.strings(["conv1/kernel:0", "b"]), named: "weight_names")
      try root.attributes.set(.strings(many), named: "many")
      try root.attributes.set(.strings([]), named: "none")
      try root.attributes.set(.integer(-7), named: "integer")
    }
    let script = """
      import sys, h5py, numpy as np
      file = h5py.File(sys.argv[1], "r")
      kinds = dict(f16="<f2", f32="<f4", f64="<f8", i8="i1", u8="u1", i16="<i2", u16="<u2", i32="<i4", u32="<u4",
                   i64="<i8", u64="<u8")
      ramp = np.arange(60).reshape(3, 4, 5)
      for group in ["plain", "packed"]:
          for name, kind in kinds.items():
              data = file[group][name]
              assert data.dtype == np.dtype(kind), (name, data.dtype)
              assert (data[...] == ramp).all(), name
          brain = file[group]["bf16"]
          assert brain.dtype == np.dtype("V2") and brain.attrs["dtype"] == "bfloat16"
          assert (brain[...].view("<u2").astype("<u4") << 16).view("<f4").reshape(ramp.shape).tolist() == ramp.tolist()
      packed = file["packed/f32"]
      assert packed.compression == "gzip" and packed.shuffle and packed.fletcher32
      assert file["plain/f32"].chunks is None and file["plain/f32"].id.get_offset() is not None
      assert file["scalar"][()] == 2.5 and file["scalar"].shape == ()
      assert file.attrs["long"] == "grün " * 40000
      assert file.attrs["weight_names"].dtype == np.dtype("S14")
      assert [n.decode() for n in file.attrs["weight_names"]] == ["conv1/kernel:0", "b"]
      assert list(file.attrs["many"]) == [f"layer {i}" + "x" * 40 for i in range(3000)]
      assert len(file.attrs["none"]) == 0 and file.attrs["integer"] == -7
      print("all is well")
      """
    let process = Process()
    process.executableURL = stockPython.map { URL(fileURLWithPath: $0) }
    process.arguments = ["-c", script, path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(said == "all is well\n")
    #expect(process.terminationStatus == 0)
  }
}
