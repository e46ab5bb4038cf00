"""Use an engine by itself: speak a text into a sound file. ``python examples/speak.py TEXT FILE``

The packages needed are those of the program: ``pip install -r requirements.txt``.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

try:
    import soundfile

    from pipeline.errors import UserError
    from pipeline.turn import CancelToken
    from TTS.espeak import EspeakSynthesizer
except ModuleNotFoundError as error:
    root = Path(__file__).parent.parent
    sys.exit(f"This example needs {error.name}; type: pip install -r {root / 'requirements.txt'}")

parser = argparse.ArgumentParser(description="Speak a text into a sound file.")
parser.add_argument("text", help="what to say")
parser.add_argument("file", help="the sound file to write, such as hello.wav")
wanted = parser.parse_args()
try:
    synthesizer = EspeakSynthesizer()
    chunks = synthesizer.synthesize(wanted.text, voice=None, language=None, cancel=CancelToken())
    for chunk in chunks:
        soundfile.write(wanted.file, chunk.samples, chunk.sample_rate_hz)
except (UserError, OSError, TypeError, soundfile.SoundFileError) as error:
    sys.exit(f"{wanted.file}: {error}")
