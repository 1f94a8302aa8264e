extension Tensor {
  /// The same numbers as elements of another type.
  ///
  /// Floating-point numbers are rounded to the nearest, ties to even. Integers take the nearest value of the target that
  /// is inside its range; NaN becomes zero there.
  public func converted(to target: ElementType) -> Tensor {
    if target == elementType { return self }
    return Tensor(uninitialized: shape, elementType: target) { output in
      withUnsafeBytes { input in
        if elementType == .f16 && target == .f32 {
          convert(input, UInt16.self, output, Float.self) { Float(halfBits: $0) }
        } else if elementType == .bf16 && target == .f32 {
          convert(input, UInt16.self, output, Float.self) { Float(bitPattern: UInt32($0) << 16) }
        } else if elementType == .f64 && target == .f32 {
          convert(input, Double.self, output, Float.self) { Float($0) }
        } else if elementType == .f32 && target == .f16 {
          convert(input, Float.self, output, UInt16.self) { $0.halfBits }
        } else if elementType == .f32 && target == .bf16 {
          convert(input, Float.self, output, UInt16.self) { $0.brainBits }
        } else if elementType == .f32 && target == .f64 {
          convert(input, Float.self, output, Double.self) { Double($0) }
        } else {
          for index in 0..<elementCount {
            elementType.read(input, at: index).write(to: output, at: index, as: target)
          }
        }
      }
    }
  }
}

@inline(__always)
private func convert<Source, Target>(
  _ input: UnsafeRawBufferPointer, _: Source.Type, _ output: UnsafeMutableRawBufferPointer, _: Target.Type,
  _ each: (Source) -> Target
) {
  let source = input.bindMemory(to: Source.self)
  let target = output.bindMemory(to: Target.self)
  for index in 0..<source.count { target[index] = each(source[index]) }
}

/// One number on its way from one element type to another, wide enough for all of them.
private enum Number {
  case real(Double)
  case integer(Int64)
  case unsigned(UInt64)

  func write(to output: UnsafeMutableRawBufferPointer, at index: Int, as type: ElementType) {
    func store<Value>(_ value: Value) {
      output.storeBytes(of: value, toByteOffset: index * MemoryLayout<Value>.size, as: Value.self)
    }
    switch type {
    case .f16: store(Float(real).halfBits)
    case .bf16: store(Float(real).brainBits)
    case .f32: store(Float(real))
    case .f64: store(real)
    case .i8: store(clamped(Int8.self))
    case .u8: store(clamped(UInt8.self))
    case .i16: store(clamped(Int16.self))
    case .u16: store(clamped(UInt16.self))
    case .i32: store(clamped(Int32.self))
    case .u32: store(clamped(UInt32.self))
    case .i64: store(clamped(Int64.self))
    case .u64: store(clamped(UInt64.self))
    }
  }

  private var real: Double {
    switch self {
    case .real(let value): value
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    }
  }

  private func clamped<Value: FixedWidthInteger>(_: Value.Type) -> Value {
    switch self {
    case .integer(let value): return Value(clamping: value)
    case .unsigned(let value): return Value(clamping: value)
    case .real(let value):
      let rounded = value.rounded(.toNearestOrEven)
      if rounded.isNaN { return 0 }
      if rounded >= Double(Value.max) { return Value.max }
      if rounded <= Double(Value.min) { return Value.min }
      return Value(rounded)
    }
  }
}

extension ElementType {
  fileprivate func read(_ input: UnsafeRawBufferPointer, at index: Int) -> Number {
    func load<Value>(_: Value.Type) -> Value {
      input.loadUnaligned(fromByteOffset: index * MemoryLayout<Value>.size, as: Value.self)
    }
    return switch self {
    case .f16: .real(Double(Float(halfBits: load(UInt16.self))))
    case .bf16: .real(Double(Float(bitPattern: UInt32(load(UInt16.self)) << 16)))
    case .f32: .real(Double(load(Float.self)))
    case .f64: .real(load(Double.self))
    case .i8: .integer(Int64(load(Int8.self)))
    case .u8: .unsigned(UInt64(load(UInt8.self)))
    case .i16: .integer(Int64(load(Int16.self)))
    case .u16: .unsigned(UInt64(load(UInt16.self)))
    case .i32: .integer(Int64(load(Int32.self)))
    case .u32: .unsigned(UInt64(load(UInt32.self)))
    case .i64: .integer(load(Int64.self))
    case .u64: .unsigned(load(UInt64.self))
    }
  }
}

// Half precision by its bits: `Float16` does not exist on every platform that Swift runs on.
extension Float {
  /// The number that an IEEE 754 half-precision bit pattern stands for.
  fileprivate init(halfBits bits: UInt16) {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1f
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0x1f: self.init(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    case 0:
      let magnitude = Float(fraction) * 0x1p-24
      self.init(bitPattern: sign | magnitude.bitPattern)
    default: self.init(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// The nearest IEEE 754 half-precision bit pattern, ties to even.
  fileprivate var halfBits: UInt16 {
    let sign = UInt16(truncatingIfNeeded: bitPattern >> 16) & 0x8000
    let magnitude = bitPattern & 0x7fff_ffff
    if magnitude > 0x7f80_0000 { return sign | 0x7e00 }
    if magnitude >= 0x477f_f000 { return sign | 0x7c00 }
    if magnitude < 0x3880_0000 {
      // Adding one half puts the last bit that survives at the last place of the sum, which is then rounded to even.
      let shifted = Float(bitPattern: magnitude) + 0.5
      return sign | UInt16(truncatingIfNeeded: shifted.bitPattern &- Float(0.5).bitPattern)
    }
    let odd = (magnitude >> 13) & 1
    return sign | UInt16(truncatingIfNeeded: (magnitude &- (112 << 23) &+ 0xfff &+ odd) >> 13)
  }

  /// The nearest bfloat16 bit pattern, ties to even.
  fileprivate var brainBits: UInt16 {
    if isNaN { return UInt16(truncatingIfNeeded: bitPattern >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bitPattern &+ 0x7fff &+ ((bitPattern >> 16) & 1)) >> 16)
  }
}
