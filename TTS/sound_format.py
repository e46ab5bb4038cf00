"""The format of a sound, found by its first bytes, since servers often name it wrongly."""

import codecs
import email.message

from utils.pcm_stream import PcmFormat

HEAD_BYTES = 256
"""Number of bytes that are examined: 5 ms of PCM, so the first audio does not wait for them."""

FRAME_BYTES = 2048
"""Number of bytes that are examined if they may be frames of MP3 or AAC: enough to see the start of a
second frame, since a sample of PCM may look like the start of a first."""

PCM, WAV = "PCM", "WAV"

DECODABLE = ("compressed WAV", "RIFX", "RF64", "AIFF", "AU", "CAF", "FLAC", "Ogg", "MP3")
"""Formats that libsndfile decodes, given the whole file."""

_MAGIC = (
    (0, b"RIFX", "RIFX"), (0, b"RF64", "RF64"), (0, b"FORM", "AIFF"), (0, b".snd", "AU"),
    (0, b"caff", "CAF"), (0, b"fLaC", "FLAC"), (0, b"OggS", "Ogg"), (0, b"ID3", "MP3"),
    (0, b"ADIF", "AAC"), (4, b"ftyp", "MP4"), (0, b"\x1aE\xdf\xa3", "WebM"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "WMA"), (0, b"#!AMR", "AMR"),
)  # fmt: skip
"""Offset, bytes, and the format that begins with them."""

_STREAMED_CODINGS = (b"\x01\x00", b"\x03\x00", b"\xfe\xff")
"""Integers, floats, and the form of the header that names the coding later: `utils.wav_stream` knows
them. Others (G.711, ADPCM) are left to libsndfile."""

_WITHOUT_MAGIC = (
    "pcmu",
    "pcma",
    "ulaw",
    "mulaw",
    "alaw",
    "basic",
    "g722",
    "g726",
    "g729",
    "speex",
    "gsm",
)
"""Codings of a byte per sample or less, which only the content type tells from int16."""

_ORDERS = {"audio/l8": "u1", "audio/l16": ">i2", "audio/l24": ">i3"}
"""Sample types by content type (RFC 2586 and 3190: big-endian); for others it is little-endian int16,
that of the protocol."""

_MPEG_1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG_2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_1_HZ = (44100, 48000, 32000)


def begins_frames(head: bytes) -> bool:
    """True if a sound begins as frames of MP3 and AAC do; `FRAME_BYTES` are needed to be sure."""
    return len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0


def sound_format(head: bytes, content_type: str) -> str | None:
    """Name of the format; None for text, and for codings without a signature, which are not decoded.
    Raw samples of the protocol are `PCM`, WAV that can be decoded as it comes is `WAV`."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        streamed = head[12:16] != b"fmt " or head[20:22] in _STREAMED_CODINGS
        return WAV if streamed else "compressed WAV"
    for at, magic, name in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return name
    for frame_bytes, name in ((_mp3_frame_bytes, "MP3"), (_aac_frame_bytes, "AAC")):
        length = frame_bytes(head)
        if length and frame_bytes(head[length:]):
            return name
    kind, _ = _parsed(content_type)
    main, _, sub = kind.partition("/")
    raw = main in ("", "audio") or "octet-stream" in sub or "pcm" in sub
    known = any(coding in sub for coding in _WITHOUT_MAGIC)
    return PCM if raw and not known and not is_text(head) else None


def is_text(head: bytes) -> bool:
    """True if these bytes are characters. Those of PCM are not: small samples have bytes of 0 or 255."""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n" for character in text)


def pcm_format(content_type: str, rate_hz: int) -> PcmFormat:
    """The layout that a content type gives, as in "audio/L16;rate=24000;channels=2"; `rate_hz` if it
    gives no rate. Raises `ValueError` for impossible numbers."""
    kind, parameters = _parsed(content_type)
    rate = parameters.get("rate") or parameters.get("sample_rate") or parameters.get("samplerate")
    channels = parameters.get("channels")
    return PcmFormat(
        int(rate) if rate else rate_hz, int(channels) if channels else 1, _ORDERS.get(kind, "<i2")
    )


def _parsed(content_type: str) -> tuple[str, dict[str, str]]:
    message = email.message.Message()
    message["content-type"] = content_type
    (kind, _), *parameters = message.get_params([("", "")])
    return kind.lower(), {name.lower().replace("-", "_"): str(value) for name, value in parameters}


def _mp3_frame_bytes(data: bytes) -> int:
    """Length of the frame of MPEG-1 or 2, layer III, that begins here (ISO 11172-3); 0: none does."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:
        return 0
    version, kbps, hz, padding = data[1] >> 3 & 3, data[2] >> 4, data[2] >> 2 & 3, data[2] >> 1 & 1
    if version == 1 or kbps in (0, 15) or hz == 3:
        return 0
    if version == 3:
        return 144000 * _MPEG_1_KBPS[kbps] // _MPEG_1_HZ[hz] + padding
    rate_hz = _MPEG_1_HZ[hz] // (2 if version == 2 else 4)
    return 72000 * _MPEG_2_KBPS[kbps] // rate_hz + padding


def _aac_frame_bytes(data: bytes) -> int:
    """Length of the ADTS frame of AAC that begins here (ISO 13818-7); 0: none does."""
    if len(data) < 6 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return 0
    return (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
