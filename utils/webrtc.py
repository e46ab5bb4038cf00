"""WebRTC's audio processing, as livekit carries it: whether it is there."""

import importlib.util


def has_webrtc() -> bool:
    """Whether it can be imported. Other packages share the name "livekit", without the part needed."""
    installed = importlib.util.find_spec("livekit") and importlib.util.find_spec("livekit.rtc")
    return installed is not None
