"""Use an engine by itself: speak a text into a sound file. ``python examples/speak.py TEXT FILE``"""

import sys
from pathlib import Path

import soundfile

sys.path.insert(0, str(Path(__file__).parent.parent))

from pipeline.turn import CancelToken
from TTS.espeak import EspeakSynthesizer

text, file = sys.argv[1:]
chunks = EspeakSynthesizer().synthesize(text, voice=None, language=None, cancel=CancelToken())
for chunk in chunks:
    soundfile.write(file, chunk.samples, chunk.sample_rate_hz)
