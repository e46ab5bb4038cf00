"""Catalog: the voice detectors."""

from catalog.registry import EngineSpec

CATALOG = (
    EngineSpec(
        "vad",
        "silero",
        "Silero VAD v6",
        "VAD.silero:SileroDetector",
        needs=("onnxruntime",),
        languages="any",
        license="MIT; MIT",
        tested="real weights",
    ),
    EngineSpec(
        "vad",
        "energy",
        "loudness over the noise floor",
        "VAD.energy:EnergyDetector",
        languages="any",
        license="Apache-2.0; none",
        tested="real weights",
    ),
)
