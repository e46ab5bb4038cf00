"""ONNX models on the CPU."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.turn import CancelToken

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# Read when onnxruntime is imported: from 1.31 on it reports its use to its maker, with facts about the
# machine. Nothing leaves the machine unless the user asked for it.
import onnxruntime


def open_onnx(
    model: str | Path | bytes, threads: int, *, one_shape: bool = True
) -> onnxruntime.InferenceSession:
    """Load a model from a file, or from the content of one. Raises the errors of onnxruntime, which have
    no common class.

    Its threads sleep while they wait; by default they spin, which takes cores from other engines.
    `one_shape`: the inputs have the same shape in every call, so memory is planned once; a new plan for
    each sentence would make Piper a fifth slower.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = one_shape
    options.log_severity_level = 3  # errors; its warnings are about how the model was written
    loaded = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(loaded, options, providers=["CPUExecutionProvider"])


def run_until_cancelled(
    session: onnxruntime.InferenceSession, inputs: Mapping[str, Any], cancel: CancelToken
) -> list[Any] | None:
    """The outputs of one call; None if it was cancelled, which stops it after the current node.

    Raises the errors of onnxruntime, which have no common class.
    """
    options = onnxruntime.RunOptions()
    options.log_severity_level = 4  # it logs a cancellation as an error
    with cancel.on_cancel(lambda: setattr(options, "terminate", True)):
        try:
            return list(session.run(None, dict(inputs), options))
        except Exception:
            if cancel.cancelled:
                return None
            raise
