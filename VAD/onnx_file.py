"""An ONNX file, run on one thread of the CPU."""

import os
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# Looked at when it is imported: from 1.31 on onnxruntime tells its maker that it is used, and by which
# machine. Nothing leaves the machine that nobody asked for.
import onnxruntime


def open_onnx(path: str | Path) -> onnxruntime.InferenceSession:
    """The model in a file. Raises what onnxruntime raises, whose errors have no common class."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; its warnings are about how the model was written
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
