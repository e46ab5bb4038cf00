"""Write a wheel of torchaudio without its native part, which wants CUDA, and of which there is no build
for processors alone: `python torchaudio_without_cuda.py FOLDER`, where its wheel lies. Nothing that the
tests call needs that part. The build number in the new name makes pip prefer it."""

import sys
import zipfile
from pathlib import Path

folder = Path(sys.argv[1])
(wheel,) = folder.glob("torchaudio-*.whl")
name, version, *tags = wheel.name.split("-")
with (
    zipfile.ZipFile(wheel) as whole,
    zipfile.ZipFile(folder / "-".join((name, version, "1", *tags)), "w", zipfile.ZIP_DEFLATED) as part,
):
    for file in whole.namelist():
        data = whole.read(file)
        if file.endswith("RECORD"):
            data = b"".join(line for line in data.splitlines(True) if b"_torchaudio" not in line)
        if "/_torchaudio" not in file:
            part.writestr(file, data)
wheel.unlink()
