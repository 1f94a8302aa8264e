"""ONNX Runtime and OpenVINO on an ONNX file, at whatever batch size and number of streams is fastest."""

import os

import numpy

import cells


def pictures(arguments):
    random = numpy.random.default_rng(0)
    return random.random((cells.STEP, 3, arguments.size, arguments.size), dtype=numpy.float32)


def program(arguments):
    return {"onnxruntime": onnxruntime, "openvino": openvino}[arguments.peer](arguments)


def onnxruntime(arguments):
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = runtime.InferenceSession(arguments.onnx, options, providers=["CPUExecutionProvider"])
    x = pictures(arguments)

    def prepare(batch):
        parts = [numpy.ascontiguousarray(x[at : at + batch]) for at in range(0, cells.STEP, batch)]
        return lambda: [session.run(None, {"pictures": part}) for part in parts]

    return prepare, cells.BATCHES


def openvino(arguments):
    import openvino as runtime

    core = runtime.Core()
    x = pictures(arguments)

    def prepare(batch):
        # A negative size means several at once, each with its own stream of that batch size.
        size, streams = abs(batch), os.cpu_count() if batch < 0 else 1
        model = core.read_model(arguments.onnx)
        model.reshape({"pictures": [size, 3, arguments.size, arguments.size]})
        compiled = core.compile_model(
            model, "CPU",
            {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": os.cpu_count(),
             "INFERENCE_PRECISION_HINT": arguments.precision})
        parts = [numpy.ascontiguousarray(x[at : at + size]) for at in range(0, cells.STEP, size)]
        queue = runtime.AsyncInferQueue(compiled, streams)

        def step():
            for part in parts:
                queue.start_async({0: part})
            queue.wait_all()

        return step

    return prepare, cells.BATCHES + [-size for size in cells.BATCHES if size * os.cpu_count() <= cells.STEP]
