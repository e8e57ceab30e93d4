"""The panels of a recognised word, as HTML."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_model import clip, silence

from apps.speech import panels, picture
from domains.speech.audio import LogMel
from domains.speech.explanation import Explanation


def explanation(waveform):
    seen = LogMel()(torch.from_numpy(waveform)[None])[0, 0].numpy()
    return Explanation("yes", 0.9, waveform, seen, np.zeros_like(seen))


def pixels(html):
    [data] = re.findall(r"data:image/png;base64,([^\"]+)", html)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_the_waveform_is_blue_on_whatever_the_page_is():
    drawn = pixels(panels.waveform(explanation(clip("yes"))))
    assert drawn.shape == (picture.WAVE_HEIGHT, picture.WIDTH, 4)
    clear = drawn[..., 3] == 0
    assert 0.2 < clear.mean() < 1
    assert (drawn[~clear][:, 2] > drawn[~clear][:, 0]).all()


@pytest.mark.parametrize("panel", [panels.waveform, panels.log_mel, panels.relevance])
def test_seconds_are_where_they_are_heard(panel):
    """1.5 s of sound: 0.6 s is at 40 %."""
    html = panel(explanation(np.concatenate([clip("yes"), silence(1)[:8_000]])))
    marks = dict(re.findall(r'left: ([\d.]+)%">([\d.]+) s<', html))
    assert marks == {f"{40 * n / 3:.2f}": f"{n / 5:.1f}" for n in range(8)}


def test_frequencies_are_where_they_are_seen():
    html = panels.log_mel(explanation(clip("yes")))
    marks = dict(re.findall(r'top: ([\d.]+)%">([\d.]+) kHz<', html))
    assert list(marks.values()) == ["0.25", "0.5", "1", "2", "4"]
    places = [float(place) for place in marks]
    assert places == sorted(places, reverse=True)
    assert 100 > places[0] > places[-1] > 0


def test_the_spectrum_has_all_of_its_frames():
    """The first and the last reach to the edges, so that no stripe of paper is left."""
    seen = explanation(clip("yes"))
    drawn = pixels(panels.log_mel(seen))
    coloured = picture.heat(seen.log_mel)
    assert (drawn[-1, 0] == coloured[-1, 0]).all()
    assert (drawn[-1, -1] == coloured[-1, -1]).all()
