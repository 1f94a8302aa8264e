import CKernels
import Graphs
import Tensors

extension Emitter {
  /// What images are kept in.
  var imageType: NumberType { options.precision == .bf16 ? .bf16 : .f32 }

  /// What a primitive reads and writes where arrays of this type are meant.
  func operandType(_ type: NumberType) -> NumberType { options.bfloat16.isPrimitive ? type : .f32 }

  /// A value as a primitive reads it: rounded to the type that is meant, and in the one that the primitive takes.
  func operand(
    _ value: ValueID, in layout: ActivationLayout, as type: NumberType
  ) throws(EngineError) -> Activation {
    guard type == .bf16, !options.bfloat16.isPrimitive, stored(value).type == .f32 else {
      return try activation(value, in: layout, as: operandType(type))
    }
    let copy = activation(stored(value).shape, layout)
    try reorder(stored(value), to: copy)
    let (x, n) = (copy.buffer, count(copy))
    step("convert", "round", touching: [x]) { graft_round_to_bf16(x.floats, n) }
    return copy
  }

  /// A gradient as a primitive reads it.
  func operand(_ gradient: Activation) -> Activation {
    gradient.type == operandType(gradient.type) ? gradient : single(gradient)
  }

  /// An array in single precision.
  func single(_ array: Activation) -> Activation {
    guard array.type != .f32 else { return array }
    let wide = activation(array.shape, array.layout)
    convert(array, to: wide)
    return wide
  }

  /// Says where a value is that a primitive has written, after turning it into the type that is meant.
  func set(_ value: ValueID, _ written: Activation, as type: NumberType) {
    guard written.type != type else { return set(value, written) }
    let kept = activation(written.shape, written.layout, type)
    convert(written, to: kept)
    set(value, kept)
  }
}
