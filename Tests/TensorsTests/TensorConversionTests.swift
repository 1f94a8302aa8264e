import Tensors
import Testing

@Suite struct TensorConversionTests {
  @Test func halfPrecisionRoundTripsEveryFinitePattern() {
    let patterns = (0..<UInt16.max).filter { $0 & 0x7c00 != 0x7c00 }
    let half = Tensor(shape: [patterns.count], elementType: .f16) { bytes in
      patterns.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
    #expect(half.converted(to: .f32).converted(to: .f16) == half)
  }

  @Test(arguments: [
    (Float(1), UInt16(0x3c00)), (65504, 0x7bff), (65519.996, 0x7bff), (65520, 0x7c00), (-2, 0xc000),
    (0x1p-24, 0x0001), (0x1p-25, 0x0000), (0x1.8p-24, 0x0002), (0x1p-14, 0x0400), (1.0009765625, 0x3c01),
    (1.00048828125, 0x3c00), (1.00146484375, 0x3c02), (.infinity, 0x7c00),
  ])
  func halfPrecisionRoundsToNearestEven(value: Float, bits: UInt16) {
    let half = Tensor([value], shape: [1]).converted(to: .f16)
    #expect(half.withUnsafeBytes { $0.load(as: UInt16.self) } == bits)
  }

  @Test func brainFloatRoundsToNearestEven() {
    let values: [Float] = [1, 1.00390625, 1.01171875, -3.14159274]
    let brain = Tensor(values, shape: [4]).converted(to: .bf16)
    #expect(brain.floats == [1, 1, 1.015625, -3.140625])
  }

  @Test func integersTakeTheNearestValueInTheirRange() {
    let real = Tensor([-300, -1.5, 0.5, 2.5, 255.4, 1e9, .nan], shape: [7])
    #expect(real.converted(to: .u8).floats == [0, 0, 0, 2, 255, 255, 0])
    #expect(real.converted(to: .i8).floats == [-128, -2, 0, 2, 127, 127, 0])
  }

  @Test(arguments: ElementType.allCases)
  func smallIntegersSurviveEveryElementType(type: ElementType) {
    let tensor = Tensor([0, 1, 2, 64, 100], shape: [5])
    #expect(tensor.converted(to: type).floats == tensor.floats)
  }

  @Test func writingToACopyLeavesTheOriginal() {
    let original = Tensor([1, 2, 3], shape: [3])
    var copy = original
    copy.withMutableFloats { $0[0] = 9 }
    #expect(original.floats == [1, 2, 3])
    #expect(copy.floats == [9, 2, 3])
  }
}
