"""ONNX models on the CPU."""

import os
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# Read when onnxruntime is imported: from 1.31 on it reports its use to its maker, with facts about the
# machine. Nothing leaves the machine unless the user asked for it.
import onnxruntime


def open_onnx(path: str | Path, threads: int) -> onnxruntime.InferenceSession:
    """Load a model from a file. Raises the errors of onnxruntime, which have no common class.

    Its threads sleep when they wait; by default they spin, which takes cores from the other engines.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors; its warnings are about how the model was written
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
