"""The spectrograms of a recording before and after a codec, one above the other."""

from pathlib import Path

import numpy as np
from plotly import graph_objects
from plotly.subplots import make_subplots

from pipeline.errors import UserError
from pipeline.messages import Samples
from S2S.codec.distances import BANDS, HOP_MS, RANGE_DB, band_centers_hz, mel_spectra_db


def draw_spectrograms(
    original: Samples, decoded: Samples, rate_hz: int, decoded_by: str, path: Path
) -> None:
    """Write an interactive page that needs no network. Raises `UserError` if it cannot be written."""
    titles = ("original", decoded_by)
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.1, subplot_titles=titles)
    bands = range(0, BANDS, 10)
    names = [f"{hz:.0f}" for hz in band_centers_hz(rate_hz)[::10]]
    for row, spectra in enumerate(mel_spectra_db([original, decoded], rate_hz), start=1):
        picture = graph_objects.Heatmap(
            z=np.rint(spectra).astype(np.int8),  # one byte a point keeps the page small
            dx=HOP_MS / 1000,
            zmin=-RANGE_DB,
            zmax=0,
            colorscale="Magma",
            colorbar={"title": "dB"},
            showscale=row == 1,
        )
        figure.add_trace(picture, row=row, col=1)
        figure.update_yaxes(title="Hz", tickvals=list(bands), ticktext=names, row=row, col=1)
    figure.update_xaxes(title="s", row=2, col=1)
    figure.update_layout(title="Mel spectra; 0 dB is the loudest of the original", height=800)
    try:
        figure.write_html(path, include_plotlyjs=True)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
