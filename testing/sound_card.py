"""SoundCard: a virtual sound card for headless machines, from PulseAudio and its null sinks."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import soundfile

from pipeline.messages import Samples

RATE_HZ = 16000
_ECHO = "module-loopback source=loudspeaker.monitor sink=into_microphone latency_msec=60"
_ASOUNDRC = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"


def missing_programs() -> list[str]:
    """Programs that must be installed and are not; empty if a sound card can be made."""
    return [name for name in ("pulseaudio", "pactl", "paplay", "parecord") if shutil.which(name) is None]


class SoundCard:
    """A microphone that a test plays into, and a loudspeaker that it records.

    Runs its own sound server in its own folder, so it disturbs no other; works as root without D-Bus.
    With ``echo=True`` the microphone hears the loudspeaker 60 ms later.
    """

    def __init__(self, *, echo: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="soundcard")
        folder = Path(self._folder.name)
        (folder / ".asoundrc").write_text(_ASOUNDRC)
        self.environment = os.environ | {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_SERVER": f"unix:{folder}/pulse/native",
        }
        modules = (
            "module-native-protocol-unix",
            "module-null-sink sink_name=loudspeaker rate=48000 norewinds=1",
            "module-null-sink sink_name=into_microphone rate=48000 norewinds=1",
            "module-remap-source source_name=microphone master=into_microphone.monitor",
            *([_ECHO] if echo else []),
        )
        loads = [part for module in modules for part in ("-L", module)]
        self._server = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--log-level=error", *loads],
            env=self.environment,
        )
        self._run("pactl", "set-default-sink", "loudspeaker", retries=50)
        self._run("pactl", "set-default-source", "microphone")

    def play_into_microphone(self, recording: Path) -> None:
        """Play a sound file into the microphone; returns when playback ends."""
        self._run("paplay", "--device=into_microphone", str(recording))

    def record_loudspeaker(self, recording: Path) -> "subprocess.Popen[bytes]":
        """Record the loudspeaker as raw int16 at 16 kHz until the process is terminated."""
        arguments = ["-d", "loudspeaker.monitor", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1"]
        return subprocess.Popen(["parecord", *arguments, "--raw", str(recording)], env=self.environment)

    def close(self) -> None:
        """Remove the card."""
        self._server.terminate()
        self._server.wait()
        self._folder.cleanup()

    def _run(self, *command: str, retries: int = 0) -> None:
        for _ in range(retries):
            if subprocess.run(command, env=self.environment, capture_output=True).returncode == 0:
                return
            self._server_is_coming_up()
        subprocess.run(command, env=self.environment, check=True, capture_output=True)

    def _server_is_coming_up(self) -> None:
        if self._server.poll() is not None:
            raise RuntimeError("PulseAudio exited at once")
        try:
            self._server.wait(0.1)
        except subprocess.TimeoutExpired:
            return


def write_recording(path: Path, samples: Samples, rate_hz: int) -> Path:
    """Write a sound file and return its path."""
    soundfile.write(path, samples, rate_hz)
    return path
