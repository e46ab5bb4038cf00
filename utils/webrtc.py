"""WebRTC's audio processing, from livekit: whether it is installed."""

import importlib.util


def has_webrtc() -> bool:
    """True if it can be imported. Other packages share the name "livekit", without the part needed."""
    installed = importlib.util.find_spec("livekit") and importlib.util.find_spec("livekit.rtc")
    return installed is not None
