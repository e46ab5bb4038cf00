"""Use an engine by itself: speak a text into a sound file. ``python examples/speak.py TEXT FILE``"""

import argparse
import sys
from pathlib import Path

import soundfile

sys.path.insert(0, str(Path(__file__).parent.parent))

from pipeline.turn import CancelToken
from TTS.espeak import EspeakSynthesizer

parser = argparse.ArgumentParser(description="Speak a text into a sound file.")
parser.add_argument("text", help="what to say")
parser.add_argument("file", help="the sound file to write, such as hello.wav")
wanted = parser.parse_args()
chunks = EspeakSynthesizer().synthesize(wanted.text, voice=None, language=None, cancel=CancelToken())
for chunk in chunks:
    soundfile.write(wanted.file, chunk.samples, chunk.sample_rate_hz)
