"""Device loss: errors after which a process can compute nothing more on its GPU."""

import re
from collections.abc import Iterator

_LOST = re.compile(
    r"(CUDA|HIP)( driver)? (error|failure|failed with error)"  # PyTorch, onnxruntime, CTranslate2
    r"|device-side assert|illegal memory access|unspecified launch failure|device (is|was) lost"
    r"|(CUBLAS|CUDNN)_STATUS_\w*FAILED"
    r"|command buffer exited with error|kIOGPUCommandBufferCallbackError",  # Metal
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"out of memory", re.IGNORECASE)
"""The next call, which may need less, can succeed."""


def is_device_lost(error: BaseException) -> bool:
    """True if `error`, or one that led to it, says that the device is lost. PyTorch, which this process
    may not have, is known by the name of its error."""
    return any(
        (type(each).__name__ == "AcceleratorError" or _LOST.search(str(each)) is not None)
        and _HARMLESS.search(str(each)) is None
        for each in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    seen: set[int] = set()
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__
